"""KL of matrix normals, batched.

With lambda and mu the eigenvalues of U_q^-1 U_p (k of them) and V_q^-1 V_p (m), a and b their means and
Z = L_U^-1 (M_p - M_q) L_V^-T from Cholesky factors of U_q and V_q, KL is

    [k m phi(a b) + m sum phi(lambda/a) + k sum phi(mu/b) + |Z|^2]/2,    phi(x) = x - 1 - log x,

because sum phi(lambda/a) = k log a - sum log lambda. No term is negative; the scale that U and V share drops out. Both
matrices are compared with a multiple c of Q's, U_p - c U_q, so that what is next to 1 is known as the gap to it
(closed form: Gupta, Nagar, Matrix Variate Distributions, 2000, chapter 2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..double_double.arithmetic import minus, over, plus, times
from ..kernels.elementary import phi
from .batches import batched, finite, positive_definite
from .matrices import (
    Pair,
    cholesky,
    congruent,
    difference,
    exactly,
    excess,
    mirrored,
    rounded,
    solve,
    squares,
    trace,
    transposed,
    unit_of,
)

Array = NDArray[np.float64]


def kl(
    m_p: ArrayLike,
    u_p: ArrayLike,
    v_p: ArrayLike,
    m_q: ArrayLike,
    u_q: ArrayLike,
    v_q: ArrayLike,
    *,
    check: bool = False,
) -> Array | np.float64:
    """KL of matrix normals from means (..., k, m) and covariances of rows (..., k, k) and columns (..., m, m).

    Leading dimensions broadcast; of covariances the lower triangles are read. Where one is not positive definite or a
    number not finite, the value is NaN, and with `check` a ParameterError is raised. Shapes that do not fit raise
    ParameterError. Errors are a few units of the last place for covariances of a condition number up to about 1e12.

    >>> float(kl([[1.0, 2.0]], [[1.0]], np.eye(2), [[0.0, 0.0]], [[1.0]], np.eye(2)))
    2.5
    """
    mean, rows, columns = finite("km"), positive_definite("kk"), positive_definite("mm")
    arguments = {
        "m_p": (m_p, mean), "u_p": (u_p, rows), "v_p": (v_p, columns),
        "m_q": (m_q, mean), "u_q": (u_q, rows), "v_q": (v_q, columns),
    }  # fmt: skip
    batch = batched(arguments)
    return batch.answer(batch.mapped(_divergence), check)


def _divergence(m_p: Array, u_p: Array, v_p: Array, m_q: Array, u_q: Array, v_q: Array) -> Array:
    k, m = m_p.shape[:2]
    row_unit, rows, a, a_gap, own = _compared(u_p, u_q)
    column_unit, columns, b, b_gap, other = _compared(v_p, v_q)
    # a b - 1, with a and b as c and the rest.
    c = minus(times(exactly(a), exactly(b)), exactly(1.0))
    cross = plus(plus(times(exactly(a), b_gap), times(exactly(b), a_gap)), times(a_gap, b_gap))
    gap = plus(c, cross)
    scale = plus(exactly(1.0), gap)[0]
    shared = k * m * phi(np.ones_like(scale), scale, gap[0])
    mean = difference(m_p * row_unit[:, None] * column_unit, m_q * row_unit[:, None] * column_unit)
    half = solve(rows, mean)
    z = squares(solve(columns, transposed(half)))
    parts = plus(times(exactly(float(m)), own), times(exactly(float(k)), other))
    return 0.5 * rounded(plus(plus(parts, exactly(shared)), z))


def _compared(p: Array, q: Array) -> tuple[Array, Pair, Array, Pair, Pair]:
    """Powers of two, Q's factor, c, what the mean eigenvalue exceeds c by, and sum phi(eigenvalue/mean)."""
    unit = unit_of(q)
    p, q = (mirrored(x) * unit[:, None] * unit for x in (p, q))
    factor, c = cholesky(exactly(q)), p[0, 0] / q[0, 0]
    gap = congruent(factor, minus(exactly(p), times(exactly(c), exactly(q))))
    rest = over(trace(gap), exactly(float(len(p))))
    mean = plus(exactly(c), rest)
    eye = np.eye(len(p))[:, :, None]
    return unit, factor, c, rest, excess(over(minus(gap, times(exactly(eye), rest)), mean))
