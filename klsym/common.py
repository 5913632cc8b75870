"""The divergence of two members of one family: with some parameters bound, or of families that another one holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy as sp

from .core.derivation import Derivation, General, Middle
from .core.family import Distribution, Family
from .derive import derive
from .derive.between import between
from .derive.definition import LOG_P, LOG_Q, P, Q
from .derive.membership import member
from .derive.powers import integral
from .divergences import ALPHA, kl, renyi, reverse_kl
from .families import catalog
from .lower import Limit


def generals(derivation: Derivation) -> tuple[tuple[General, ...], ...]:
    """Each term of the divergence, or the whole, as divergences of generic members of a family, least family first.

    A sum of KL divergences has a term for each; () where nothing of the kind is known.

    >>> from klsym import Exponential, Gamma, Weibull, jeffreys, kl
    >>> [[str(general.p) for general in term] for term in generals(kl(Gamma, Weibull).derivation)]
    [['GeneralizedGamma(1/beta_p, alpha_p, 1)']]
    >>> [[str(general.p) for general in term] for term in generals(jeffreys(Exponential, Exponential).derivation)]
    [['Exponential(rate_p)'], ['Exponential(rate_q)']]
    """
    divergence = derivation.divergence
    if derivation.kind != "closed" or "zero-on-diagonal" not in divergence.axioms:
        return ()
    if divergence.integral:
        found = _of_order(derivation)
        return (found,) if found else ()
    if divergence.generator is not None or divergence.over != "densities":
        return ()
    terms = tuple(map(_of_term, _terms(derivation)))
    return terms if all(terms) else ()


def limit_at_one(derivation: Derivation) -> Limit | None:
    """The KL divergence that a divergence with a free order is at order 1, if all its cases can be compiled.

    >>> from klsym import Exponential, renyi
    >>> limit_at_one(renyi(Exponential, Exponential, "a").derivation).derivation.divergence.name
    'kl'
    >>> limit_at_one(renyi(Exponential, Exponential, 2).derivation) is None
    True
    """
    divergence = derivation.divergence
    if "kl-at-1" not in divergence.axioms or all(value.is_number for value in divergence.values):
        return None
    found = derive(kl, derivation.p, derivation.q)
    known = all(case.kind in ("closed", "infinite") for case in found.cases)
    return Limit(found, generals(found)) if known else None


def _terms(derivation: Derivation) -> list[Derivation]:
    """The KL divergences that it is the sum of: of P from Q, and of Q from P."""
    p, q = derivation.p, derivation.q
    known = {kl.written(LOG_P, LOG_Q, P, Q): (p, q), reverse_kl.written(LOG_P, LOG_Q, P, Q): (q, p)}
    calls = sp.Add.make_args(derivation.divergence.written(LOG_P, LOG_Q, P, Q))
    if derivation.divergence.name == kl.name or not known.keys() >= set(calls):
        return [derivation]
    return [derive(kl, *known[call]) for call in calls]


def _of_term(derivation: Derivation) -> tuple[General, ...]:
    p, q = derivation.p, derivation.q
    whole = (General(derivation, p, q),) if p.family == q.family else ()
    if p.family == q.family and all(isinstance(value, sp.Symbol) for value in (*p.values, *q.values)):
        return whole
    found = (_general(derivation, *images) for images in common(p, q))
    return tuple(general for general in found if general is not None) or whole


def _of_order(derivation: Derivation) -> tuple[General, ...]:
    """The Renyi divergence of a generic order that has the same integral, of generic members of the family of both."""
    of = integral(derivation.divergence, derivation.p, derivation.q)
    m, o = of.m, of.o
    if m.family != o.family:
        return ()
    name = sp.Symbol(f"{ALPHA}#order", **ALPHA.assumptions0)
    found = _general(replace(derivation, divergence=renyi.subs({ALPHA: name}), p=m, q=o), m, o)
    return () if found is None else (replace(found, values=(1 - of.b,), middle=_middle(found.derivation, name)),)


def _middle(whole: Derivation, order: sp.Symbol) -> Middle | None:
    """The member between two generic ones, where there is one and their KL divergence is closed."""
    found = between(whole.p, whole.q, order)
    own = None if found is None else derive(kl, whole.p, whole.q)
    return None if found is None or own is None or own.kind != "closed" else Middle(own, found)


def common(p: Distribution, q: Distribution) -> Iterator[tuple[Distribution, Distribution]]:
    """The two as members of each family that holds both families, the one of fewest parameters first.

    >>> from klsym import Chi, Exponential, Rayleigh
    >>> next(common(Chi("nu"), Rayleigh("s")))
    (Nakagami(nu/2, nu), Nakagami(1, 2*s**2))
    """
    own = {p.family, q.family}
    known = own if len(own) == 1 else own.union(catalog.values())
    for family in sorted(known, key=lambda family: (len(family.parameters), family.name)):
        images = (_image(p, family), _image(q, family))
        if images[0] is not None and images[1] is not None:
            yield images[0], images[1]


def _image(distribution: Distribution, family: Family) -> Distribution | None:
    values = member(distribution.family, family)
    return None if values is None else Distribution(family, tuple(v.xreplace(distribution.bindings) for v in values))


def _general(derivation: Derivation, p: Distribution, q: Distribution) -> General | None:
    """The divergence of generic members that share what p and q share, if it is closed wherever `derivation` is."""
    # Names outside the whitelist, one for each family: they stand for what is bound, and never reach code.
    first, second = p.family.member(f"_p#{p.family.name}"), q.family.member(f"_q#{q.family.name}")
    shared = (a if x == y else b for a, b, x, y in zip(first.values, second.values, p.values, q.values, strict=True))
    whole = derive(derivation.divergence, first, Distribution(q.family, tuple(shared)))
    if whole.kind != "closed":
        return None
    if derivation.p.family != derivation.q.family:
        bound = dict(zip((*first.values, *second.values), (*p.values, *q.values), strict=True))
        if whole.cases[0].when.xreplace(bound) not in (sp.true, derivation.cases[0].when):
            return None
    return General(whole, p, q)
