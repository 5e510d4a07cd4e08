# The transformer's arithmetic, TorchScript source. Letters: N rows (flattened tokens), D hidden size,
# H query heads, K key/value heads, E head size, F MLP width, V vocabulary, t new tokens of a sequence,
# s its cached and new tokens.
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

  # RMSNorm over the last dimension; weight in float32.
  def norm(self: __torch__.Kernels, x: Tensor, weight: Tensor, eps: float) -> Tensor:
    f = torch.to(x, 6)
    scale = torch.rsqrt(torch.add(torch.mean(torch.mul(f, f), [-1], True), eps))
    return torch.to(torch.mul_(torch.mul(f, scale), weight), ops.prim.dtype(x))

  # ids [N] -> [N, D]
  def embed(self: __torch__.Kernels, table: Tensor, ids: Tensor) -> Tensor:
    return torch.index_select(table, 0, ids)

  # positions [N], frequencies [E/2] -> cos and sin [N, 1, E], in float32. The first half of sin is negated, so that
  # rotate() needs only to swap halves.
  def rotation(self: __torch__.Kernels, positions: Tensor, frequencies: Tensor) -> Tuple[Tensor, Tensor]:
    angle = torch.unsqueeze(torch.mul(torch.unsqueeze(torch.to(positions, 6), 1), frequencies), 1)
    c = torch.cos(angle)
    s = torch.sin(angle)
    return (torch.cat([c, c], -1), torch.cat([torch.neg(s), s], -1))

  # x [N, heads, E] by rotation [cos, sin] -> [N, heads, E]
  def rotate(self: __torch__.Kernels, x: Tensor, rotation: List[Tensor]) -> Tensor:
    half = torch.floordiv(torch.size(x, -1), 2)
    y = torch.addcmul(torch.mul(x, rotation[0]), torch.roll(x, [half], [-1]), rotation[1])
    return torch.to(y, ops.prim.dtype(x))

  # The additive mask [t, s] of a chunk that follows s - t cached tokens.
  def causal_mask(self: __torch__.Kernels, t: int, s: int, dtype: int) -> Tensor:
    return torch.triu(torch.full([t, s], -inf, dtype=dtype), torch.add(torch.sub(s, t), 1))

  # Attention of each sequence over its own keys and values.
  # q [N, H, E]; cache: keys and values [pool, K, E]; spans: per sequence its first row, t, its first row of the pool, s;
  # masks: per sequence the additive mask, or empty -> [N, H*E]
  def attend(self: __torch__.Kernels, q: Tensor, cache: List[Tensor], spans: List[int], masks: List[Tensor]) -> Tensor:
    n = torch.size(q, 0)
    heads = torch.size(q, 1)
    size = torch.size(q, 2)
    groups = torch.size(cache[0], 1)
    shared = torch.floordiv(heads, groups)
    # [1, K, pool, E]: a sequence's keys and values are a slice of it, never a copy.
    keys = torch.unsqueeze(torch.transpose(cache[0], 0, 1), 0)
    values = torch.unsqueeze(torch.transpose(cache[1], 0, 1), 0)
    grouped = torch.view(q, [n, groups, shared, size])
    outputs = annotate(List[Tensor], [])
    for b in range(len(masks)):
      at = torch.mul(b, 4)
      row = spans[at]
      t = spans[torch.add(at, 1)]
      start = spans[torch.add(at, 2)]
      s = spans[torch.add(at, 3)]
      kb = torch.narrow(keys, 2, start, s)
      vb = torch.narrow(values, 2, start, s)
      if torch.eq(t, 1):
        # One new token: the query heads that share a key/value head become that head's rows.
        out = torch.scaled_dot_product_attention(torch.narrow(grouped, 0, row, 1), kb, vb)
      else:
        mask = annotate(Optional[Tensor], None)
        causal = True
        if torch.gt(torch.numel(masks[b]), 0):
          mask = masks[b]
          causal = False
        qb = torch.unsqueeze(torch.transpose(torch.narrow(q, 0, row, t), 0, 1), 0)
        ob = torch.scaled_dot_product_attention(qb, kb, vb, mask, 0., causal, scale=None, enable_gqa=True)
        out = torch.reshape(torch.transpose(torch.squeeze(ob, 0), 0, 1), [t, groups, shared, size])
      _0 = torch.append(outputs, out)
    if torch.eq(len(outputs), 1):
      y = outputs[0]
    else:
      y = torch.cat(outputs, 0)
    return torch.reshape(y, [n, torch.mul(heads, size)])

  # Steering of h [N, D] at one hook point, in float32, operations in their order, rounded once at the end.
  # edits: per operation the hook point, the operation (0 ADD, 1 ADD_NORM_MATCHED, 2 ABLATE, 3 PROJECT_TO) and whether
  # the norm is preserved; rows: per operation the rows it changes; vectors: per operation v and v/|v|, [2, D]
  def steer(self: __torch__.Kernels, h: Tensor, point: int, edits: List[int], multipliers: List[float], rows: List[Tensor], vectors: List[Tensor]) -> Tensor:
    f = torch.to(h, 6, False, True)
    for i in range(len(rows)):
      at = torch.mul(i, 3)
      if torch.eq(edits[at], point):
        operation = edits[torch.add(at, 1)]
        m = multipliers[i]
        x = torch.index_select(f, 0, rows[i])
        unit = torch.select(vectors[i], 0, 1)
        if torch.eq(operation, 0):
          y = torch.add(x, torch.select(vectors[i], 0, 0), alpha=m)
        elif torch.eq(operation, 1):
          y = torch.add(x, torch.mul(torch.linalg_vector_norm(x, 2, [-1], True), unit), alpha=m)
        elif torch.eq(operation, 2):
          y = torch.sub(x, torch.mul(torch.sum(torch.mul(x, unit), [-1], True), unit), alpha=m)
        else:
          y = torch.add(x, torch.mul(torch.rsub(torch.sum(torch.mul(x, unit), [-1], True), m), unit))
        if torch.eq(edits[torch.add(at, 2)], 1):
          before = torch.linalg_vector_norm(x, 2, [-1], True)
          after = torch.linalg_vector_norm(y, 2, [-1], True)
          y = torch.where(torch.gt(after, 0), torch.mul(y, torch.div(before, after)), y)
        f = torch.index_copy_(f, 0, rows[i], y)
    return torch.to(f, ops.prim.dtype(h))

  # A hook point: h [N, D] is steered, then set aside. slots: per hook point the index of its stage [rows, D], or -1; empty
  # where nothing is captured in this layer.
  def tap(self: __torch__.Kernels, h: Tensor, point: int, slots: List[int], stages: List[Tensor], edits: List[int], multipliers: List[float], rows: List[Tensor], vectors: List[Tensor]) -> Tensor:
    x = h
    if torch.gt(len(edits), 0):
      x = (self).steer(h, point, edits, multipliers, rows, vectors, )
    if torch.gt(len(slots), 0):
      slot = slots[point]
      if torch.ge(slot, 0):
        _0 = torch.copy_(torch.narrow(stages[slot], 0, 0, torch.size(h, 0)), x)
    return x

  # One block. x [N, D] -> [N, D]
  # w: 0 input norm, 1 query/key/value, 2 its bias, 3 query norm, 4 key norm, 5 output projection, 6 its bias,
  #    7 post-attention norm, 8 gate and up, 9 its bias, 10 down, 11 its bias; empty where a model has none
  # rotation: cos and sin; pool_rows [N]: where the new keys and values go
  def block(self: __torch__.Kernels, x: Tensor, w: List[Tensor], cache: List[Tensor], eps: float, rotation: List[Tensor], pool_rows: Tensor, spans: List[int], masks: List[Tensor], slots: List[int], stages: List[Tensor], edits: List[int], multipliers: List[float], rows: List[Tensor], vectors: List[Tensor]) -> Tensor:
    tapped = torch.gt(torch.add(len(slots), len(edits)), 0)
    if tapped:
      x = (self).tap(x, 0, slots, stages, edits, multipliers, rows, vectors, )
    a = (self).norm(x, w[0], eps, )
    if tapped:
      a = (self).tap(a, 1, slots, stages, edits, multipliers, rows, vectors, )
    o = (self).attention(a, w, cache, eps, rotation, pool_rows, spans, masks, )
    if tapped:
      o = (self).tap(o, 2, slots, stages, edits, multipliers, rows, vectors, )
    x = torch.add(x, o)
    if tapped:
      x = (self).tap(x, 3, slots, stages, edits, multipliers, rows, vectors, )
    a = (self).norm(x, w[7], eps, )
    if tapped:
      a = (self).tap(a, 4, slots, stages, edits, multipliers, rows, vectors, )
    o = (self).mlp(a, w, )
    if tapped:
      o = (self).tap(o, 5, slots, stages, edits, multipliers, rows, vectors, )
    x = torch.add(x, o)
    if tapped:
      x = (self).tap(x, 6, slots, stages, edits, multipliers, rows, vectors, )
    return x

  # x [N, D], normed -> [N, D]
  def attention(self: __torch__.Kernels, x: Tensor, w: List[Tensor], cache: List[Tensor], eps: float, rotation: List[Tensor], pool_rows: Tensor, spans: List[int], masks: List[Tensor]) -> Tensor:
    n = torch.size(x, 0)
    groups = torch.size(cache[0], 1)
    size = torch.size(cache[0], 2)
    qkv = torch.view((self).linear(x, w[1], w[2], ), [n, -1, size])
    heads = torch.sub(torch.size(qkv, 1), torch.mul(2, groups))
    if torch.gt(torch.numel(w[3]), 0):
      qn = (self).norm(torch.narrow(qkv, 1, 0, heads), w[3], eps, )
      kn = (self).norm(torch.narrow(qkv, 1, heads, groups), w[4], eps, )
      qk = torch.cat([qn, kn], 1)
    else:
      qk = torch.narrow(qkv, 1, 0, torch.add(heads, groups))
    qk = (self).rotate(qk, rotation, )
    _0 = torch.index_copy_(cache[0], 0, pool_rows, torch.narrow(qk, 1, heads, groups))
    _1 = torch.index_copy_(cache[1], 0, pool_rows, torch.narrow(qkv, 1, torch.add(heads, groups), groups))
    y = (self).attend(torch.narrow(qk, 1, 0, heads), cache, spans, masks, )
    return (self).linear(y, w[5], w[6], )

  # x [N, D], normed -> [N, D]
  def mlp(self: __torch__.Kernels, x: Tensor, w: List[Tensor]) -> Tensor:
    gate_up = (self).linear(x, w[8], w[9], )
    f = torch.floordiv(torch.size(gate_up, 1), 2)
    y = torch.mul_(torch.silu(torch.narrow(gate_up, 1, 0, f)), torch.narrow(gate_up, 1, f, f))
    return (self).linear(y, w[10], w[11], )

  # Logits of some rows: x [N, D], rows [M], norm [D], weight [V, D] plain or packed, table: the same, plain -> float32 [M, V].
  # A product in bfloat16 gives logits of 8 bits, in which the greatest ones tie. So the candidates, the greatest of them,
  # are computed again in float32 from their rows of the table.
  def head(self: __torch__.Kernels, x: Tensor, rows: Tensor, norm: Tensor, eps: float, weight: Tensor, table: Tensor, none: Tensor, candidates: int) -> Tensor:
    h = (self).norm(torch.to(torch.index_select(x, 0, rows), 6), norm, eps, )
    z = torch.to((self).linear(torch.to(h, ops.prim.dtype(x)), weight, none, ), 6)
    if torch.ne(ops.prim.dtype(x), 6):
      m = torch.size(z, 0)
      greatest, ids = torch.topk(z, candidates)
      w = torch.to(torch.view(torch.index_select(table, 0, torch.view(ids, [-1])), [m, candidates, -1]), 6)
      exact = torch.squeeze(torch.bmm(w, torch.unsqueeze(h, 2)), 2)
      z = torch.scatter_(z, 1, ids, exact)
    return z
