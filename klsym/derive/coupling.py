"""The monotone coupling of two laws on the line: one standard law, of which both are increasing images.

It is found, not listed: by the location and scale of a family, through a construction, or as a power of a variate of
one of the normalised kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp

from ..core.domain import half_line, positive, real, real_line, unit_interval
from ..core.family import Distribution, Family
from .flat import Flat
from .kernel import Kernel
from .kernels import log_beta
from .standard import standardise
from .views import views

a, b = positive.symbols("a b")
t = real.symbol("z")

STANDARD = {
    "normal": Family("Normal", (), real_line, -(t**2) / 2 - sp.log(2 * sp.pi) / 2, t),
    "uniform": Family("Uniform", (), unit_interval, sp.S.Zero, t),
    "gamma": Family("Gamma", (positive(a),), half_line, (a - 1) * sp.log(t) - t - sp.loggamma(a), t),
    "beta": Family(
        "Beta", (positive(a), positive(b)), unit_interval,
        (a - 1) * sp.log(t) + (b - 1) * sp.log(1 - t) - log_beta(a, b), t,
    ),
    "beta prime": Family(
        "BetaPrime", (positive(a), positive(b)), half_line,
        (a - 1) * sp.log(t) - (a + b) * sp.log(1 + t) - log_beta(a, b), t,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Coupling:
    """X = first(Z) and Y = second(Z) for Z from one law, both increasing or both decreasing in its variable."""

    law: Distribution
    first: sp.Expr
    second: sp.Expr

    @property
    def variable(self) -> sp.Symbol:
        return self.law.family.variable


def coupling(p: Distribution, q: Distribution) -> Coupling | None:
    """The coupling of two laws that are images of one; None where none is found.

    >>> from klsym import Weibull
    >>> found = coupling(Weibull(2, 3), Weibull(4, 1))
    >>> found.law, found.first, found.second
    (Gamma(1), 3*sqrt(z), z**(1/4))
    """
    if p.family.discrete or q.family.discrete or p.support.periodic or q.support.periodic:
        return None
    return _located(p, q) or _constructed(p, q) or _of_variates(p, q)


def _located(p: Distribution, q: Distribution) -> Coupling | None:
    """X = loc + scale Z in one family, where the other parameters are shared."""
    if p.family != q.family or not (standard := standardise(p.family)).absorbed:
        return None
    absorbed = dict(standard.absorbed)
    if any(x != y and s not in absorbed for s, x, y in zip(p.bindings, p.values, q.values, strict=True)):
        return None
    z = p.family.variable
    law = Distribution(p.family, tuple(absorbed.get(s, value) for s, value in p.bindings.items()))
    first, second = ((standard.loc + standard.scale * z).xreplace(d.bindings) for d in (p, q))
    return Coupling(law, first, second)


def _constructed(p: Distribution, q: Distribution) -> Coupling | None:
    """X = f(X_0), Y = g(Y_0) from the coupling of the base laws."""
    if p.family.origin is None and q.family.origin is None:
        return None
    inner = coupling(p.base, q.base)
    if inner is None:
        return None
    images, signs = [], set()
    for d, image in ((p, inner.first), (q, inner.second)):
        origin = d.family.origin
        if origin is None:
            images.append(image)
            signs.add(True)
            continue
        forward, x = origin.forward.xreplace(d.bindings), origin.base.variable
        signs.add(_increasing(forward, x, positive_there=d.base.support.lower == 0))
        images.append(forward.xreplace({x: image}))
    return Coupling(inner.law, *images) if len(signs) == 1 and None not in signs else None


def _of_variates(p: Distribution, q: Distribution) -> Coupling | None:
    """Both as functions of a variate of one standard law."""
    theirs = list(_images(q))
    for law, image, increasing in _images(p):
        for other, second, direction in theirs:
            if law == other and increasing == direction:
                return Coupling(law, image, second)
    return None


def _images(p: Distribution):
    """(law, x as a function of its variable, whether that increases) for each view of p as a standard law."""
    for view in views(p):
        (branch, *others) = view.branches
        variate = None if others else _variate(branch.kernel)
        if variate is None:
            continue
        name, shape, inverse = variate
        image = branch.to_x.xreplace({branch.y: inverse})
        upwards = name == "uniform" or _increasing(inverse, t, name != "normal")
        increasing = _increasing(branch.to_x, branch.y), upwards
        if None not in increasing:
            yield Distribution(STANDARD[name], shape), image, increasing[0] == increasing[1]


def _variate(kernel) -> tuple[str, tuple[sp.Expr, ...], sp.Expr] | None:
    """The standard law of a kernel, its shape, and the kernel's coordinate as a function of the standard variate."""
    if isinstance(kernel, Flat):
        return None if kernel.mass is None else ("uniform", (), kernel.lower + (kernel.upper - kernel.lower) * t)
    rule = VARIATES.get(kernel.name) if isinstance(kernel, Kernel) else None
    return None if rule is None else rule(kernel)


def _normal(kernel: Kernel):
    """exp(e0 y + e1 y^2): y = m + s z"""
    e0, e1 = kernel.eta
    return "normal", (), -e0 / (2 * e1) + t / sp.sqrt(-2 * e1)


def _gamma(kernel: Kernel):
    """y^e0 exp(e1 y^c): -e1 y^c is Gamma((e0 + 1)/c)"""
    (e0, e1), c = kernel.eta, kernel.features[1].as_base_exp()[1]
    return "gamma", (sp.cancel((e0 + 1) / c),), (t / -e1) ** (1 / c)


def _power_tail(kernel: Kernel):
    """y^e0 above 1: (-e0 - 1) log y is exponential"""
    (e0,) = kernel.eta
    return "gamma", (sp.S.One,), sp.exp(t / (-e0 - 1))


def _beta_prime(kernel: Kernel):
    """y^e0 (1 + d y^c)^e1: d y^c is BetaPrime(u, -e1 - u), u = (e0 + 1)/c"""
    (e0, e1), (power, d) = kernel.eta, _inner(kernel)
    c = power.as_base_exp()[1]
    u = sp.cancel((e0 + 1) / c)
    return "beta prime", (u, sp.cancel(-e1 - u)), (t / d) ** (1 / c)


def _beta(kernel: Kernel):
    """y^e0 (1 - y^c)^e1: y^c is Beta((e0 + 1)/c, e1 + 1), and uniform to the power 1/a if the latter is 1"""
    (e0, e1), (power, _) = kernel.eta, _inner(kernel)
    c = power.as_base_exp()[1]
    if e1 == 0:
        return "uniform", (), t ** (1 / (e0 + 1))
    return "beta", (sp.cancel((e0 + 1) / c), sp.cancel(e1 + 1)), t ** (1 / c)


def _inner(kernel: Kernel) -> tuple[sp.Expr, sp.Expr]:
    """(y^c, d) of the feature log(1 + d y^c)"""
    d, power = (kernel.features[1].args[0] - 1).as_independent(kernel.y, as_Add=False)
    return power, d


VARIATES: dict[str, Callable] = {
    "Gauss": _normal, "generalized gamma": _gamma, "power tail": _power_tail, "beta prime": _beta_prime, "beta": _beta,
}  # fmt: skip


def _increasing(image: sp.Expr, y: sp.Symbol, positive_there: bool = True) -> bool | None:
    """Whether a monotone function increases; None where the sign of its slope is not certain."""
    inside = sp.Dummy(positive=True) if positive_there else sp.Dummy(real=True)
    slope = sp.diff(image, y).xreplace({y: inside})
    return True if slope.is_positive else False if slope.is_negative else None
