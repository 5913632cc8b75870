"""Somebody's function as the subject of a check: its values beside the oracle's, at random everyday parameters."""

from __future__ import annotations

import contextlib
import importlib
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath as mp
import sympy as sp

from . import oracles
from .core.divergence import Divergence
from .core.errors import ParameterError
from .core.family import Distribution, Family
from .core.sampling import draw
from .core.value import Value, Verdict, compare
from .verification import CODE_TOLERANCE, Report, Row


def imported(name: str) -> Callable[..., Any]:
    """The function that `package.module:function` names; the current folder is searched first.

    >>> imported("math:hypot")(3, 4)
    5.0
    """
    module, _, attribute = name.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        with contextlib.redirect_stdout(sys.stderr):
            found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except Exception as error:
        raise ParameterError(
            f"{name} cannot be imported ({type(error).__name__}: {error}); is it on the path?"
        ) from error
    if not callable(found):
        raise ParameterError(f"{name} is a {type(found).__name__}, not a function of P's parameters and then Q's")
    return found


def check(
    name: str, divergence: Divergence, p: Family | Distribution, q: Family | Distribution, *, points: int, seed: int
) -> Report:
    """The named function, in nats, beside the definition; it is called with P's parameters and then Q's, as floats.

    An entropy's function is called with P's alone. Raises ParameterError where the name is no function.
    """
    function = imported(name)
    first = p.member("_p") if isinstance(p, Family) else p
    second = q.member("_q") if isinstance(q, Family) else q
    members = (first, second)[: divergence.arity]
    title = f"{name} beside {divergence.name} of {' and '.join(map(str, members))}"
    rng = random.Random(seed)
    rows: list[Row] = []
    for _ in range(points):
        point = draw(members, sp.true, rng)
        if point is None:
            raise ParameterError(f"no everyday parameters were found for {title}; bind some of them")
        # The function sees doubles, so the oracle measures at exactly those.
        seen = {symbol: sp.Rational(float(value)) for symbol, value in point.items()}
        bound = [member.subs(seen) for member in members]
        truth = oracles.measure(divergence, bound[0], bound[-1], 20)
        got = called(function, bound)
        verdict = compare(got, truth, CODE_TOLERANCE)
        # No number where there is one is a wrong answer, not an open question.
        rows.append(Row(name, point, got, truth, Verdict.DISAGREE if mp.isnan(got.mid) and truth.vouched else verdict))
    return Report(title, tuple(rows))


def called(function: Callable[..., Any], members: list[Distribution]) -> Value:
    """What the function returns at the members' parameters; NaN, with a note, if it raises."""
    arguments = [
        int(value) if parameter.domain.integer else float(value)
        for member in members
        for parameter, value in zip(member.family.parameters, member.values, strict=True)
    ]
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return Value(mp.mpf(float(function(*arguments))), mp.mpf(0), "float")
    except Exception as error:
        return Value(mp.nan, mp.inf, "float", f"{type(error).__name__}: {error}")
