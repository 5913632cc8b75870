"""torch source of what portable kernels need of a library, and of what their textbook forms need, differentiable."""

import torch

_finite, _lower, _spread = torch.isfinite, torch.tril, torch.diag_embed
_ln, _exponential, _log_gamma, _psi = torch.log, torch.exp, torch.lgamma, torch.digamma


def _array(values, like):
    return torch.tensor(values, dtype=torch.float64, device=like.device)


def _largest(x):
    return x.amax(-1, keepdim=True)


def _first_largest(x):
    places = torch.arange(x.shape[-1], device=x.device)
    return places == torch.where(torch.isnan(x), -math.inf, x).argmax(-1, keepdim=True)


def _joined(a, b):
    return torch.cat((a, b), -1)


def _cholesky(x):
    """The lower Cholesky factors; NaN where a matrix is not positive definite."""
    found, failed = torch.linalg.cholesky_ex(x)
    return torch.where((failed == 0)[..., None, None], found, math.nan)


def _solve(factor, x):
    return torch.linalg.solve_triangular(factor, x, upper=False)


def _solve_transposed(factor, x):
    return torch.linalg.solve_triangular(factor.mT, x, upper=True)


def _log_sum(x):
    return torch.logsumexp(x, -1, keepdim=True)
