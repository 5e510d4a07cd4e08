# What the lens is held against, TorchScript source: the head's product alone, and the plain way over whole rows.
class Kernels(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  # Values of a normed row's size, which a product takes as long for as for any others.
  def rows(self: __torch__.Kernels, n: int, d: int, dtype: int) -> Tensor:
    return torch.to(torch.randn([n, d]), dtype)

  # x [n, D] by w [V, D] into y [n, V].
  def product(self: __torch__.Kernels, x: Tensor, w: Tensor, y: Tensor) -> None:
    _0 = torch.mm(x, torch.t(w), out=y)

  # x [n, D], w [V, D] -> [n, k] probabilities and [n, k] ids of the greatest, [n] entropy, [n] log of the sum of exponentials.
  # dtype: in which the softmax is taken
  def whole(self: __torch__.Kernels, x: Tensor, w: Tensor, k: int, dtype: int) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
    z = torch.linear(x, w)
    lp = torch.log_softmax(z, -1, dtype=dtype)
    top, ids = torch.topk(lp, k)
    entropy = torch.neg(torch.sum(torch.mul(torch.exp(lp), lp), [-1]))
    lse = torch.sub(torch.select(z, 1, 0), torch.select(lp, 1, 0))
    return (torch.exp(top), ids, entropy, lse)
