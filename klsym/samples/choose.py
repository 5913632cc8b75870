"""One function for samples: `estimate`, which chooses a method where none is named, and says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..core.errors import ParameterError
from ..core.errors import nearest as near
from . import bounds, classifier, ksg, nearest
from .counts import estimate_counts
from .result import Estimate
from .stream import Tally


@dataclass(frozen=True)
class Method:
    """How samples become an estimate: of which quantities, and the call."""

    quantities: tuple[str, ...]
    call: Callable[..., Estimate]


def _nearest(quantity: str, x: Any, y: Any, **options: Any) -> Estimate:
    return nearest.entropy(x, **options) if quantity == "entropy" else nearest.kl(x, y, **options)


def _ksg(variant: int) -> Callable[..., Estimate]:
    return lambda quantity, x, y, **options: ksg.mutual_information(x, y, variant=variant, **options)


def _bound(normalised: bool) -> Callable[..., Estimate]:
    return lambda quantity, x, y, **options: bounds.kl(x, y, normalised=normalised, **options)


def _counts(quantity: str, x: Any, y: Any, correction: str = "miller-madow", **options: Any) -> Estimate:
    """From outcomes to counts: of categories, or of pairs of these as a table."""
    if quantity == "mutual_information":
        if len(x) != len(y):
            raise ParameterError(f"x has {len(x)} rows and y has {len(y)}; mutual information is that of pairs")
        places = [np.unique(np.asarray(side), return_inverse=True, axis=0)[1].ravel() for side in (x, y)]
        table = np.zeros([int(p.max(initial=-1)) + 1 for p in places])
        np.add.at(table, tuple(places), 1)
        return estimate_counts(table, quantity=quantity, method=correction, **options)
    tally = Tally()
    tally.update(x, () if y is None else y)
    p, q = tally.counts()
    return estimate_counts(p, None if y is None else q, quantity=quantity, method=correction, **options)


METHODS = {
    "nearest": Method(("kl", "entropy"), _nearest),
    "ksg1": Method(("mutual_information",), _ksg(1)),
    "ksg2": Method(("mutual_information",), _ksg(2)),
    "nwj": Method(("kl",), _bound(False)),
    "dv": Method(("kl",), _bound(True)),
    "classifier": Method(("kl",), lambda quantity, x, y, **options: classifier.kl(x, y, **options)),
    "counts": Method(("kl", "entropy", "mutual_information", "jensen_shannon"), _counts),
}
QUANTITIES = ("kl", "entropy", "mutual_information", "jensen_shannon")


def estimate(x: Any, y: Any = None, *, quantity: str | None = None, method: str = "auto", **options: Any) -> Estimate:
    """A divergence, an entropy or a mutual information from samples alone.

    x, y: independent outcomes of P and of Q, a row each, (n,) or (n, d); for mutual information rows belong together.
    quantity: "kl" (the default of two samples), "entropy" (that of one), "mutual_information", "jensen_shannon" (of
    counts). method:

    - "nearest": of densities, by `k` neighbours (10; 5 for kl on a line, and of 20,000 outcomes or more in up to four
      dimensions), from the `start` "flat", "normal" or "auto", which in more than one dimension is normal after a map
      that makes the samples likeliest; the entropy on a line by spacings where neither is named
    - "ksg1", "ksg2": for mutual information, `k` (5)
    - "nwj", "dv": lower bounds in expectation of kl, of Nguyen, Wainwright and Jordan, and of Donsker and Varadhan,
      with a `critic`: random features by default, a function of arrays, or a torch module, which is trained; `seed`
    - "classifier": of kl, the log odds of a cross-fitted classifier; `seed`
    - "counts": of categories, with a `correction` as in `estimate_counts`
    - "auto": counts for whole numbers, words and truth values, else neighbours; the answer says what and why

    and for all of them `level`, of the interval, 0.95 or None for none, and `base`, nats by default. The answer has a
    standard error, an interval where one holds what it says, and a diagnosis with an alternative where it does not.
    Raises ParameterError for samples that are empty, too few, of different dimension, constant, or not finite. (Wang,
    Kulkarni, Verdu, IEEE Trans. Inf. Theory 55, 2009; Kraskov, Stogbauer, Grassberger, Phys. Rev. E 69, 2004.)

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> e = estimate(rng.normal(0, 1, 4000), rng.normal(0, 2, 4000))  # log 2 - 3/8 = 0.318
    >>> print(e)
    KL(P || Q) = 0.3... +- 0.0... nats; 95% in [...] (jackknife...); nearest neighbours, k = 5, n = 4000, 4000; ...
    """
    what = quantity or ("entropy" if y is None else "kl")
    if what not in QUANTITIES:
        raise ParameterError(f"quantity is {what!r}; it is one of {', '.join(QUANTITIES)}{near(what, QUANTITIES)}")
    if (y is None) != (what == "entropy"):
        raise ParameterError(f"{what} is that of {'one sample' if what == 'entropy' else 'two samples, x and y'}")
    chosen, why = (method, "") if method != "auto" else _choice(what, x, y)
    if chosen not in METHODS:
        raise ParameterError(f"method is {method!r}; it is auto, {', '.join(METHODS)}{near(method, METHODS)}")
    if what not in METHODS[chosen].quantities:
        fit = [name for name, row in METHODS.items() if what in row.quantities]
        raise ParameterError(f"method {chosen!r} has no {what}; {', '.join(fit)} have")
    try:
        found = METHODS[chosen].call(what, x, y, **options)
    except TypeError as error:
        if "unexpected keyword" not in str(error):
            raise
        raise ParameterError(f"method {chosen!r} has no such option: {error}") from None
    return replace(found, chosen=why)


def _choice(quantity: str, x: Any, y: Any) -> tuple[str, str]:
    try:
        kinds = {np.asarray(side).dtype.kind for side in (x, y) if side is not None}
    except ValueError:
        raise ParameterError("a sample is ragged; its rows must have one length") from None
    if kinds <= set("biuSUO"):
        return "counts", "by counts, as outcomes are whole numbers or words (densities: method='nearest' or 'ksg1')"
    if quantity == "jensen_shannon":
        raise ParameterError(
            "jensen_shannon of samples is one of counts; of numbers cut into bins, or kl by neighbours"
        )
    if quantity == "mutual_information":
        return "ksg1", "by neighbours, as outcomes are real numbers"
    return "nearest", "by neighbours, as outcomes are real numbers"
