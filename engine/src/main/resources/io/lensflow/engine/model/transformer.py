# The transformer's arithmetic, TorchScript source. Letters: N rows (flattened tokens), D hidden size,
# H query heads, K key/value heads, E head size, F MLP width, V vocabulary, L layers, R ranks, t new tokens of a
# sequence, s the keys that it attends to. Under tensor parallelism H, K, F and V are a rank's own share.
#
# dtypes are integers: 6 is float32. Every kernel computes in the dtype of the rows that it is given, but for
# norms, rotation and steering, which go through float32 and round once.
class Kernels(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  # The layout that oneDNN wants for a linear weight [out, in]. Usable by linear() alone.
  def pack(self: __torch__.Kernels, weight: Tensor, rows: int) -> Tensor:
    return ops.mkldnn._reorder_linear_weight(weight, rows)

  # Puts the two dimensions that rotation turns together side by side, in place, in the rows of the first heads of a
  # projection [rows, in] or a vector [rows].
  def pairs(self: __torch__.Kernels, x: Tensor, heads: int, size: int) -> Tensor:
    front = torch.narrow(x, 0, 0, torch.mul(heads, size))
    halves = torch.view(front, [heads, 2, torch.floordiv(size, 2), -1])
    ordered = torch.clone(torch.transpose(halves, 1, 2))
    _0 = torch.copy_(front, torch.reshape(ordered, torch.size(front)))
    return x

  # x [N, in], weight [out, in] plain or packed, bias [out] or empty -> [N, out]
  def linear(self: __torch__.Kernels, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    b = annotate(Optional[Tensor], None)
    if torch.gt(torch.numel(bias), 0):
      b = bias
    if ops.prim.is_mkldnn(weight):
      y = ops.mkldnn._linear_pointwise(x, weight, b, "none", annotate(List[Optional[number]], []), "")
    else:
      y = torch.linear(x, weight, b)
    return y

  # RMSNorm over the last dimension, of size d. weight [d] holds w * sqrt(d) and floor [1] holds sqrt(d * eps), both in
  # float32, so that x * w / sqrt(mean(x^2) + eps) is x * weight / hypot(|x|, floor): fewer passes, all in place.
  def norm(self: __torch__.Kernels, x: Tensor, weight: Tensor, floor: Tensor) -> Tensor:
    f = torch.to(x, 6, False, True)
    length = torch.hypot(torch.linalg_vector_norm(f, 2, [-1], True), floor)
    return torch.to(torch.mul_(torch.div_(f, length), weight), ops.prim.dtype(x))

  # Rows of a table that begins with id `first`: ids [N] -> [N, D], zero for ids that are not in it.
  def embed(self: __torch__.Kernels, table: Tensor, ids: Tensor, first: int) -> Tensor:
    last = torch.sub(torch.size(table, 0), 1)
    local = torch.sub(ids, first)
    x = torch.index_select(table, 0, torch.clamp(local, 0, last))
    outside = torch.logical_or(torch.lt(local, 0), torch.gt(local, last))
    return torch.masked_fill(x, torch.unsqueeze(outside, 1), 0.)

  # positions [N], frequencies [E/2] -> unit complex numbers [N, 1, E/2]
  def rotation(self: __torch__.Kernels, positions: Tensor, frequencies: Tensor) -> Tensor:
    angle = torch.unsqueeze(torch.mul(torch.unsqueeze(torch.to(positions, 6), 1), frequencies), 1)
    return torch.polar(torch.ones_like(angle), angle)

  # x [N, heads, E], whose pairs of dimensions lie side by side, turned by rotation -> [N, heads, E]
  def rotate(self: __torch__.Kernels, x: Tensor, rotation: Tensor) -> Tensor:
    n = torch.size(x, 0)
    heads = torch.size(x, 1)
    pairs = torch.view_as_complex(torch.view(torch.to(x, 6), [n, heads, -1, 2]))
    y = torch.view_as_real(torch.mul(pairs, rotation))
    return torch.to(torch.view(y, [n, heads, -1]), ops.prim.dtype(x))

  # The additive mask [t, s] of the last t of s positions, each of which sees itself and those before it; where window is
  # not 0, only the last `window` of them.
  def causal_mask(self: __torch__.Kernels, t: int, s: int, window: int, dtype: int) -> Tensor:
    offset = torch.sub(s, t)
    mask = torch.triu(torch.full([t, s], -inf, dtype=dtype), torch.add(offset, 1))
    if torch.gt(window, 0):
      mask = torch.add_(mask, torch.tril(torch.full([t, s], -inf, dtype=dtype), torch.sub(offset, window)))
    return mask

  # Overwrites runs of the pools with zeros. runs: pairs of a first row and a count.
  def clear(self: __torch__.Kernels, cache: List[Tensor], runs: List[int]) -> None:
    for i in range(len(cache)):
      for r in range(torch.floordiv(len(runs), 2)):
        first = runs[torch.mul(r, 2)]
        count = runs[torch.add(torch.mul(r, 2), 1)]
        _0 = torch.zero_(torch.narrow(cache[i], 1, first, count))

  # The additive mask [g, 1, 1, s] of g sequences that see the first lengths [g] of s keys.
  def length_mask(self: __torch__.Kernels, lengths: List[int], s: int, dtype: int) -> Tensor:
    seen = torch.view(torch.tensor(lengths, dtype=4), [-1, 1, 1, 1])
    beyond = torch.ge(torch.arange(s, dtype=4), seen)
    return torch.masked_fill(torch.zeros([len(lengths), 1, 1, s], dtype=dtype), beyond, -inf)

  # Attention of each sequence over its own keys and values.
  # q [N, H, E]; keys, values: [K, pool, E]. spans: six numbers each:
  #   the first row; t, rows of one sequence; the first row of the pool, or -1 if its rows are scattered; s, keys;
  #   g, sequences of one new token that lie in the pool at equal distances; that distance.
  # gathers: per span the rows of the pool [s] where they are scattered; masks: per span the additive mask, or empty where
  # one sequence is plainly causal or all g see s keys. Of the spans, those from `first` to
  # before `last` are meant: layers that see a window only have spans of their own -> [N, H*E]
  # The loop is kept lean, and sequences that lie alike are taken at once: at batch 16 it would else call more operators
  # than all the rest of a layer.
  def attend(self: __torch__.Kernels, q: Tensor, keys: Tensor, values: Tensor, first: int, last: int, spans: List[int], gathers: List[Tensor], masks: List[Tensor]) -> Tensor:
    n = torch.size(q, 0)
    groups = torch.size(keys, 0)
    size = torch.size(q, 2)
    head = torch.mul(torch.size(keys, 1), size)
    grouped = torch.view(q, [n, groups, -1, size])
    outputs = annotate(List[Tensor], [])
    rows = 0
    for b in range(first, last, 1):
      at = torch.mul(b, 6)
      t = spans[torch.add(at, 1)]
      start = spans[torch.add(at, 2)]
      g = spans[torch.add(at, 4)]
      if torch.ge(start, 0):
        shape = [g, groups, spans[torch.add(at, 3)], size]
        strides = [torch.mul(spans[torch.add(at, 5)], size), head, size, 1]
        kb = torch.as_strided(keys, shape, strides, torch.mul(start, size))
        vb = torch.as_strided(values, shape, strides, torch.mul(start, size))
      else:
        kb = torch.unsqueeze(torch.index_select(keys, 1, gathers[b]), 0)
        vb = torch.unsqueeze(torch.index_select(values, 1, gathers[b]), 0)
      qb = torch.narrow(grouped, 0, rows, torch.mul(g, t))
      if torch.gt(t, 1):
        out = (self).attend_chunk(qb, kb, vb, masks[b], )
      else:
        # One new token each: the query heads that share a key/value head become that head's rows.
        mask = annotate(Optional[Tensor], None)
        if torch.gt(g, 1):
          if torch.gt(torch.numel(masks[b]), 0):
            mask = masks[b]
        out = torch.scaled_dot_product_attention(qb, kb, vb, mask)
      rows = torch.add(rows, torch.mul(g, t))
      _0 = torch.append(outputs, out)
    if torch.lt(rows, n):
      # Rows that only fill the step up attend to nothing.
      spare = torch.zeros_like(torch.narrow(grouped, 0, rows, torch.sub(n, rows)))
      _1 = torch.append(outputs, spare)
    if torch.eq(len(outputs), 1):
      y = outputs[0]
    else:
      y = torch.cat(outputs, 0)
    return torch.reshape(y, [n, -1])

  # Several new tokens of a sequence: q [t, K, H/K, E], keys and values [1, K, s, E] -> [t, K, H/K, E]. The query heads that
  # share a key/value head see it through a stride of 0, uncopied.
  def attend_chunk(self: __torch__.Kernels, q: Tensor, keys: Tensor, values: Tensor, given: Tensor) -> Tensor:
    mask = annotate(Optional[Tensor], None)
    causal = True
    if torch.gt(torch.numel(given), 0):
      mask = given
      causal = False
    shared = torch.size(q, 2)
    k = torch.expand(torch.transpose(keys, 0, 1), [-1, shared, -1, -1])
    v = torch.expand(torch.transpose(values, 0, 1), [-1, shared, -1, -1])
    y = torch.scaled_dot_product_attention(torch.permute(q, [1, 2, 0, 3]), k, v, mask, 0., causal)
    return torch.permute(y, [2, 0, 1, 3])

  # Steering of h [N, D] at one hook point of a layer by the operations from `first` to before `last`, in float32, in their
  # order, rounded once at the end.
  # edits: per operation which (0 ADD, 1 ADD_NORM_MATCHED, 2 ABLATE, 3 PROJECT_TO) and whether the norm is preserved; rows: per
  # operation the rows it changes, or none where it changes every row; vectors: per operation v and v/|v|
  def steer(self: __torch__.Kernels, h: Tensor, first: int, last: int, edits: List[int], multipliers: List[float], rows: List[Tensor], vectors: List[Tensor]) -> Tensor:
    f = torch.to(h, 6, False, True)
    for i in range(first, last, 1):
      operation = edits[torch.mul(i, 2)]
      keep = torch.eq(edits[torch.add(torch.mul(i, 2), 1)], 1)
      if torch.eq(torch.numel(rows[i]), 0):
        f = (self).edit(f, operation, keep, multipliers[i], vectors[i], )
      else:
        x = torch.index_select(f, 0, rows[i])
        f = torch.index_copy_(f, 0, rows[i], (self).edit(x, operation, keep, multipliers[i], vectors[i], ))
    return torch.to(f, ops.prim.dtype(h))

  # One operation on rows x [n, D], in float32. vector is [2, D], or [2, n, D] of n additions, multiplied before: so m·v is
  # rounded by itself here, too.
  def edit(self: __torch__.Kernels, x: Tensor, operation: int, keep: bool, m: float, vector: Tensor) -> Tensor:
    unit = torch.select(vector, 0, 1)
    if torch.eq(operation, 0):
      v = torch.select(vector, 0, 0)
      if torch.ne(m, 1.):
        v = torch.mul(v, m)
      y = torch.add(x, v)
    elif torch.eq(operation, 1):
      y = torch.add(x, torch.mul(torch.linalg_vector_norm(x, 2, [-1], True), unit), alpha=m)
    elif torch.eq(operation, 2):
      y = torch.sub(x, torch.mul(torch.sum(torch.mul(x, unit), [-1], True), unit), alpha=m)
    else:
      y = torch.add(x, torch.mul(torch.rsub(torch.sum(torch.mul(x, unit), [-1], True), m), unit))
    if keep:
      before = torch.linalg_vector_norm(x, 2, [-1], True)
      after = torch.linalg_vector_norm(y, 2, [-1], True)
      y = torch.where(torch.gt(after, 0), torch.mul(y, torch.div(before, after)), y)
    return y

  # A hook point: h [N, D] is steered, then this rank's columns of it are set aside.
  # columns: the first and the number of them; slots: per layer and hook point the index of its stage
  # [rows, columns], or -1; empty where the step captures nothing. starts: per layer and hook point its first operation, and
  # their number at the end; the rest is what steer() takes.
  def tap(self: __torch__.Kernels, h: Tensor, layer: int, point: int, columns: List[int], slots: List[int], stages: List[Tensor], starts: List[int], edits: List[int], multipliers: List[float], rows: List[Tensor], vectors: List[Tensor]) -> Tensor:
    x = h
    if torch.gt(len(edits), 0):
      place = torch.add(torch.mul(layer, 7), point)
      first = starts[place]
      last = starts[torch.add(place, 1)]
      if torch.lt(first, last):
        x = (self).steer(h, first, last, edits, multipliers, rows, vectors, )
    if torch.gt(len(slots), 0):
      slot = slots[torch.add(torch.mul(layer, 7), point)]
      if torch.ge(slot, 0):
        own = x
        if torch.lt(columns[1], torch.size(x, 1)):
          own = torch.narrow(x, 1, columns[0], columns[1])
        _0 = torch.copy_(torch.narrow(stages[slot], 0, 0, torch.size(h, 0)), own)
    return x

  # Whether a hook point of rows of d columns is set aside as it comes: not steered, and in all its columns.
  def keeps(self: __torch__.Kernels, place: int, d: int, columns: List[int], slots: List[int], starts: List[int], edits: List[int]) -> bool:
    whole = False
    if torch.gt(len(slots), 0):
      if torch.ge(slots[place], 0):
        whole = torch.eq(columns[1], d)
    if torch.gt(len(edits), 0):
      if torch.lt(starts[place], starts[torch.add(place, 1)]):
        whole = False
    return whole

  # What a block's output o [N, D] becomes: it is tapped, the residual x is added to it, and the sum is tapped. Where the sum
  # is set aside as it is, it is computed there and needs no copy; else it is computed in place.
  def join(self: __torch__.Kernels, x: Tensor, o: Tensor, layer: int, point: int, columns: List[int], slots: List[int], stages: List[Tensor], starts: List[int], edits: List[int], multipliers: List[float], rows: List[Tensor], vectors: List[Tensor]) -> Tensor:
    o = (self).tap(o, layer, point, columns, slots, stages, starts, edits, multipliers, rows, vectors, )
    sum = torch.add(point, 1)
    place = torch.add(torch.mul(layer, 7), sum)
    if (self).keeps(place, torch.size(o, 1), columns, slots, starts, edits, ):
      stage = torch.narrow(stages[slots[place]], 0, 0, torch.size(o, 0))
      y = torch.add(o, x, alpha=1, out=stage)
    else:
      y = (self).tap(torch.add_(o, x), layer, sum, columns, slots, stages, starts, edits, multipliers, rows, vectors, )
    return y

  # The first half of a block up to the output projection: x [N, D] -> x as steered, and attention's output [N, D], of
  # which a rank computes a summand.
  # w: 12 tensors a layer: 0 input norm, 1 query/key/value, 2 its bias, 3 query norm, 4 key norm, 5 output projection,
  # 6 its bias, 7 post-attention norm, 8 gate and up, 9 its bias, 10 down, 11 its bias; empty where a model has none.
  # floors: of norms over D and over E; cache: per layer the pools of keys and of values; pool_rows [N]: where new
  # ones go; copies: rows that are copied then, from and to, or empty; kinds: per layer which spans it takes; bounds: where the spans of each kind
  # begin, and where the last end
  def attention_half(self: __torch__.Kernels, x: Tensor, layer: int, w: List[Tensor], floors: List[Tensor], cache: List[Tensor], rotation: Tensor, pool_rows: Tensor, copies: List[Tensor], kinds: List[int], bounds: List[int], spans: List[int], gathers: List[Tensor], masks: List[Tensor], columns: List[int], slots: List[int], stages: List[Tensor], starts: List[int], edits: List[int], multipliers: List[float], rows: List[Tensor], vectors: List[Tensor]) -> Tuple[Tensor, Tensor]:
    at = torch.mul(layer, 12)
    x = (self).tap(x, layer, 0, columns, slots, stages, starts, edits, multipliers, rows, vectors, )
    a = (self).norm(x, w[at], floors[0], )
    a = (self).tap(a, layer, 1, columns, slots, stages, starts, edits, multipliers, rows, vectors, )
    keys = cache[torch.mul(layer, 2)]
    values = cache[torch.add(torch.mul(layer, 2), 1)]
    groups = torch.size(keys, 0)
    qkv = (self).linear(a, w[torch.add(at, 1)], w[torch.add(at, 2)], )
    qkv = torch.view(qkv, [torch.size(x, 0), -1, torch.size(keys, 2)])
    heads = torch.sub(torch.size(qkv, 1), torch.mul(2, groups))
    qk = torch.narrow(qkv, 1, 0, torch.add(heads, groups))
    query_norm = w[torch.add(at, 3)]
    if torch.gt(torch.numel(query_norm), 0):
      q = (self).norm(torch.narrow(qkv, 1, 0, heads), query_norm, floors[1], )
      k = (self).norm(torch.narrow(qkv, 1, heads, groups), w[torch.add(at, 4)], floors[1], )
      qk = torch.cat([q, k], 1)
    qk = (self).rotate(qk, rotation, )
    new_keys = torch.transpose(torch.narrow(qk, 1, heads, groups), 0, 1)
    new_values = torch.transpose(torch.narrow(qkv, 1, torch.add(heads, groups), groups), 0, 1)
    _0 = torch.index_copy_(keys, 1, pool_rows, new_keys)
    _1 = torch.index_copy_(values, 1, pool_rows, new_values)
    if torch.gt(len(copies), 0):
      _2 = torch.index_copy_(keys, 1, copies[1], torch.index_select(keys, 1, copies[0]))
      _3 = torch.index_copy_(values, 1, copies[1], torch.index_select(values, 1, copies[0]))
    kind = kinds[layer]
    y = (self).attend(torch.narrow(qk, 1, 0, heads), keys, values, bounds[kind], bounds[torch.add(kind, 1)], spans, gathers, masks, )
    return (x, (self).linear(y, w[torch.add(at, 5)], w[torch.add(at, 6)], ))

  # The second half of a block: x [N, D] -> the MLP's output [N, D], of which a rank computes a summand.
  def mlp_half(self: __torch__.Kernels, x: Tensor, layer: int, w: List[Tensor], floors: List[Tensor], columns: List[int], slots: List[int], stages: List[Tensor], starts: List[int], edits: List[int], multipliers: List[float], rows: List[Tensor], vectors: List[Tensor]) -> Tensor:
    at = torch.mul(layer, 12)
    a = (self).norm(x, w[torch.add(at, 7)], floors[0], )
    a = (self).tap(a, layer, 4, columns, slots, stages, starts, edits, multipliers, rows, vectors, )
    gate_up = (self).linear(a, w[torch.add(at, 8)], w[torch.add(at, 9)], )
    f = torch.floordiv(torch.size(gate_up, 1), 2)
    y = torch.mul_(torch.silu(torch.narrow(gate_up, 1, 0, f)), torch.narrow(gate_up, 1, f, f))
    return (self).linear(y, w[torch.add(at, 10)], w[torch.add(at, 11)], )

  # All blocks, of a model that one rank holds: x [N, D] -> [N, D]
  def blocks(self: __torch__.Kernels, x: Tensor, layers: int, w: List[Tensor], floors: List[Tensor], cache: List[Tensor], rotation: Tensor, pool_rows: Tensor, copies: List[Tensor], kinds: List[int], bounds: List[int], spans: List[int], gathers: List[Tensor], masks: List[Tensor], columns: List[int], slots: List[int], stages: List[Tensor], starts: List[int], edits: List[int], multipliers: List[float], rows: List[Tensor], vectors: List[Tensor]) -> Tensor:
    for layer in range(layers):
      x, o = (self).attention_half(x, layer, w, floors, cache, rotation, pool_rows, copies, kinds, bounds, spans, gathers, masks, columns, slots, stages, starts, edits, multipliers, rows, vectors, )
      x = (self).join(x, o, layer, 2, columns, slots, stages, starts, edits, multipliers, rows, vectors, )
      o = (self).mlp_half(x, layer, w, floors, columns, slots, stages, starts, edits, multipliers, rows, vectors, )
      x = (self).join(x, o, layer, 5, columns, slots, stages, starts, edits, multipliers, rows, vectors, )
    return x

  # Tensor parallelism: between the kernels below all ranks meet. Each leaves its summand in its own of the R `parts`
  # [rows, D] and afterwards adds all of them up, in the order of the ranks, so that every rank has the same sum.
  def leave(self: __torch__.Kernels, o: Tensor, parts: List[Tensor], rank: int) -> Tensor:
    return torch.copy_(torch.narrow(parts[rank], 0, 0, torch.size(o, 0)), o)

  # parts [R][rows, D] -> [n, D] on this rank's device, summed in float32. A part of another device is fetched; PyTorch
  # orders the copy after what that device was told before, and before what it is told later.
  def sum(self: __torch__.Kernels, parts: List[Tensor], rank: int, n: int) -> Tensor:
    device = ops.prim.device(parts[rank])
    dtype = ops.prim.dtype(parts[rank])
    first = torch.to(torch.narrow(parts[0], 0, 0, n), device, dtype)
    second = torch.to(torch.narrow(parts[1], 0, 0, n), device, dtype)
    if torch.eq(len(parts), 2):
      # The sum of two is rounded once, whatever their type.
      total = torch.add(first, second)
    else:
      total = torch.add(torch.to(first, 6), torch.to(second, 6))
      for r in range(2, len(parts), 1):
        total = torch.add(total, torch.to(torch.narrow(parts[r], 0, 0, n), device, 6))
      total = torch.to(total, dtype)
    return total

  # A rank's attention in one layer; before it, the sum of the layer before, or of the embeddings, is taken in.
  def rank_attention(self: __torch__.Kernels, x: Tensor, layer: int, before: List[Tensor], parts: List[Tensor], rank: int, w: List[Tensor], floors: List[Tensor], cache: List[Tensor], rotation: Tensor, pool_rows: Tensor, copies: List[Tensor], kinds: List[int], bounds: List[int], spans: List[int], gathers: List[Tensor], masks: List[Tensor], columns: List[int], slots: List[int], stages: List[Tensor], starts: List[int], edits: List[int], multipliers: List[float], rows: List[Tensor], vectors: List[Tensor]) -> Tensor:
    o = (self).sum(before, rank, torch.size(x, 0), )
    if torch.eq(layer, 0):
      x = o
    else:
      x = (self).join(x, o, torch.sub(layer, 1), 5, columns, slots, stages, starts, edits, multipliers, rows, vectors, )
    x, o = (self).attention_half(x, layer, w, floors, cache, rotation, pool_rows, copies, kinds, bounds, spans, gathers, masks, columns, slots, stages, starts, edits, multipliers, rows, vectors, )
    _0 = (self).leave(o, parts, rank, )
    return x

  # A rank's MLP in one layer, after the sum of all ranks' attention.
  def rank_mlp(self: __torch__.Kernels, x: Tensor, layer: int, before: List[Tensor], parts: List[Tensor], rank: int, w: List[Tensor], floors: List[Tensor], columns: List[int], slots: List[int], stages: List[Tensor], starts: List[int], edits: List[int], multipliers: List[float], rows: List[Tensor], vectors: List[Tensor]) -> Tensor:
    o = (self).sum(before, rank, torch.size(x, 0), )
    x = (self).join(x, o, layer, 2, columns, slots, stages, starts, edits, multipliers, rows, vectors, )
    o = (self).mlp_half(x, layer, w, floors, columns, slots, stages, starts, edits, multipliers, rows, vectors, )
    _0 = (self).leave(o, parts, rank, )
    return x

  # The residual after the last layer.
  def rank_finish(self: __torch__.Kernels, x: Tensor, layer: int, before: List[Tensor], rank: int, columns: List[int], slots: List[int], stages: List[Tensor], starts: List[int], edits: List[int], multipliers: List[float], rows: List[Tensor], vectors: List[Tensor]) -> Tensor:
    o = (self).sum(before, rank, torch.size(x, 0), )
    return (self).join(x, o, layer, 5, columns, slots, stages, starts, edits, multipliers, rows, vectors, )

  # Some rows x [N, D] through final norm and head. at [M]: which; weight [V', D] plain or packed; table: the same, plain
  # -> float32 logits [M, V'], of which the columns from v on only fill up to a multiple of 64, and what is kept of each
  # row [M, 3]: the lowest column of the greatest logit, that logit, and the logarithm of the sum of exponentials; columns
  # under 2^24 are exact.
  # A product in bfloat16 gives logits of 8 bits, in which the greatest ones tie. So the candidates, the greatest of them,
  # are computed again in float32 from their rows of the table.
  def head(self: __torch__.Kernels, x: Tensor, at: Tensor, norm: Tensor, floor: Tensor, weight: Tensor, table: Tensor, none: Tensor, v: int, candidates: int) -> Tuple[Tensor, Tensor]:
    h = (self).norm(torch.to(torch.index_select(x, 0, at), 6), norm, floor, )
    z = torch.to((self).linear(torch.to(h, ops.prim.dtype(x)), weight, none, ), 6)
    m = torch.size(z, 0)
    fill = torch.narrow(z, 1, v, torch.sub(torch.size(z, 1), v))
    _0 = torch.fill_(fill, -inf)
    if torch.ne(ops.prim.dtype(x), 6):
      ids = (self).greatest(z, candidates, )
      w = torch.to(torch.view(torch.index_select(table, 0, torch.view(ids, [-1])), [m, -1, torch.size(h, 1)]), 6)
      exact = torch.squeeze(torch.bmm(w, torch.unsqueeze(h, 2)), 2)
      z = torch.scatter_(z, 1, ids, torch.masked_fill(exact, torch.ge(ids, v), -inf))
    blocks = torch.view(z, [m, -1, 64])
    top, of = torch.max(torch.amax(blocks, [-1]), 1, True)
    inside = torch.gather(blocks, 1, torch.expand(torch.unsqueeze(of, -1), [-1, -1, 64]))
    _1, column = torch.max(torch.squeeze(inside, 1), 1, True)
    id = torch.add(torch.mul(of, 64), column)
    total = torch.sum(torch.exp_(torch.sub(z, top)), [1], True)
    return (z, torch.cat([torch.to(id, 6), top, torch.add(torch.log(total), top)], 1))

  # The columns [M, k] of the k greatest of each row of z [M, V'], V' a multiple of 64: a row's greatest elements lie in
  # the blocks with the greatest maxima.
  def greatest(self: __torch__.Kernels, z: Tensor, k: int) -> Tensor:
    m = torch.size(z, 0)
    blocks = torch.view(z, [m, -1, 64])
    maxima = torch.amax(blocks, [-1])
    _0, of = torch.topk(maxima, ops.prim.min(k, torch.size(maxima, 1)))
    inside = torch.gather(blocks, 1, torch.expand(torch.unsqueeze(of, -1), [-1, -1, 64]))
    _1, at = torch.topk(torch.view(inside, [m, -1]), k)
    block = torch.gather(of, 1, torch.floor_divide(at, 64))
    return torch.add(torch.mul(block, 64), torch.remainder(at, 64))
