# Allocation, views and conversion of tensors. A device is named as in "cpu" or "cuda:1".
class Kernels(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  def empty(self: __torch__.Kernels, shape: List[int], dtype: int) -> Tensor:
    return torch.empty(shape, dtype=dtype)

  def empty_on(self: __torch__.Kernels, shape: List[int], dtype: int, device: str) -> Tensor:
    return torch.empty(shape, dtype=dtype, layout=0, device=torch.device(device))

  # Memory of the host that a CUDA device copies to while both go on.
  def pinned(self: __torch__.Kernels, shape: List[int], dtype: int) -> Tensor:
    return torch.empty(shape, dtype=dtype, layout=0, device=torch.device("cpu"), pin_memory=True)

  # x on a device: itself if it is there.
  def place(self: __torch__.Kernels, x: Tensor, device: str) -> Tensor:
    return torch.to(x, torch.device(device), ops.prim.dtype(x))

  def integers(self: __torch__.Kernels, values: List[int]) -> Tensor:
    return torch.tensor(values, dtype=4)

  # A view: it shares the memory of x.
  def rows(self: __torch__.Kernels, x: Tensor, start: int, length: int) -> Tensor:
    return torch.narrow(x, 0, start, length)

  # Tensors of one shape beside each other, along a new dimension.
  def stack(self: __torch__.Kernels, xs: List[Tensor], dim: int) -> Tensor:
    return torch.stack(xs, dim)

  # x [b, n, D], each row i of n times factors[i].
  def scale_rows(self: __torch__.Kernels, x: Tensor, factors: Tensor) -> Tensor:
    return torch.mul(x, torch.unsqueeze(factors, 1))

  # x[:, at]: a view.
  def column(self: __torch__.Kernels, x: Tensor, at: int) -> Tensor:
    return torch.select(x, 1, at)

  # Without waiting for it, where the device can: what waits for anything that the device did later waits for this, too.
  def copy_later(self: __torch__.Kernels, target: Tensor, source: Tensor) -> None:
    x = torch.copy_(target, source, True)

  def copy(self: __torch__.Kernels, target: Tensor, source: Tensor) -> None:
    x = torch.copy_(target, source)

  def clear(self: __torch__.Kernels, x: Tensor) -> None:
    x = torch.zero_(x)
