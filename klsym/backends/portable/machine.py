"""What portable kernels need of a library beside operators and methods that all have; this is NumPy's.

The files `torch_library.py` and `jax_library.py` have the same functions. Event axes come last, batches before them.
"""

# pyright: basic, reportMissingParameterType=false

import numpy as np

finite, lower = np.isfinite, np.tril


def array(values, like):
    """Numbers as an array beside others."""
    return np.array(values)


def largest(x):
    """The greatest along the last axis, which stays."""
    return x.max(-1, keepdims=True)


def first_largest(x):
    """Where the first of the greatest along the last axis is; a NaN is not."""
    return np.arange(x.shape[-1]) == np.where(np.isnan(x), -np.inf, x).argmax(-1)[..., None]


def joined(a, b):
    """One after the other along the last axis."""
    return np.concatenate((a, b), axis=-1)


def spread(x):
    """The diagonal matrices of vectors."""
    return x[..., None] * np.eye(x.shape[-1])


def cholesky(x):
    """The lower Cholesky factors; NaN where a matrix is not positive definite."""
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        if x.ndim == 2:
            return np.full_like(x, np.nan)
        return np.stack([cholesky(each) for each in x])


def solve(l, x):  # noqa: E741
    """L^-1 x by substitution, for lower triangular L."""
    found = np.zeros(np.broadcast_shapes(l.shape[:-2], x.shape[:-2]) + x.shape[-2:])
    for m in range(l.shape[-1]):
        known = l[..., m, None, :m] @ found[..., :m, :]
        found[..., m, :] = (x[..., m, :] - known[..., 0, :]) / l[..., m, m, None]
    return found


def solve_transposed(l, x):  # noqa: E741
    """L^-T x by substitution, for lower triangular L."""
    turned = l.swapaxes(-1, -2)[..., ::-1, ::-1]
    return solve(turned, x[..., ::-1, :])[..., ::-1, :]
