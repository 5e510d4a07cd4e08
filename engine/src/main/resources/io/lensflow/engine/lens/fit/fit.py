# Least squares for translators, TorchScript source. Letters: n rows, D hidden size, V vocabulary. Types: 6 is float32,
# 7 is float64.
class Kernels(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  # Means of a block's rows x [n, D] and of their distances y - x to the last layer: what later sums are counted from.
  # Any type -> float32 [D], [D]
  def origin(self: __torch__.Kernels, x: Tensor, y: Tensor) -> Tuple[Tensor, Tensor]:
    f = torch.to(x, 6)
    r = torch.sub(torch.to(y, 6), f)
    return (torch.mean(f, [0]), torch.mean(r, [0]))

  def zeros(self: __torch__.Kernels, shape: List[int]) -> Tensor:
    return torch.zeros(shape, dtype=7)

  # Adds a block to the sums: with s = x - from_x and r = y - x - from_r, gram += s^T s, cross += s^T r, and the plain
  # sums of s and r. Products in float32 into scratch [D, D], sums in float64.
  def add(self: __torch__.Kernels, x: Tensor, y: Tensor, from_x: Tensor, from_r: Tensor, gram: Tensor, cross: Tensor, sum_x: Tensor, sum_r: Tensor, scratch: Tensor) -> None:
    f = torch.to(x, 6)
    r = torch.sub(torch.sub(torch.to(y, 6), f), from_r)
    s = torch.sub(f, from_x)
    t = torch.t(s)
    g = torch.add_(gram, torch.mm(t, s, out=scratch))
    c = torch.add_(cross, torch.mm(t, r, out=scratch))
    a = torch.add_(sum_x, torch.sum(s, [0], False, dtype=7))
    b = torch.add_(sum_r, torch.sum(r, [0], False, dtype=7))

  # Mean of the centred gram's diagonal: the rows' mean variance, times n.
  def spread(self: __torch__.Kernels, gram: Tensor, sum_x: Tensor, n: int) -> Tensor:
    return torch.mean(torch.sub(torch.diagonal(gram), torch.div(torch.mul(sum_x, sum_x), n)))

  # The ridge regression of y - x on x, intercept unpenalised: centred normal equations, solved by Cholesky in float64.
  # -> W [D, D], b [D] with y ~ x + W x + b, and the mean of y - x [D]; float32
  def solve(self: __torch__.Kernels, gram: Tensor, cross: Tensor, sum_x: Tensor, sum_r: Tensor, from_x: Tensor, from_r: Tensor, n: int, ridge: float) -> Tuple[Tensor, Tensor, Tensor]:
    x = torch.div(sum_x, n)
    r = torch.div(sum_r, n)
    g = torch.sub(gram, torch.outer(sum_x, x))
    c = torch.sub(cross, torch.outer(sum_x, r))
    penalty = torch.mul(torch.mean(torch.diagonal(g)), ridge)
    d = torch.add_(torch.diagonal(g), penalty)
    w = torch.cholesky_solve(c, torch.linalg_cholesky(g))
    mean_x = torch.add(x, from_x)
    mean_r = torch.add(r, from_r)
    b = torch.sub(mean_r, torch.mv(torch.t(w), mean_x))
    return (torch.contiguous(torch.to(torch.t(w), 6)), torch.to(b, 6), torch.to(mean_r, 6))

  # x + b, float32
  def shifted(self: __torch__.Kernels, x: Tensor, b: Tensor) -> Tensor:
    return torch.add(torch.to(x, 6), b)

  # The model's distributions at its last rows x [n, D]: log-probabilities, float32 [n, V]. norm [D] and head [V, D]
  # float32
  def model(self: __torch__.Kernels, x: Tensor, norm: Tensor, head: Tensor, eps: float) -> Tensor:
    f = torch.to(x, 6)
    scale = torch.rsqrt(torch.add(torch.mean(torch.mul(f, f), [-1], True), eps))
    z = torch.mm(torch.mul(torch.mul(f, scale), norm), torch.t(head))
    return torch.log_softmax(z, -1)

  # Adds the probabilities to total [V] float64
  def add_model(self: __torch__.Kernels, x: Tensor, norm: Tensor, head: Tensor, eps: float, total: Tensor) -> None:
    p = torch.exp((self).model(x, norm, head, eps, ))
    t = torch.add_(total, torch.sum(p, [0], False, dtype=7))

  # Of total, summed over n rows -> the logarithm of the mean distribution, float32 [V]. No token gets less than 1e-30:
  # where float32 says 0, it does not mean never.
  def log_mean(self: __torch__.Kernels, total: Tensor, n: int) -> Tensor:
    return torch.to(torch.log(torch.clamp(torch.div(total, n), 1e-30)), 6)

  # KL(model || q) at each row, for one q for all of them: log_q [V] -> [n]
  def distance(self: __torch__.Kernels, x: Tensor, norm: Tensor, head: Tensor, eps: float, log_q: Tensor) -> Tensor:
    l = (self).model(x, norm, head, eps, )
    return torch.sum(torch.mul(torch.exp(l), torch.sub(l, log_q)), [-1])

  # Which is the greatest
  def top(self: __torch__.Kernels, log_q: Tensor) -> Tensor:
    return torch.view(torch.argmax(log_q), [1])
