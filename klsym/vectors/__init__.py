"""Divergences of probability vectors and joint tables, as arrays of numbers.

The divergence that is computed is the sum of p log(p/q) - p + q over the entries. It is the Kullback-Leibler divergence
when p and q sum to exactly 1, each term of it is nonnegative, and it keeps its digits when p and q are nearly equal;
the textbook's sum of p log(p/q) does not, because then it measures by how much the two sums miss 1 (Csiszar, Annals of
Statistics 19, 1991). An array counts as normalised when its sum is within 4 n eps of 1, where n is the number of
entries and eps that of the array's own type, and never when it misses by more than 1e-3. Work is done in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.errors import ParameterError, VectorError
from .terms import Floats, greatest_shortfall, jensen, power, remainder, shortfall, squares, surprise

Axis = int | Sequence[int] | None


def kl(p: ArrayLike, q: ArrayLike, *, base: Any = None, axis: Axis = -1, normalize: bool = False) -> Any:
    """Kullback-Leibler divergence of probability vectors, the sum of p log(p/q), in nats.

    p, q: arrays of probabilities, of one shape along `axis` (an integer, several, or None for all of them: a joint
    table) and broadcast over their other axes. `base`: the unit, 2 for bits. `normalize`: divide each by its sum first.
    0 log 0 is 0, the result is +oo where q = 0 < p, and NaN where an entry is NaN. float32 in, float32 out.
    VectorError names what is not a probability vector. (Cover and Thomas, Elements of Information Theory, 2.3.)

    >>> kl([0.5, 0.5], [0.25, 0.75], base=2)
    0.2075187496394219
    >>> kl([[1, 0], [1, 1]], [1, 3], normalize=True)
    array([1.38629436, 0.14384104])
    """
    return summed(remainder, (p, q), base, axis, normalize)


def reverse_kl(p: ArrayLike, q: ArrayLike, *, base: Any = None, axis: Axis = -1, normalize: bool = False) -> Any:
    """The divergence kl(q, p), with the arguments of `kl`.

    >>> reverse_kl([0.5, 0.5], [1.0, 0.0])
    0.6931471805599453
    """
    return summed(lambda p, q: remainder(q, p), (p, q), base, axis, normalize)


def jeffreys(p: ArrayLike, q: ArrayLike, *, base: Any = None, axis: Axis = -1, normalize: bool = False) -> Any:
    """Jeffreys divergence kl(p, q) + kl(q, p), with the arguments of `kl` (Jeffreys, Proc. R. Soc. A 186, 1946).

    >>> jeffreys([0.5, 0.5], [0.25, 0.75])
    0.27465307216702...
    """
    return summed(lambda p, q: remainder(p, q) + remainder(q, p), (p, q), base, axis, normalize)


def cross_entropy(p: ArrayLike, q: ArrayLike, *, base: Any = None, axis: Axis = -1, normalize: bool = False) -> Any:
    """Cross-entropy, the sum of -p log q, with the arguments of `kl` (Cover and Thomas, 5.4).

    >>> cross_entropy([1.0, 0.0], [0.25, 0.75], base=2)
    2.0
    """
    return summed(surprise, (p, q), base, axis, normalize)


def entropy(p: ArrayLike, *, base: Any = None, axis: Axis = -1, normalize: bool = False) -> Any:
    """Shannon entropy, the sum of -p log p, with the arguments of `kl` (Cover and Thomas, 2.1).

    >>> entropy([1, 1, 1, 1], base=2, normalize=True)
    2.0
    """
    return summed(lambda p: surprise(p, p), (p,), base, axis, normalize, ("p",))


def _powers(
    p: ArrayLike, q: ArrayLike, alpha: Any, finish: Callable[[Floats, float], Any], options: dict[str, Any]
) -> Any:
    """What `finish` makes of 1 - c(alpha) and alpha."""
    order = float(alpha)
    if not (0 < order < math.inf and order != 1):
        raise ParameterError(f"alpha is {alpha}; it must be a positive number other than 1, where the limit is kl")

    def total(short: Floats) -> Any:
        with np.errstate(all="ignore"):
            return finish(short, order)

    return summed(lambda p, q: shortfall(p, q, order), (p, q), total=total, **options)


def renyi(
    p: ArrayLike, q: ArrayLike, alpha: float, *, base: Any = None, axis: Axis = -1, normalize: bool = False
) -> Any:
    """Renyi divergence of order alpha, log(sum of p^alpha q^(1 - alpha))/(alpha - 1), with the arguments of `kl`.

    ParameterError for an alpha that is not positive, or is 1. (van Erven and Harremoes, arXiv 1206.2459.)

    >>> renyi([0.5, 0.5], [0.25, 0.75], 2, base=2)
    0.41503749927884...
    """
    options = {"base": base, "axis": axis, "normalize": normalize}
    return _powers(p, q, alpha, lambda short, order: np.log1p(-short) / (order - 1), options)


def chernoff(
    p: ArrayLike, q: ArrayLike, alpha: float, *, base: Any = None, axis: Axis = -1, normalize: bool = False
) -> Any:
    """Chernoff coefficient -log(sum of p^alpha q^(1 - alpha)), 0 < alpha < 1, with the arguments of `kl`.

    >>> chernoff([0.5, 0.5], [0.25, 0.75], 0.5)
    0.0346682320...
    """
    if not float(alpha) < 1:
        raise ParameterError(f"alpha is {alpha}; it must lie between 0 and 1")
    return _powers(
        p, q, alpha, lambda short, order: -np.log1p(-short), {"base": base, "axis": axis, "normalize": normalize}
    )


def chernoff_information(
    p: ArrayLike, q: ArrayLike, *, base: Any = None, axis: Axis = -1, normalize: bool = False
) -> Any:
    """Chernoff information, the greatest Chernoff coefficient over its order, with the arguments of `kl`.

    >>> chernoff_information([0.5, 0.5], [0.25, 0.75])
    0.03468818523...
    """

    def finished(short: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            return -np.log1p(-short)

    return summed(greatest_shortfall, (p, q), base, axis, normalize, total=finished)


def bhattacharyya(p: ArrayLike, q: ArrayLike, *, base: Any = None, axis: Axis = -1, normalize: bool = False) -> Any:
    """Bhattacharyya distance, the Chernoff coefficient of 1/2, with the arguments of `kl`.

    >>> bhattacharyya([1.0, 0.0], [0.0, 1.0])
    inf
    """
    return chernoff(p, q, 0.5, base=base, axis=axis, normalize=normalize)


def tsallis(p: ArrayLike, q: ArrayLike, alpha: float, *, axis: Axis = -1, normalize: bool = False) -> Any:
    """Tsallis divergence (sum of p^alpha q^(1 - alpha) - 1)/(alpha - 1), with the arguments of `kl`.

    >>> tsallis([0.5, 0.5], [0.25, 0.75], 2)
    0.33333333333333...
    """
    return _powers(p, q, alpha, lambda short, order: short / (1 - order), {"axis": axis, "normalize": normalize})


def alpha_divergence(p: ArrayLike, q: ArrayLike, alpha: float, *, axis: Axis = -1, normalize: bool = False) -> Any:
    """Alpha divergence (sum of p^alpha q^(1 - alpha) - 1)/(alpha (alpha - 1)), with the arguments of `kl`.

    >>> alpha_divergence([0.5, 0.5], [0.25, 0.75], 2)
    0.16666666666666...
    """
    options = {"axis": axis, "normalize": normalize}
    return _powers(p, q, alpha, lambda short, order: short / (order * (1 - order)), options)


def hellinger2(p: ArrayLike, q: ArrayLike, *, axis: Axis = -1, normalize: bool = False) -> Any:
    """Squared Hellinger distance, half the sum of (sqrt(p) - sqrt(q))^2, with the arguments of `kl`.

    >>> hellinger2([1.0, 0.0], [0.5, 0.5])
    0.29289321881345...
    """
    return _powers(p, q, 0.5, lambda short, order: short, {"axis": axis, "normalize": normalize})


def hellinger(p: ArrayLike, q: ArrayLike, *, axis: Axis = -1, normalize: bool = False) -> Any:
    """Hellinger distance, the root of `hellinger2`.

    >>> hellinger([1.0, 0.0], [0.0, 1.0])
    1.0
    """
    return _powers(p, q, 0.5, lambda short, order: np.sqrt(short), {"axis": axis, "normalize": normalize})


def fisher_rao(p: ArrayLike, q: ArrayLike, *, axis: Axis = -1, normalize: bool = False) -> Any:
    """Fisher-Rao distance, twice the angle between the roots of p and q, with the arguments of `kl`.

    >>> fisher_rao([1.0, 0.0], [0.0, 1.0]) / np.pi
    1.0
    """
    options = {"axis": axis, "normalize": normalize}
    return _powers(p, q, 0.5, lambda short, order: 4 * np.arcsin(np.sqrt(short / 2)), options)


def chi2(p: ArrayLike, q: ArrayLike, *, axis: Axis = -1, normalize: bool = False) -> Any:
    """Pearson's chi-square divergence, the sum of (p - q)^2/q, with the arguments of `kl`.

    >>> chi2([0.5, 0.5], [0.25, 0.75])
    0.33333333333333...
    """
    return summed(squares, (p, q), None, axis, normalize)


def reverse_chi2(p: ArrayLike, q: ArrayLike, *, axis: Axis = -1, normalize: bool = False) -> Any:
    """Neyman's chi-square divergence, chi2(q, p), with the arguments of `kl`.

    >>> reverse_chi2([0.5, 0.5], [0.25, 0.75])
    0.25
    """
    return summed(lambda p, q: squares(q, p), (p, q), None, axis, normalize)


def jensen_shannon(
    p: ArrayLike, q: ArrayLike, weight: float = 0.5, *, base: Any = None, axis: Axis = -1, normalize: bool = False
) -> Any:
    """Jensen-Shannon divergence, weight kl(p, m) + (1 - weight) kl(q, m), with the arguments of `kl`; never infinite.

    m is the mean of p and q by the weights. ParameterError for a weight that is not between 0 and 1.
    (Lin, IEEE Trans. Inf. Theory 37, 1991.)

    >>> jensen_shannon([1.0, 0.0], [0.0, 1.0], base=2)
    1.0
    """
    share = float(weight)
    if not 0 < share < 1:
        raise ParameterError(f"weight is {weight}; it must lie between 0 and 1")
    return summed(lambda p, q: jensen(p, q, share), (p, q), base, axis, normalize)


def jensen_shannon_distance(
    p: ArrayLike, q: ArrayLike, *, base: Any = None, axis: Axis = -1, normalize: bool = False
) -> Any:
    """The root of the Jensen-Shannon divergence, with the arguments of `kl`: a metric.

    >>> jensen_shannon_distance([1.0, 0.0], [0.0, 1.0], base=2)
    1.0
    """
    nats = unit(base)
    return summed(
        lambda p, q: jensen(p, q, 0.5), (p, q), None, axis, normalize, total=lambda sums: np.sqrt(sums / nats)
    )


def total_variation(p: ArrayLike, q: ArrayLike, *, axis: Axis = -1, normalize: bool = False) -> Any:
    """Total variation distance, half the sum of |p - q|, with the arguments of `kl`.

    >>> total_variation([0.5, 0.5], [0.25, 0.75])
    0.25
    """
    return summed(lambda p, q: np.abs(p - q) / 2, (p, q), None, axis, normalize)


def combined(
    p: ArrayLike, q: ArrayLike, terms: Sequence[tuple[float, float]], *, axis: Axis = -1, normalize: bool = False
) -> Any:
    """The f-divergence of a sum of c t^alpha, from the pairs (c, alpha), with the arguments of `kl`.

    alpha = 1 stands for t log(t), and 0 for -log(t).

    >>> combined([0.5, 0.5], [0.25, 0.75], [(1.0, 1.0), (1.0, 0.0)]) == jeffreys([0.5, 0.5], [0.25, 0.75])
    True
    """

    def term(p: Floats, q: Floats) -> Floats:
        return np.sum([c * power(p, q, alpha) for c, alpha in terms], axis=0)

    return summed(term, (p, q), None, axis, normalize)


def mutual_information(table: ArrayLike, *, given: int | None = None, base: Any = None, normalize: bool = False) -> Any:
    """Mutual information of the rows and columns of a joint table, its divergence from the product of its marginals.

    table: a matrix of joint probabilities, or of counts with `normalize`. `given`: of a table of three axes the one
    that is conditioned on, for I(X; Y | Z). `base` and errors as for `kl`.
    (Cover and Thomas, Elements of Information Theory, 2.3, 2.5.)

    >>> mutual_information([[0.5, 0.0], [0.0, 0.5]])
    0.6931471805599...
    >>> mutual_information([[3, 3], [1, 1]], normalize=True)
    0.0
    >>> mutual_information([[[0.25, 0.0], [0.0, 0.25]], [[0.0, 0.25], [0.25, 0.0]]], given=0)
    0.6931471805599...
    """
    array = _array(table, "table")
    axes = 2 if given is None else 3
    if array.ndim != axes:
        known = "" if given is None else ", given the third"
        raise VectorError(f"table has {array.ndim} axes; mutual information is that of rows and columns{known}")
    if given is not None and not -3 <= given < 3:
        raise VectorError(f"given is {given}; it is one of the axes 0, 1 and 2")
    layers = array[None] if given is None else np.moveaxis(array, given, 0)
    shape = layers.shape

    def from_product(flat: Floats) -> Floats:
        joint = flat.reshape(shape)
        rows, columns = joint.sum(axis=2, keepdims=True), np.ascontiguousarray(joint.swapaxes(1, 2)).sum(axis=2)
        given_row = joint / np.where(rows == 0, 1.0, rows)  # a product of two marginals could underflow to 0
        mass = rows.sum(axis=1)
        expected = columns / np.where(mass == 0, 1.0, mass)
        return (rows * remainder(given_row, expected[:, None, :])).reshape(flat.shape)

    return summed(from_product, (np.ascontiguousarray(layers),), base, None, normalize, ("table",))


def summed(
    term: Callable[..., Floats],
    given: Sequence[ArrayLike],
    base: Any = None,
    axis: Axis = -1,
    normalize: bool = False,
    names: Sequence[str] = ("p", "q"),
    total: Callable[[Floats], Floats] = lambda sums: sums,
) -> Any:
    """The sum over the axes of a term of one or two arrays of probabilities, or what `total` makes of it."""
    nats = unit(base)
    arrays = [_array(each, name) for each, name in zip(given, names, strict=True)]
    moved = [_moved(array, axis, name) for array, name in zip(arrays, names, strict=True)]
    if len({spans for _, spans in moved}) > 1:
        shapes = " and ".join(f"{name} has {array.shape}" for array, name in zip(arrays, names, strict=True))
        raise VectorError(f"{shapes}, which differ along axis {axis}; the entries of one must be those of the other")
    vectors = [
        _probabilities(vector, array.dtype, normalize, name)
        for (vector, _), array, name in zip(moved, arrays, names, strict=True)
    ]
    try:
        terms = term(*vectors)
    except ValueError as error:
        raise VectorError(f"the other axes of p and q do not broadcast: {error}") from None
    found = 0.0 + total(terms.sum(axis=-1)) / nats
    dtype = _result_type(arrays)
    return float(found) if found.ndim == 0 and dtype == np.float64 else found.astype(dtype)[()]


def unit(base: Any) -> float:
    """The nats in a unit of log(base); ParameterError for what is no base.

    >>> unit(2)
    0.6931471805599453
    """
    if base is None:
        return 1.0
    number = math.nan if isinstance(base, (bool, str)) else float(base)
    if not (0 < number < math.inf and number != 1):
        raise ParameterError(f"base is {base}; it must be a positive number other than 1")
    return math.log(number)


def _array(given: ArrayLike, name: str) -> NDArray[Any]:
    if np.ma.isMaskedArray(given):
        raise TypeError(f"{name} is a masked array; fill it first, with zeros where nothing is to count")
    try:
        array = np.asarray(given)
    except ValueError:
        raise VectorError(f"{name} is ragged; its rows must have one length") from None
    if array.dtype.kind == "O":
        array = array.astype(np.float64)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has type {array.dtype}; probabilities are real numbers")
    wrong = np.argwhere((array < 0) | np.isinf(array))
    if len(wrong):
        where = tuple(wrong[0].tolist())
        raise VectorError(f"{name}{list(where)} is {array[where]}; probabilities are finite and nonnegative")
    return array


def _moved(array: NDArray[Any], axis: Axis, name: str) -> tuple[Floats, tuple[int, ...]]:
    """The array in float64 with the axes of one vector made its last one, and their lengths."""
    axes = range(array.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    try:
        axes = np.lib.array_utils.normalize_axis_tuple(axes, array.ndim)
    except ValueError as error:
        raise VectorError(f"{name} has {array.ndim} axes, so axis={axis} does not say where its vectors lie") from error
    spans = tuple(array.shape[each] for each in axes)
    if not spans or 0 in spans:
        raise VectorError(f"{name} is empty along axis {axis}; a probability vector has at least one entry")
    last = np.moveaxis(array.astype(np.float64), axes, range(-len(axes), 0))
    return np.ascontiguousarray(last).reshape(*last.shape[: array.ndim - len(axes)], math.prod(spans)), spans


def _probabilities(vector: Floats, dtype: np.dtype[Any], normalize: bool, name: str) -> Floats:
    """The vectors along the last axis, checked, or divided by their sums; a NaN stays."""
    if normalize:
        largest = vector.max(axis=-1, keepdims=True)
        vector = vector / np.where(largest == 0, 1.0, largest)  # so that no sum overflows
    sums = vector.sum(axis=-1, keepdims=True)
    eps = float(np.finfo(dtype if dtype.kind == "f" else np.float64).eps)
    off = sums == 0 if normalize else np.abs(sums - 1) > min(4 * vector.shape[-1] * eps, 1e-3)
    if off.any():
        *others, _ = where = tuple(np.argwhere(off)[0].tolist())
        advice = "no multiple of it is a probability vector" if normalize else "normalize=True divides it by that"
        raise VectorError(f"{name}{others or ''} sums to {sums[where]:.17g}, not to 1; {advice}")
    return vector / sums if normalize else vector


def _result_type(arrays: Sequence[NDArray[Any]]) -> np.dtype[Any]:
    """The floating type of the arrays, at most float64; float64 for integers."""
    kinds = [array.dtype if array.dtype.kind == "f" else np.dtype(np.float64) for array in arrays]
    return min(np.result_type(*kinds), np.dtype(np.float64), key=lambda dtype: dtype.itemsize)
