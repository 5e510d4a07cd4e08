# The lens head, TorchScript source. Letters: n rows, D hidden size, c columns (a run of the vocabulary), k tokens kept.
class Kernels(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  # RMSNorm of rows [n, D] of any type -> float32 [n, D]
  def norm(self: __torch__.Kernels, rows: Tensor, weight: Tensor, eps: float) -> Tensor:
    f = torch.to(rows, 6)
    scale = torch.rsqrt(torch.add(torch.mean(torch.mul(f, f), [-1], True), eps))
    return torch.mul(torch.mul(f, scale), weight)

  # One block of the logits, while it lies in cache: x [n, D] float32, head [c, D] of any type.
  # Scratch, float32: weight [c, D], logits [n, c], terms [n, c].
  # -> the k greatest logits [n, k], their columns [n, k], and [n, 3]: maximum m, sum of exp(z - m), sum of
  # exp(z - m) * (z - m)
  def block(self: __torch__.Kernels, x: Tensor, head: Tensor, k: int, weight: Tensor, logits: Tensor, terms: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    n = torch.size(x, 0)
    c = torch.size(head, 0)
    w = head
    if torch.ne(ops.prim.dtype(head), 6):
      w = torch.copy_(torch.narrow(weight, 0, 0, c), head)
    z = torch.view(torch.narrow(torch.view(logits, [-1]), 0, 0, torch.mul(n, c)), [n, c])
    z = torch.mm(x, torch.t(w), out=z)
    kept, columns = (self).top(z, k, )
    m = torch.narrow(kept, 1, 0, 1)
    d = torch.sub_(z, m)
    e = torch.view(torch.narrow(torch.view(terms, [-1]), 0, 0, torch.mul(n, c)), [n, c])
    e = torch.exp(d, out=e)
    total = torch.sum(e, [-1], True)
    weighted = torch.sum(torch.mul_(e, d), [-1], True)
    return (torch.contiguous(kept), torch.contiguous(columns), torch.cat([m, total, weighted], -1))

  # The k greatest of each row, and which: among equal ones at the border the lower columns. topk alone leaves it open
  # which it takes, so one more is asked for, and rows where that one is equal to the last are sorted.
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
    return (values, columns)
