"""What joint distributions are asked for: marginals, conditional laws, mutual information, and chains."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

import sympy as sp

from . import divergences, vectors
from .api import entropy
from .array_formula import ArrayFormula, formula
from .arrays.family import ArrayDistribution, Factor, substitute
from .arrays.joint import bound, joint
from .bayes import bayes
from .core.derivation import Case, Derivation, Step
from .core.errors import ParameterError, UnderivableError, nearest
from .core.family import Distribution, exact
from .derive.joint import cancelled, vanishes
from .evaluation import unit_base

Factors = tuple[Factor, ...]


def marginal(law: ArrayDistribution, *names: str) -> Any:
    """The law of some outcomes of a joint distribution, the others integrated out.

    law: a joint distribution; names: of the outcomes that stay. Raises ParameterError for a name that is no outcome,
    UnderivableError where an integral has no rule: known are kernels of numbers (normal, gamma, beta, ...) and normal
    vectors whose mean depends on others by a matrix. (Cover and Thomas, Elements of Information Theory, 2.2.)

    >>> from klsym import Gamma, Poisson, joint, marginal
    >>> marginal(joint(Gamma("a", "b"), lambda rate: Poisson(rate)), "x")
    NegativeBinomial(a, b/(b + 1))
    """
    factors = list(_factors(law))
    kept = {_find(law, name) for name in names}
    for x in [f.outcome for f in reversed(factors) if f.outcome not in kept]:
        place = next(n for n, f in enumerate(factors) if f.outcome == x)
        after = [n for n in range(place + 1, len(factors)) if _depends(factors[n].law, x)]
        if len(after) > 1:
            raise UnderivableError(f"{x} stands in the laws of several outcomes, which no rule integrates")
        if after:
            factors[after[0]] = replace(factors[after[0]], law=bayes(factors[place], factors[after[0]])[0])
        del factors[place]
    return _law(tuple(factors))


def condition(law: ArrayDistribution, **observed: Any) -> Any:
    """The law of the other outcomes of a joint distribution given some of them: Bayes' rule.

    law: a joint distribution; observed: a number or a name for each outcome that is known. Raises as `marginal`.
    (Bernardo and Smith, Bayesian Theory, 5.2.)

    >>> from klsym import Gamma, Poisson, condition, joint
    >>> condition(joint(Gamma("a", "b"), lambda rate: Poisson(rate)), x=3)
    Gamma(a + 3, b + 1)
    """
    factors = list(_factors(law))
    for name, value in observed.items():
        y = _find(law, name)
        place = next(n for n, f in enumerate(factors) if f.outcome == y)
        seen = factors.pop(place)
        for n in reversed(range(place)):
            if _depends(seen.law, factors[n].outcome):
                seen_law, posterior = bayes(factors[n], seen)
                factors[n], seen = replace(factors[n], law=posterior), replace(seen, law=seen_law)
        at = {y: _value(seen, value)}
        factors = [replace(f, law=_put(f.law, at)) for f in factors]
    if not factors:
        raise ParameterError(f"every outcome of {law} is given; one at least must be left")
    return _law(tuple(factors))


def mutual_information(
    law: Any, first: str | None = None, second: str | None = None, *, given: Any = (), base: Any = None, **options: Any
) -> Any:
    """Mutual information: the divergence of a joint distribution from the product of its marginals.

    law: a joint distribution, of which `first` and `second` name two outcomes (its two, if it has no more), given those
    that `given` names; or a joint table of probabilities, `given` one of its axes (see `klsym.vectors`). `base`: the
    unit, nats by default. Raises as `marginal`. (Cover and Thomas, Elements of Information Theory, 2.3 and 2.5.)

    >>> from klsym import Normal, joint, mutual_information
    >>> mutual_information(joint(Normal(0, 1), lambda x: Normal(x, 1))).value
    log(2)/2
    >>> mutual_information([[0.5, 0.0], [0.0, 0.5]])
    0.6931471805599...
    """
    if not isinstance(law, ArrayDistribution):
        axis = {} if given == () else {"given": given}
        return vectors.mutual_information(law, base=base, **axis, **options)
    factors = _factors(law)
    names = [str(f.outcome) for f in factors]
    given = (given,) if isinstance(given, str) else tuple(given)
    if first is None or second is None:
        rest = [name for name in names if name not in given]
        if len(rest) != 2:
            raise ParameterError(f"{law} has the outcomes {', '.join(names)}; name the two that are meant")
        first, second = rest
    x, y = sorted((_find(law, first), _find(law, second)), key=lambda s: names.index(str(s)))
    whole = _first(_factors(marginal(law, *given, str(x), str(y))), given)
    last = whole[-1]
    alone = replace(last, law=bayes(whole[-2], last)[0]) if _depends(last.law, x) else last
    condition = f" | {', '.join(given)}" if given else ""
    what = f"I({x}; {y}{condition})"
    try:
        found = formula(divergences.kl, bound(whole), bound((*whole[:-1], alone)), unit_base(base))
    except UnderivableError:
        return _by_entropies(what, whole, alone, unit_base(base))
    why = "the divergence of the joint distribution from the product of its marginals"
    return _named(found, what, (Step("mutual information", sp.Symbol(what), sp.Symbol("kl"), why=why), *found.steps))


def _by_entropies(what: str, whole: Factors, alone: Factor, base: Any) -> ArrayFormula:
    """I(X; Y | Z) = H(X, Z) + H(Y, Z) - H(X, Y, Z) - H(Z)"""
    given, (x, y) = whole[:-2], whole[-2:]
    terms = [(1, (*given, x)), (1, (*given, alone)), (-1, (*given, x, y)), (-1, given)]
    written, total, steps = [], sp.S.Zero, []
    for sign, factors in terms:
        if factors:
            name = sp.Symbol(f"H({', '.join(str(f.outcome) for f in factors)})")
            value = entropy(_law(factors)).value
            steps.append(Step("entropy", name, value, why=f"of {_law(factors)}"))
            written.append(sign * name)
            total += sign * value
    why = "Cover, Thomas, Elements of Information Theory, 2.4"
    opening = Step("mutual information", sp.Symbol(what), sp.Add(*written), why=why)
    total = cancelled(total)
    closing = Step("sum", sp.Symbol(what), total, why="the terms together")
    p, q = bound(whole), bound((*whole[:-1], alone))
    found = Derivation(divergences.kl, p, q, (Case("closed", total, sp.true),), ())
    return _named(ArrayFormula(found, {}, base), what, (opening, *steps, closing))


def _named(found: ArrayFormula, what: str, steps: tuple[Step, ...]) -> ArrayFormula:
    divergence = replace(found.derivation.divergence, notation=what)
    return replace(found, derivation=replace(found.derivation, divergence=divergence, steps=steps))


def markov_chain(initial: Any, transition: Any, steps: int) -> ArrayDistribution:
    """The joint distribution of x0, x1, ..., a chain of that many steps.

    initial: the law of x0; transition: a function of an outcome that returns the law of the next. A divergence of two
    chains is that of their paths. (Cover and Thomas, Elements of Information Theory, 4.1.)

    >>> from klsym import Normal, kl, markov_chain
    >>> kl(*(markov_chain(Normal(0, 1), lambda x: Normal(a * x, 1), 2) for a in (0, 1))).value
    1
    """
    if not isinstance(steps, int) or not 1 <= steps <= 64:
        raise ParameterError(f"steps is {steps}; a whole number from 1 to 64 is needed")
    laws: dict[str, Any] = {"x0": initial}
    for n in range(1, steps + 1):
        laws[f"x{n}"] = _after(transition, f"x{n - 1}")
    return joint(**laws)


def kl_rate(p: Any, q: Any, stationary: Any = None, *, base: Any = None) -> Any:
    """The divergence rate of two Markov chains: that of the next outcome, in the stationary state of P.

    p, q: transition functions, with the `stationary` law of P's, which is checked; the result is a formula. Or matrices
    (..., K, K) of transition probabilities, rows summing to 1, of which P's has one stationary law; the result is an
    array. Raises ParameterError for a law that is not stationary.
    (Cover and Thomas, Elements of Information Theory, theorem 4.2.4; Rached, Alajaji, Campbell 2004.)

    >>> import sympy as sp
    >>> from klsym import Normal, kl_rate
    >>> kl_rate(lambda x: Normal(x / 2, 1), lambda x: Normal(0, 1), Normal(0, 2 / sp.sqrt(3))).value
    1/6
    >>> round(kl_rate([[0.5, 0.5], [0.25, 0.75]], [[0.5, 0.5], [0.5, 0.5]], base=2), 12)
    0.125814583694
    """
    if stationary is None:
        from . import chains

        return chains.kl_rate(p, q, base=base)
    first, second = (joint(x0=stationary, x1=_after(law, "x0")) for law in (p, q))
    if not _same(marginal(first, "x1"), first.factors[0].law):
        raise ParameterError(f"{stationary} is not stationary: the next outcome is of {marginal(first, 'x1')}")
    return formula(divergences.kl, first, second, unit_base(base))


def _after(transition: Any, name: str) -> Any:
    """The transition as a function of the outcome of that name."""

    def law(x: Any) -> Any:
        return transition(x)

    law.__signature__ = inspect.Signature([inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY)])  # type: ignore[attr-defined]
    return law


def _depends(law: Any, x: Any) -> bool:
    """Whether the outcome stands in the law's parameters."""
    return any(isinstance(v, sp.Basic) and v.has(x) for v in law.values)


def _factors(law: Any) -> Factors:
    if not isinstance(law, ArrayDistribution) or not law.family.factors:
        raise ParameterError(f"{law} is no joint distribution; joint(...) makes one")
    return law.factors


def _first(factors: Factors, names: tuple[str, ...]) -> Factors:
    """The same joint distribution with these outcomes before the others, by reversing arcs (Shachter, 1988)."""
    order = list(factors)
    for place, name in enumerate(names):
        at = next(n for n, f in enumerate(order) if str(f.outcome) == name)
        for n in range(at, place, -1):
            earlier, later = order[n - 1], order[n]
            if _depends(later.law, earlier.outcome):
                alone, posterior = bayes(earlier, later)
                earlier, later = replace(earlier, law=posterior), replace(later, law=alone)
            order[n - 1], order[n] = later, earlier
    return tuple(order)


def _find(law: ArrayDistribution, name: str) -> Any:
    known = {str(f.outcome): f.outcome for f in law.factors}
    if name not in known:
        raise ParameterError(f"{law} has no outcome {name!r}{nearest(name, known)}")
    return known[name]


def _law(factors: Factors) -> Any:
    return factors[0].law if len(factors) == 1 else bound(factors)


def _put(law: Any, values: dict[Any, Any]) -> Any:
    return replace(law, values=tuple(substitute(v, values) if isinstance(v, sp.Basic) else v for v in law.values))


def _value(seen: Factor, value: Any) -> Any:
    """What was observed: a number, a name or an expression for a number, a name for an array."""
    if isinstance(seen.law, Distribution):
        return (
            sp.Symbol(value, **seen.outcome.assumptions0) if isinstance(value, str) else exact(value, str(seen.outcome))
        )
    if isinstance(value, str):
        return seen.law.variable.func(value, *seen.law.variable.shape)
    raise ParameterError(f"{seen.outcome} is an array: name what was observed, and bind it in the formula")


def _same(first: Any, second: Any) -> bool:
    if first.family != second.family or isinstance(first, ArrayDistribution):
        return first == second
    return all(vanishes(a - b) for a, b in zip(first.values, second.values, strict=True))
