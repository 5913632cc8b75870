"""The nearest member of a family: moment matching, maximum likelihood, and the modes of variational inference."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import sympy as sp

from .adapters import library
from .api import kl
from .arrays.family import ArrayDistribution, ArrayFamily
from .core.errors import ParameterError
from .core.family import Distribution, Family
from .core.mixture import Mixture, same_space
from .nearest.equations import Target, target
from .nearest.forward import forward, within
from .nearest.law import Known, Mixed, Nodes, Sampled
from .nearest.problem import Problem
from .nearest.result import Projection
from .nearest.reverse import reverse

DIRECTIONS = ("forward", "reverse")


def project(
    p: Any, onto: Any, direction: str = "forward", *, weights: Any = None, starts: int = 12, base: Any = None
) -> Projection:
    """The member of a family nearest to p: of the least KL(p || q), or with direction "reverse" of KL(q || p).

    p: a distribution of numbers or names, one of another library, a mixture, or samples, an array (n,) of outcomes, for
    vectors (n, k), with `weights` (n,) that are divided by their sum; forward is then maximum likelihood. onto: a
    family, or a member of it with what is bound to numbers and names for what is free, Pareto(1, "alpha"). starts: from
    how many places at least the reverse direction descends. Forward, KL(p || q) is least where the mean score vanishes:
    E_p[T] = E_q[T] in an exponential family; reverse, every local minimum found is a point of the result, for mixtures
    of normal vectors in up to two coordinates. base: the unit of divergences, nats by default. Raises
    ParameterError for samples outside the support, degenerate ones and directions that do not exist, UnderivableError
    where no member is nearest, or p has symbols and there is no closed form. (Murphy, Machine Learning, 2012, 21.2.2;
    Bishop, Pattern Recognition and Machine Learning, 2006, 10.1.2 and 10.7.)

    >>> from klsym import Gamma, Normal, mixture, project
    >>> project(Gamma("a", "b"), Normal).member
    Normal(a/b, sqrt(a)/b)
    >>> two = mixture([0.3, 0.7], [Normal(-3, 1), Normal(3, 0.5)])
    >>> [round(float(q.values[0]), 2) for q in project(two, Normal, "reverse").members]
    [3.0, -3.0]
    >>> round(project(Gamma(2, 1), Normal, base=2).divergence, 6)
    0.271654
    >>> project([1.0, 2.0, 4.0, 5.0], Normal).member
    Normal(3, 1.5811388300841898)
    """
    return _projection(p, onto, direction, weights, starts).in_base(base)


def _projection(p: Any, onto: Any, direction: str, weights: Any, starts: int) -> Projection:
    if direction not in DIRECTIONS:
        raise ParameterError(f"direction is {direction!r}; it must be 'forward' or 'reverse'")
    if not isinstance(starts, int) or starts < 1:
        raise ParameterError(f"starts is {starts}; a positive whole number is needed")
    if library(p):
        from .adapters.measure import single

        p = single(p)
    if isinstance(onto, (ArrayFamily, ArrayDistribution)):
        from .nearest.arrays import project_arrays

        return project_arrays(p, onto, direction, weights, starts, kl)
    if not isinstance(onto, (Family, Distribution)):
        raise ParameterError(f"{onto!r} is no family to project onto; give one, as klsym.Normal")
    p = p.member("_p") if isinstance(p, Family) else p
    member = onto if isinstance(onto, Distribution) else _generic(onto, p)
    of = target(member, p.symbols if isinstance(p, Distribution) else set())
    if isinstance(p, ArrayDistribution):
        same_space(p, member)
    if not isinstance(p, (Distribution, Mixture)):
        law = _samples(p, weights, of)
        named = f"{len(law.nodes.x)} samples"
        return replace(_nearest(Problem(named, law, of, direction, kl), starts), samples=law.nodes)
    if weights is not None:
        raise ParameterError("weights are those of samples; a distribution has none")
    if isinstance(p, Mixture) and len(p.components) == 1:
        p = p.components[0]
    same_space(p.components[0] if isinstance(p, Mixture) else p, member)
    problem = Problem(p, Mixed(p) if isinstance(p, Mixture) else Known(p), of, direction, kl)
    found = within(problem) or _nearest(problem, starts)
    other = next(d for d in DIRECTIONS if d != direction)
    return replace(found, opposite=partial(project, p, onto, other, starts=starts))


def _generic(family: Family, p: Any) -> Distribution:
    """The generic member, its parameters subscripted _q where their names are taken by P's symbols."""
    plain = family.member("")
    taken = {s.name for s in p.symbols} if isinstance(p, Distribution) else set()
    return family.member("_q") if taken & {v.name for v in plain.values} else plain


def _nearest(problem: Problem, starts: int) -> Projection:
    return forward(problem) if problem.direction == "forward" else reverse(problem, starts)


def _samples(given: Any, weights: Any, of: Target) -> Sampled:
    """The samples as they are checked: numbers, at least one, each in the support of the family."""
    x = np.asarray(given)
    if x.dtype.kind not in "iufb" or x.ndim != 1:
        raise ParameterError(
            f"samples of {of.member.family.name} are an array (n,) of numbers; shape {x.shape} of {x.dtype} was given"
        )
    x = x.astype(float)
    if not x.size:
        raise ParameterError("there are no samples; one at least is needed")
    w = _weights(weights, x.size)
    for place in np.flatnonzero(~np.isfinite(x)):
        raise ParameterError(f"sample {place} is {x[place]}; leave it out, or give it a number")
    low, high = (_end(e, of) for e in (of.member.support.lower, of.member.support.upper))
    whole = of.member.family.discrete
    with np.errstate(invalid="ignore"):
        strange = (x < low) | (x > high) | (whole & (x != np.floor(x)))
    if not whole and not of.member.support.periodic:
        strange |= ((x == low) & _open(of, "lower")) | ((x == high) & _open(of, "upper"))
    for place in np.flatnonzero(strange & (w > 0)):
        kind = "whole numbers" if whole else "numbers"
        raise ParameterError(
            f"sample {place} is {x[place]:.12g}, outside the support of {of.member}: {kind} from {low:g} to {high:g}"
        )
    return Sampled(Nodes(x[w > 0], w[w > 0] / w.sum()), whole)


def _end(end: Any, of: Target) -> float:
    """An end of the support in doubles; one that is free to move is anywhere."""
    if end.free_symbols:
        return -np.inf if end == of.member.support.lower else np.inf
    return float(end)


def _open(of: Target, side: str) -> bool:
    """Whether the log density is not defined at that end of the support."""
    end = getattr(of.member.support, side)
    if not end.is_finite or end.free_symbols:
        return False
    value = of.log_density.xreplace({of.x: end})
    return bool(value.has(sp.zoo, sp.nan, sp.oo) or value == -sp.oo)


def _weights(given: Any, size: int) -> Any:
    if given is None:
        return np.full(size, 1.0)
    w = np.asarray(given)
    if w.dtype.kind not in "iufb":
        raise ParameterError(f"weights are numbers, one for each sample; {w.dtype} was given")
    w = w.astype(float)
    if w.shape != (size,):
        raise ParameterError(f"weights have shape {w.shape} for {size} samples; one for each is needed")
    for place in np.flatnonzero(~np.isfinite(w) | (w < 0)):
        raise ParameterError(f"weight {place} is {w[place]}; weights are finite and not negative")
    if not w.sum() > 0:
        raise ParameterError("the weights are all 0")
    return w


__all__ = ["Projection", "project"]
