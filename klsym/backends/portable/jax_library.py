"""JAX source of what portable kernels need of a library, and of what their textbook forms need, differentiable."""

import jax.numpy as jnp
from jax import lax
from jax.scipy import special

_finite, _lower, _ln, _exponential = jnp.isfinite, jnp.tril, jnp.log, jnp.exp
_log_gamma, _psi = special.gammaln, special.digamma


def _array(values, like):
    return jnp.array(values, like.dtype)


def _largest(x):
    return x.max(-1, keepdims=True)


def _first_largest(x):
    places = jnp.arange(x.shape[-1], dtype=x.dtype)
    known = jnp.where(jnp.isnan(x), -math.inf, x)
    return places == jnp.where(known == _largest(known), places, math.inf).min(-1, keepdims=True)


def _joined(a, b):
    return jnp.concatenate((a, b), -1)


def _spread(x):
    return x[..., None] * jnp.eye(x.shape[-1], dtype=x.dtype)


def _cholesky(x):
    """The lower Cholesky factors; NaN where a matrix is not positive definite."""
    return jnp.linalg.cholesky(x)


def _solve(factor, x):
    return lax.linalg.triangular_solve(factor, x, left_side=True, lower=True)


def _solve_transposed(factor, x):
    return lax.linalg.triangular_solve(factor, x, left_side=True, lower=True, transpose_a=True)


def _log_sum(x):
    return special.logsumexp(x, axis=-1, keepdims=True)
