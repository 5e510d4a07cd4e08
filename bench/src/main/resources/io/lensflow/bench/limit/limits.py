# What a step is held against, TorchScript source: its linear layers alone, and reading memory.
class Kernels(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  # The layout that the engine packs a linear weight [out, in] into, for some rows at a time.
  def pack(self: __torch__.Kernels, weight: Tensor, rows: int) -> Tensor:
    return ops.mkldnn._reorder_linear_weight(weight, rows)

  # Every linear once, in one call: inputs[i] [rows, in] by weights[i] [out, in], packed or plain.
  def linears(self: __torch__.Kernels, inputs: List[Tensor], weights: List[Tensor]) -> Tensor:
    y = inputs[0]
    for i in range(len(weights)):
      if ops.prim.is_mkldnn(weights[i]):
        y = ops.mkldnn._linear_pointwise(inputs[i], weights[i], None, "none", annotate(List[Optional[number]], []), "")
      else:
        y = torch.linear(inputs[i], weights[i])
    return y

  def ones(self: __torch__.Kernels, shape: List[int], dtype: int) -> Tensor:
    return torch.ones(shape, dtype=dtype)

  def sum(self: __torch__.Kernels, x: Tensor) -> Tensor:
    return torch.sum(x)
