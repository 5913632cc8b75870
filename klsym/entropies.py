"""The entropies that are functions of the integral of a power of one density, int p^alpha, each a Formula.

p is as for `klsym.entropy`: a family, a distribution (of klsym or of another library), or an array of probabilities
with the options `axis` and `normalize`. `alpha` is a positive number other than 1, or a name or symbol for one; at 1
either entropy is `klsym.entropy`, in the limit. The integral is over the density, so that the value changes with the
coordinate. Where the integral diverges, in the tails for alpha < 1 or at an end where the density is unbounded for
alpha > 1, it is +oo or -oo.
"""

from __future__ import annotations

import math
import sys
from numbers import Real
from typing import TYPE_CHECKING, Any

from . import divergences
from .api import measured
from .core.errors import ParameterError
from .core.family import Family
from .divergences import ordered

if TYPE_CHECKING:
    from .core.divergence import Divergence
    from .vectors import Floats


def renyi_entropy(p: Any, alpha: Any, *, base: Any = None, **options: Any) -> Any:
    """Renyi entropy log(int p^alpha)/(1 - alpha) of order alpha.

    For an array also alpha = 0, the logarithm of how many entries are positive, and alpha = inf, -log of the greatest.
    `base` is the unit, nats by default. ParameterError for an alpha that is not positive, or is 1. (Renyi, Proc. 4th
    Berkeley Symposium, 1961; Song, J. Stat. Plan. Inference 93, 2001, for densities.)

    >>> from klsym import Exponential, Geometric, renyi_entropy
    >>> renyi_entropy(Exponential, 2).value
    -log(rate) + log(2)
    >>> print(renyi_entropy(Geometric(0.5), 2, base=2).evaluate(digits=12))
    1.58496250072
    >>> renyi_entropy([0.5, 0.25, 0.25], 2, base=2)
    1.415037499278...
    """
    return _of_order(divergences.renyi_entropy, p, alpha, base, options)


def tsallis_entropy(p: Any, alpha: Any, **options: Any) -> Any:
    """Tsallis entropy (1 - int p^alpha)/(alpha - 1) of order alpha, with the arguments of `renyi_entropy` but the unit.

    (Havrda and Charvat, Kybernetika 3, 1967; Tsallis, J. Stat. Phys. 52, 1988.)

    >>> from klsym import Normal, tsallis_entropy
    >>> tsallis_entropy(Normal, 2).value
    1 - 1/(2*sqrt(pi)*sigma)
    >>> tsallis_entropy([0.5, 0.5], 2)
    0.5
    """
    return _of_order(divergences.tsallis_entropy, p, alpha, None, options)


def _of_order(divergence: Divergence, p: Any, alpha: Any, base: Any, options: dict[str, Any]) -> Any:
    if _is_vector(p):
        if isinstance(alpha, bool) or not isinstance(alpha, Real):
            raise ParameterError(f"alpha is {alpha!r}; the entropy of an array needs a number")
        return _of_vector(divergence, p, float(alpha), base, options)
    if p is None or isinstance(p, str):
        raise TypeError(f"p is {p!r}; {divergence.name} is of a family, a distribution or an array of probabilities")
    return measured(ordered(divergence, alpha), p, p, base, (), False, options)


def _is_vector(p: Any) -> bool:
    return not isinstance(p, Family) and (isinstance(p, (list, tuple)) or hasattr(p, "__array__"))


def _of_vector(divergence: Divergence, p: Any, order: float, base: Any, options: dict[str, Any]) -> Any:
    """The entropy from the sum of p^order - p, which keeps its digits where the order is near 1."""
    import numpy as np

    from .vectors import summed

    tsallis = divergence.pure
    if not 0 <= order <= (sys.float_info.max if tsallis else math.inf) or order == 1:
        raise ParameterError(f"alpha is {order}; it must be at least 0 and not 1, where the limit is the entropy")

    def whole(p: Floats) -> Floats:
        with np.errstate(all="ignore"):
            largest = p.max(axis=-1, keepdims=True)
            if order == math.inf:
                return -np.log(largest)
            if order == 0 and not tsallis:
                return np.log((p > 0).sum(axis=-1, keepdims=True))
            excess = np.where(p == 0, 0.0, p * np.expm1((order - 1) * np.log(p))).sum(axis=-1, keepdims=True)
            if tsallis:
                return excess / (1 - order)
            # The powers of the greatest entry may be below the least double.
            scaled = order * np.log(largest) + np.log(((p / largest) ** order).sum(axis=-1, keepdims=True))
            return np.where(np.abs(excess) < 0.5, np.log1p(excess), scaled) / (1 - order)

    return summed(whole, (p,), base, names=("p",), **options)
