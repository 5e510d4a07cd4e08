# The lens, TorchScript source. Letters: n rows, D hidden size, c a block of the vocabulary, T targets a row, M final rows
# (the model's own), C candidates a row. dtypes are integers: 6 is float32, 7 float64, 15 bfloat16.
#
# Logits of a block are [c, n], one line for each token: rows are the fewer and stay, the head passes by, so that it is
# the rows that are brought into the layout that the product wants, once for all blocks. Elementwise work goes over slices of
# `slice` tokens, whose float32 values and terms stay in a core's cache: from there they are read several times as fast as
# from the block, and float32 takes less work than bfloat16, which the processor has to convert for every operator.
class Kernels(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  # Room for ids.
  def ids(self: __torch__.Kernels, n: int, width: int) -> Tensor:
    return torch.empty([n, width], dtype=4)

  # x of any type -> a copy in another
  def convert(self: __torch__.Kernels, x: Tensor, dtype: int) -> Tensor:
    return torch.to(x, dtype, False, True)

  # RMSNorm of rows h [n, D] of any type, computed in `dtype` -> [n, D] of that
  def norm(self: __torch__.Kernels, h: Tensor, weight: Tensor, eps: float, dtype: int) -> Tensor:
    f = torch.to(h, dtype)
    return torch.mul_(torch.mul(f, (self).scale(f, eps, )), weight)

  # The same with the scale of other rows: finals [M, D], of [1, n] says which belongs to which row.
  def frozen_norm(self: __torch__.Kernels, h: Tensor, finals: Tensor, of: Tensor, weight: Tensor, eps: float, dtype: int) -> Tensor:
    scale = torch.index_select((self).scale(torch.to(finals, dtype), eps, ), 0, torch.view(of, [-1]))
    return torch.mul_(torch.mul(torch.to(h, dtype), scale), weight)

  def scale(self: __torch__.Kernels, f: Tensor, eps: float) -> Tensor:
    length = torch.linalg_vector_norm(f, 2, [-1], True)
    return torch.rsqrt(torch.add(torch.div(torch.mul(length, length), torch.size(f, 1)), eps))

  # Translates the rows `at` [1, m] of h [n, D], float32, in place: h + W h + b, or J h where there is no bias [0].
  def translate(self: __torch__.Kernels, h: Tensor, at: Tensor, weight: Tensor, bias: Tensor) -> None:
    which = torch.view(at, [-1])
    rows = torch.index_select(h, 0, which)
    y = torch.mm(rows, torch.t(torch.to(weight, 6)))
    if torch.gt(torch.numel(bias), 0):
      y = torch.add_(torch.add_(y, rows), bias)
    _0 = torch.index_copy_(h, 0, which, y)

  # A block of the head [c, D] in the type of scratch: itself, or converted into scratch [c', D], c' at least c.
  def weights(self: __torch__.Kernels, head: Tensor, scratch: Tensor) -> Tensor:
    w = head
    if torch.ne(ops.prim.dtype(head), ops.prim.dtype(scratch)):
      w = torch.copy_(torch.narrow(scratch, 0, 0, torch.size(head, 0)), head)
    return w

  # The beginning of flat scratch as a matrix.
  def room(self: __torch__.Kernels, scratch: Tensor, n: int, c: int) -> Tensor:
    return torch.view(torch.narrow(scratch, 0, 0, torch.mul(n, c)), [n, c])

  # Rows [n, D] in the layout that oneDNN wants for the right factor of a product. Usable by product() alone.
  def pack(self: __torch__.Kernels, x: Tensor, c: int) -> Tensor:
    return ops.mkldnn._reorder_linear_weight(x, c)

  # Logits [c, n] of w [c, D] by x [n, D], plain, into flat scratch, or packed, into memory of their own.
  def product(self: __torch__.Kernels, x: Tensor, w: Tensor, n: int, logits: Tensor) -> Tensor:
    if ops.prim.is_mkldnn(x):
      z = ops.mkldnn._linear_pointwise(w, x, None, "none", annotate(List[Optional[number]], []), "")
    else:
      z = torch.mm(w, torch.t(x), out=(self).room(logits, torch.size(w, 0), n, ))
    return z

  # One block of the logits of x [n, D] and w [c, D], of one type; flat scratch: logits of that type [c * n], values and
  # terms float32 [slice * n].
  # -> the logits z [c, n]; into maxima (flat) [c/group, n] those of each `group` tokens in turn; into sums (flat) [2, n] the
  # sum of exp(z) and, if weighted, of exp(z) * z: without a reference to subtract, which saves a pass. Where that leaves
  # float32, the caller takes shifted_sums instead.
  # targets [T, n], ids that may lie outside the block, whose first id is `first`, have the logits t [T, n]; how many other
  # tokens are strictly greater goes into counts [T, n].
  def block(self: __torch__.Kernels, x: Tensor, w: Tensor, n: int, logits: Tensor, values: Tensor, terms: Tensor, slice: int, group: int, weighted: bool, maxima: Tensor, sums: Tensor, first: int, targets: Tensor, t: Tensor, counts: Tensor) -> Tensor:
    z = (self).product(x, w, n, logits, )
    c = torch.size(z, 0)
    most = (self).room(maxima, torch.floordiv(c, group), n, )
    both = torch.zero_((self).room(sums, 2, n, ))
    _0 = torch.zero_(counts)
    narrow = torch.ne(ops.prim.dtype(z), 6)
    counted = torch.gt(torch.size(t, 0), 0)
    at = 0
    for i in range(torch.floordiv(torch.sub(torch.add(c, slice), 1), slice)):
      m = ops.prim.min(slice, torch.sub(c, at))
      f = torch.narrow(z, 0, at, m)
      local = torch.sub(targets, torch.add(first, at))
      if narrow:
        f = torch.copy_((self).room(values, m, n, ), f)
      elif counted:
        _1 = (self).place(f, local, t, )
      groups = torch.floordiv(m, group)
      _2 = torch.amax(torch.view(f, [groups, group, n]), [1], False, out=torch.narrow(most, 0, torch.floordiv(at, group), groups))
      _3 = (self).sums(f, weighted, terms, both, )
      if counted:
        if narrow:
          _4 = (self).place(f, local, t, )
        _5 = (self).count(f, terms, t, counts, )
      at = torch.add(at, m)
    return z

  # Adds to sums [2, n].
  def sums(self: __torch__.Kernels, z: Tensor, weighted: bool, terms: Tensor, sums: Tensor) -> None:
    e = torch.exp(z, out=(self).room(terms, torch.size(z, 0), torch.size(z, 1), ))
    _0 = torch.add_(torch.select(sums, 0, 0), torch.sum(e, [0]))
    if weighted:
      _1 = torch.add_(torch.select(sums, 0, 1), torch.sum(torch.mul_(e, z), [0]))

  # The sums of a block's logits z [c, n] less each row's maximum -> [n] those maxima; sums as above.
  def shifted_sums(self: __torch__.Kernels, z: Tensor, terms: Tensor, slice: int, weighted: bool, sums: Tensor) -> Tensor:
    c = torch.size(z, 0)
    top = torch.to(torch.amax(z, [0]), 6)
    both = torch.zero_((self).room(sums, 2, torch.size(z, 1), ))
    at = 0
    for i in range(torch.floordiv(torch.sub(torch.add(c, slice), 1), slice)):
      m = ops.prim.min(slice, torch.sub(c, at))
      d = torch.sub(torch.to(torch.narrow(z, 0, at, m), 6), top)
      _0 = (self).sums(d, weighted, terms, both, )
      at = torch.add(at, m)
    return top

  # Sets a target's own logit to the one that is given, so that it is not counted for its rounding. Float32 logits are
  # changed before they are summed, so that sums and logits agree; of bfloat16 ones only the values are, afterwards.
  def place(self: __torch__.Kernels, z: Tensor, targets: Tensor, t: Tensor) -> None:
    for j in range(torch.size(t, 0)):
      line = torch.narrow(targets, 0, j, 1)
      at = torch.clamp(line, 0, torch.sub(torch.size(z, 0), 1))
      own = torch.where(torch.eq(at, line), torch.narrow(t, 0, j, 1), torch.gather(z, 0, at))
      _0 = torch.scatter_(z, 0, at, own)

  def count(self: __torch__.Kernels, z: Tensor, terms: Tensor, t: Tensor, counts: Tensor) -> None:
    for j in range(torch.size(t, 0)):
      room = (self).room(terms, torch.size(z, 0), torch.size(z, 1), )
      greater = torch.gt(z, torch.narrow(t, 0, j, 1), out=room)
      _0 = torch.add_(torch.select(counts, 0, j), torch.sum(greater, [0]))

  # The k greatest of each row of a block's logits [c, n], and which tokens: [n, k]; among equal ones at the border the
  # lower. topk alone leaves it open which it takes, so one more is asked for, and rows where that one is equal to the last
  # are sorted. For devices whose memory the host cannot read.
  def top(self: __torch__.Kernels, logits: Tensor, k: int) -> Tuple[Tensor, Tensor]:
    z = torch.contiguous(torch.t(logits))
    c = torch.size(z, 1)
    if torch.ge(k, c):
      values, columns = torch.topk(z, c)
    else:
      more, at = torch.topk(z, torch.add(k, 1))
      values = torch.narrow(more, 1, 0, k)
      columns = torch.narrow(at, 1, 0, k)
      tied = torch.nonzero(torch.eq(torch.select(more, 1, torch.sub(k, 1)), torch.select(more, 1, k)))
      if torch.gt(torch.numel(tied), 0):
        rows = torch.view(tied, [-1])
        sorted, order = torch.sort(torch.index_select(z, 0, rows), stable=True, dim=-1, descending=True)
        columns = torch.index_copy(columns, 0, rows, torch.narrow(order, 1, 0, k))
    return (torch.to(torch.contiguous(values), 6), torch.contiguous(columns))

  # Logits of single tokens, computed in the type of x, whatever the head's: x [n, D], head [v, D], ids [n, C] -> float32
  # [n, C]
  def single(self: __torch__.Kernels, x: Tensor, head: Tensor, ids: Tensor, slice: int) -> Tensor:
    n = torch.size(x, 0)
    d = torch.size(x, 1)
    y = torch.empty_like(ids, dtype=6)
    row = 0
    for i in range(torch.floordiv(torch.sub(torch.add(n, slice), 1), slice)):
      m = ops.prim.min(slice, torch.sub(n, row))
      which = torch.reshape(torch.narrow(ids, 0, row, m), [-1])
      w = torch.to(torch.view(torch.index_select(head, 0, which), [m, -1, d]), ops.prim.dtype(x))
      z = torch.bmm(torch.unsqueeze(torch.narrow(x, 0, row, m), 1), torch.transpose(w, 1, 2))
      _0 = torch.copy_(torch.narrow(y, 0, row, m), torch.squeeze(z, 1))
      row = torch.add(row, m)
    return y

  # Running over the blocks of the head, what the model itself says at its final rows x [M, D], float32:
  # state [M, 2]: the greatest logit so far, and the sum of exponentials; mean [M, D]: the sum of exponentials times the
  # head's rows. As sum p (z_p - z_q) = (x_p - x_q) . sum p w, no logit of the lens is needed for its KL.
  def model_block(self: __torch__.Kernels, x: Tensor, w: Tensor, state: Tensor, mean: Tensor) -> None:
    z = torch.mm(x, torch.t(w))
    before = torch.narrow(state, 1, 0, 1)
    total = torch.narrow(state, 1, 1, 1)
    top = torch.maximum(before, torch.amax(z, [-1], True))
    scale = torch.exp(torch.sub(before, top))
    e = torch.exp_(torch.sub_(z, top))
    _0 = torch.add_(torch.mul_(total, scale), torch.sum(e, [-1], True))
    _1 = torch.addmm_(torch.mul_(mean, scale), e, w)
    _2 = torch.copy_(before, top)

  # Adds to sums [n, 1] a block's share of sum (p + q) ln (p + q): q of the lens at x [n, D], p of the model at its final
  # rows finals [M, D], of which `of` [1, n] belongs to each row; lse [n, 1] and final_lse [M, 1] of both.
  def mixture_block(self: __torch__.Kernels, x: Tensor, w: Tensor, lse: Tensor, finals: Tensor, final_lse: Tensor, of: Tensor, logits: Tensor, slice: int, sums: Tensor) -> None:
    n = torch.size(x, 0)
    z = (self).room(logits, n, torch.size(w, 0), )
    z = torch.mm(x, torch.t(w), out=z)
    p = torch.exp_(torch.sub_(torch.mm(finals, torch.t(w)), final_lse))
    at = 0
    for i in range(torch.floordiv(torch.sub(torch.add(n, slice), 1), slice)):
      m = ops.prim.min(slice, torch.sub(n, at))
      q = torch.exp_(torch.sub_(torch.narrow(z, 0, at, m), torch.narrow(lse, 0, at, m)))
      both = torch.add_(q, torch.index_select(p, 0, torch.select(torch.narrow(of, 1, at, m), 0, 0)))
      terms = torch.mul_(torch.log(torch.clamp_min(both, 9.9999999999999994e-38)), both)
      _0 = torch.add_(torch.narrow(sums, 0, at, m), torch.sum(terms, [-1], True))
      at = torch.add(at, m)
