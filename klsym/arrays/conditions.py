"""Whether conditions on arrays hold: in doubles with estimates of their errors, exactly where these leave it open."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from .arithmetic import Arithmetic
from .bounded import bounded
from .domain import minors_positive
from .functions import Least, Vector
from .walk import walk

MARGIN = 4.0  # of the estimates of `bounded`, and of the rounding of eigenvalues


def holds(when: Any, values: Mapping[Any, Any]) -> Any:
    """Where the condition holds: equalities and inequalities, and Least(...) > 0 without any doubt."""
    if when in (sp.true, sp.false):
        return np.bool_(when == sp.true)
    if isinstance(when.lhs, Least):
        return _positive(when.lhs.args[0], values)
    gap = walk(when.lhs - when.rhs, values)
    return gap == 0 if isinstance(when, sp.Eq) else gap > 0


def resolved(when: Any, values: Mapping[Any, Any]) -> Any:
    """The condition with true or false for each Least(...) > 0, at one element, whose numbers are taken exactly."""
    parts = [part for part in when.atoms(sp.StrictGreaterThan) if isinstance(part.lhs, Least)]
    return when.xreplace({part: sp.true if _exactly(part.lhs.args[0], values) else sp.false for part in parts})


def _positive(matrix: sp.MatrixExpr, values: Mapping[Any, Any]) -> Any:
    with np.errstate(all="ignore"):
        rough = walk(matrix, values, bounded)
        value, error = rough.value, rough.error
        known = (np.isfinite(value) & np.isfinite(error)).all((-2, -1))
        value, error = (np.where(known[..., None, None], part, 0.0) for part in (value, error))
        if matrix.shape[1] == 1:
            found, certain = (value > 0).all((-2, -1)), (np.abs(value) > MARGIN * error).all((-2, -1))
        else:
            eigenvalues = np.linalg.eigvalsh((value + value.swapaxes(-1, -2)) / 2)
            noise = value.shape[-1] * 2.0**-52 * np.abs(eigenvalues).max(-1) + np.sqrt((error**2).sum((-2, -1)))
            found, certain = eigenvalues[..., 0] > 0, np.abs(eigenvalues[..., 0]) > MARGIN * noise
    found, leading = np.array(found), found.shape
    for place in map(tuple, np.argwhere(~(certain & known))):
        found[place] = _exactly(matrix, {s: _element(s, v, leading, place) for s, v in values.items()})
    return found[()]


def _element(symbol: Any, value: Any, leading: tuple[int, ...], place: tuple[int, ...]) -> Any:
    axes = 1 if isinstance(symbol, (Vector, sp.IndexedBase)) else 2 if isinstance(symbol, sp.MatrixSymbol) else 0
    value = np.asarray(value)
    return np.broadcast_to(value, leading + value.shape[value.ndim - axes :])[place]


def _exactly(matrix: sp.MatrixExpr, values: Mapping[Any, Any]) -> bool:
    found = walk(matrix, values, rationals)
    return all(x > 0 for x in found.ravel()) if matrix.shape[1] == 1 else minors_positive(found)


def _inverse(a: Any) -> Any:
    exact = sp.Matrix([[sp.Rational(x.numerator, x.denominator) for x in row] for row in a.tolist()]).inv()
    return rationals.array([[Fraction(int(x.p), int(x.q)) for x in row] for row in exact.tolist()])


def _logdet(_: Any) -> Any:
    raise NotImplementedError("a logarithm is no rational number")


rationals = Arithmetic(
    lambda a: np.asarray(np.frompyfunc(Fraction, 1, 1)(np.asarray(a)), dtype=object),
    lambda number: Fraction(int(number.p), int(number.q)),
    {},
    _inverse,
    _logdet,
)
