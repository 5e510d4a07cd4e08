# The lens in float64 over whole rows, with nothing clever: what both paths are held to (docs/lenses.md, "Accuracy").
# Letters: n rows, V vocabulary, D hidden size, M final rows, k tokens. 7 is float64.
class Kernels(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  def double(self: __torch__.Kernels, x: Tensor) -> Tensor:
    return torch.to(x, 7)

  def indices(self: __torch__.Kernels, n: int) -> Tensor:
    return torch.empty([n], dtype=4)

  def logits(self: __torch__.Kernels, rows: Tensor, norm: Tensor, eps: float, head: Tensor) -> Tensor:
    h = torch.to(rows, 7)
    scale = torch.rsqrt(torch.add(torch.mean(torch.mul(h, h), [-1], True), eps))
    return torch.mm(torch.mul(torch.mul(h, scale), norm), torch.t(head))

  # -> [n, 6]: entropy, log of the sum of exponentials, logit of the target, its rank, KL and JS of the final rows `of`; and
  # the k + 1 greatest logits [n, k + 1]; and logits of the tokens `asked` [n, a], float64
  def metrics(self: __torch__.Kernels, z: Tensor, finals: Tensor, of: Tensor, target: Tensor, k: int, asked: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    lse = torch.logsumexp(z, [-1], True)
    lq = torch.sub(z, lse)
    q = torch.exp(lq)
    entropy = torch.neg(torch.sum(torch.mul(q, lq), [-1], True))
    t = torch.gather(z, 1, torch.unsqueeze(target, 1))
    rank = torch.add(torch.sum(torch.gt(z, t), [-1], True), 1)
    lp = torch.index_select(torch.sub(finals, torch.logsumexp(finals, [-1], True)), 0, of)
    p = torch.exp(lp)
    kl = torch.sum(torch.mul(p, torch.sub(lp, lq)), [-1], True)
    lm = torch.log(torch.div(torch.add(p, q), 2))
    js = torch.div(torch.add(torch.sum(torch.mul(p, torch.sub(lp, lm)), [-1], True), torch.sum(torch.mul(q, torch.sub(lq, lm)), [-1], True)), 2)
    values, ids = torch.topk(z, torch.add(k, 1))
    return (torch.cat([entropy, lse, t, torch.to(rank, 7), kl, js], -1), values, torch.gather(z, 1, torch.view(asked, [torch.size(z, 0), -1])))
