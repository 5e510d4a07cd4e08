# The lens, TorchScript source. Letters: n rows, D hidden size, c columns (a block of the vocabulary), T targets a row,
# M final rows (the model's own), C candidates a row. dtypes are integers: 6 is float32, 15 bfloat16.
#
# Elementwise work goes over slices of `slice` rows, whose float32 values and terms stay in a core's cache: from there they
# are read several times as fast as from the block, and vectors of float32 take less work than those of bfloat16, which
# the processor cannot compute with.
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

  # RMSNorm of rows h [n, D] of any type -> float32 [n, D]
  def norm(self: __torch__.Kernels, h: Tensor, weight: Tensor, eps: float) -> Tensor:
    f = torch.to(h, 6)
    return torch.mul_(torch.mul(f, (self).scale(f, eps, )), weight)

  # The same with the scale of other rows: finals [M, D], of [1, n] says which belongs to which row.
  def frozen_norm(self: __torch__.Kernels, h: Tensor, finals: Tensor, of: Tensor, weight: Tensor, eps: float) -> Tensor:
    scale = torch.index_select((self).scale(torch.to(finals, 6), eps, ), 0, torch.view(of, [-1]))
    return torch.mul_(torch.mul(torch.to(h, 6), scale), weight)

  def scale(self: __torch__.Kernels, f: Tensor, eps: float) -> Tensor:
    return torch.rsqrt(torch.add(torch.mean(torch.mul(f, f), [-1], True), eps))

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

  # One block of the logits: x [n, D] and w [c, D] of one type; flat scratch: logits of that type [n * c], values
  # and terms float32 [slice * c].
  # -> the logits [n, c]; into maxima (flat) [n, c/group] those of the groups of columns that lie c/group apart; into sums
  # [n, 3] a reference m, sum of exp(z - m), and, if weighted, sum of exp(z - m) * (z - m). m is 0 where no exponential
  # can overflow, which saves a pass, else the row's maximum.
  # targets [n, T], ids that may lie outside the block, whose first id is `first`, have the logits t [n, T]; how many other
  # columns are strictly greater goes into counts [n, T].
  def block(self: __torch__.Kernels, x: Tensor, w: Tensor, logits: Tensor, values: Tensor, terms: Tensor, slice: int, group: int, weighted: bool, maxima: Tensor, sums: Tensor, first: int, targets: Tensor, t: Tensor, counts: Tensor) -> Tensor:
    n = torch.size(x, 0)
    c = torch.size(w, 0)
    z = (self).room(logits, n, c, )
    z = torch.mm(x, torch.t(w), out=z)
    most = (self).room(maxima, n, torch.floordiv(c, group), )
    at = 0
    for i in range(torch.floordiv(torch.sub(torch.add(n, slice), 1), slice)):
      m = ops.prim.min(slice, torch.sub(n, at))
      f = torch.narrow(z, 0, at, m)
      if torch.ne(ops.prim.dtype(z), 6):
        f = torch.copy_((self).room(values, m, c, ), f)
      _0 = (self).reduce(f, group, weighted, terms, torch.narrow(most, 0, at, m), torch.narrow(sums, 0, at, m), )
      if torch.gt(torch.size(t, 1), 0):
        _1 = (self).count(f, terms, torch.sub(torch.narrow(targets, 0, at, m), first), torch.narrow(t, 0, at, m), torch.narrow(counts, 0, at, m), )
      at = torch.add(at, m)
    return z

  def reduce(self: __torch__.Kernels, z: Tensor, group: int, weighted: bool, terms: Tensor, maxima: Tensor, sums: Tensor) -> None:
    m = torch.size(z, 0)
    c = torch.size(z, 1)
    _0 = torch.amax(torch.view(z, [m, group, -1]), [1], False, out=maxima)
    top = torch.amax(maxima, [-1], True)
    reference = torch.narrow(sums, 1, 0, 1)
    d = z
    if bool(torch.any(torch.gt(torch.abs(top), 60.))):
      d = torch.sub(z, top)
      _1 = torch.copy_(reference, top)
    else:
      _2 = torch.zero_(reference)
    e = torch.exp(d, out=(self).room(terms, m, c, ))
    _3 = torch.sum(e, [-1], True, dtype=None, out=torch.narrow(sums, 1, 1, 1))
    if weighted:
      _4 = torch.sum(torch.mul_(e, d), [-1], True, dtype=None, out=torch.narrow(sums, 1, 2, 1))

  # A target's own column is set to the logit that is given, so that it is not counted for its rounding.
  def count(self: __torch__.Kernels, z: Tensor, terms: Tensor, targets: Tensor, t: Tensor, counts: Tensor) -> None:
    m = torch.size(z, 0)
    c = torch.size(z, 1)
    for j in range(torch.size(t, 1)):
      column = torch.narrow(targets, 1, j, 1)
      at = torch.clamp(column, 0, torch.sub(c, 1))
      own = torch.where(torch.eq(at, column), torch.narrow(t, 1, j, 1), torch.gather(z, 1, at))
      _0 = torch.scatter_(z, 1, at, own)
    for j in range(torch.size(t, 1)):
      greater = torch.gt(z, torch.narrow(t, 1, j, 1), out=(self).room(terms, m, c, ))
      _1 = torch.sum(greater, [-1], True, dtype=None, out=torch.narrow(counts, 1, j, 1))

  # The k greatest of each row, and which: among equal ones at the border the lower columns. topk alone leaves it open
  # which it takes, so one more is asked for, and rows where that one is equal to the last are sorted. For devices whose
  # memory the host cannot read; there, all of it is one operator.
  def top(self: __torch__.Kernels, z: Tensor, k: int) -> Tuple[Tensor, Tensor]:
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

  # Logits of single tokens, in float32 whatever the head's type: x float32 [n, D], head [v, D], ids [n, C] -> [n, C]
  def single(self: __torch__.Kernels, x: Tensor, head: Tensor, ids: Tensor, slice: int) -> Tensor:
    n = torch.size(x, 0)
    d = torch.size(x, 1)
    y = torch.empty_like(ids, dtype=6)
    row = 0
    for i in range(torch.floordiv(torch.sub(torch.add(n, slice), 1), slice)):
      m = ops.prim.min(slice, torch.sub(n, row))
      which = torch.reshape(torch.narrow(ids, 0, row, m), [-1])
      w = torch.to(torch.view(torch.index_select(head, 0, which), [m, -1, d]), 6)
      z = torch.bmm(w, torch.unsqueeze(torch.narrow(x, 0, row, m), 2))
      _0 = torch.copy_(torch.narrow(y, 0, row, m), torch.squeeze(z, 2))
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
