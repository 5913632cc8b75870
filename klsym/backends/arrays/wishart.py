"""KL of Wishart and of inverse Wishart distributions, batched.

With a = nu_p/2, b = nu_q/2, d = b - a, a_j = a - j/2, b_j = b - j/2 and lambda the eigenvalues of a V_q^-1 V_p/b, KL is

    b sum phi(1, lambda) + sum_{j<k} [grem(a_j, b_j) + b_j phi(b_j a, a_j b, -d j/2) + j/2 phi(a, b)],

phi(a, b) = (b - a)/a - log(b/a), where d is the third argument unless another is given. The trace and the determinants
leave b sum phi less k times the remainder of x log x at a, to b, which the remainder of log Gamma_k exceeds: `grem` is
that of lgamma(x) - x log x + x at a_j, and what of (x - j/2) log(x - j/2) - x log x, a convex function, is the rest.
The closed form: Penny, KL-divergences of Normal, Gamma, Dirichlet and Wishart densities, 2001.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..double_double.arithmetic import minus, over, plus, times
from ..kernels.elementary import phi
from ..kernels.gamma import grem
from .batches import Batch, Kind, batched, positive_definite
from .matrices import exactly, mirrored, rounded, total, unit_of
from .symmetric import compared

Array = NDArray[np.float64]


def kl(nu_p: ArrayLike, v_p: ArrayLike, nu_q: ArrayLike, v_q: ArrayLike, *, check: bool = False) -> Array | np.float64:
    """KL(Wishart(nu_p, V_p) || Wishart(nu_q, V_q)) from degrees of freedom and scale matrices (..., k, k).

    Leading dimensions broadcast; of matrices the lower triangles are read. Where nu is not above k - 1 or a matrix not
    positive definite, the value is NaN, and with `check` a ParameterError is raised. Shapes that do not fit raise
    ParameterError. Errors are a few units of the last place for matrices of a condition number up to about 1e12.

    >>> float(kl(3.0, np.eye(2), 3.0, np.eye(2)))
    0.0
    >>> round(float(kl(2.0, [[1.0]], 2.0, [[2.0]])), 9)  # of exponentials of mean 2 and 4: log 2 - 1/2
    0.193147181
    """
    batch = _arguments("v", nu_p, v_p, nu_q, v_q)
    return batch.answer(batch.mapped(lambda a, p, b, q: _divergence(a, b, p, q)), check)


def kl_inverse(
    nu_p: ArrayLike, psi_p: ArrayLike, nu_q: ArrayLike, psi_q: ArrayLike, *, check: bool = False
) -> Array | np.float64:
    """KL(InverseWishart(nu_p, psi_p) || InverseWishart(nu_q, psi_q)), as `kl` of the inverse matrices.

    >>> float(kl_inverse(3.0, np.eye(2), 3.0, 2.0 * np.eye(2))) == float(kl(3.0, 2.0 * np.eye(2), 3.0, np.eye(2)))
    True
    """
    batch = _arguments("psi", nu_p, psi_p, nu_q, psi_q)
    return batch.answer(batch.mapped(lambda a, p, b, q: _divergence(a, b, q, p)), check)


def _arguments(name: str, nu_p: Any, p: Any, nu_q: Any, q: Any) -> Batch:
    least = np.shape(p)[-1] - 1 if np.ndim(p) else 0
    number = Kind("", lambda x: (least < x) & (x < np.inf), f"is not above {least}, one less than the dimension")
    matrix = positive_definite("kk")
    return batched({"nu_p": (nu_p, number), f"{name}_p": (p, matrix), "nu_q": (nu_q, number), f"{name}_q": (q, matrix)})


def _divergence(nu_p: Array, nu_q: Array, above: Array, below: Array) -> Array:
    """The divergence where the eigenvalues are those of nu_p below^-1 above/nu_q."""
    k = len(above)
    unit = unit_of(below)
    above, below = (mirrored(x) * unit[:, None] * unit for x in (above, below))
    gap = minus(times(exactly(nu_p), exactly(above)), times(exactly(nu_q), exactly(below)))
    value, _ = compared(exactly(below), over(gap, exactly(nu_q)), exactly(np.zeros_like(below[0])))
    matrices = times(exactly(0.5 * nu_q), value)
    a, b = 0.5 * nu_p, 0.5 * nu_q
    half = 0.5 * np.arange(k).reshape(-1, *[1] * a.ndim)
    a_j, b_j, d = a - half, b - half, b - a
    degrees = grem(a_j, b_j, d) + (b_j * phi(b_j * a, a_j * b, -half * d) + half * phi(a, b, d))
    value = rounded(plus(matrices, total(exactly(degrees))))
    return np.where((a_j[-1] > 0.0) & (b_j[-1] > 0.0) & np.isfinite(a) & np.isfinite(b), value, np.nan)
