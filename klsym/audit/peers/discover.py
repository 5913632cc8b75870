"""What a subject answers, found by asking it at everyday members, never by reading its registries."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np

from ...core.errors import ParameterError
from .call import Call, Made, Quantity
from .child import ask
from .composites import COMPOSITES, MIXTURES, Composite
from .forms import Form, forms
from .job import Job
from .running import MAKING
from .subjects import subject

ASK = f"{ask.__module__}:{ask.__name__}"


@dataclass(frozen=True)
class Answering:
    """A question that is answered by a number, or, where `said` tells, by an exception that is no refusal.

    `p` and `q` are names of forms; what is around them is the composite of that name; `composite` alone is a pair of
    mixtures.
    """

    quantity: Quantity
    p: str
    q: str = ""
    composite: str = ""
    said: str = ""


Found = Generator[list[Job], list[Any], list[dict[str, Any]]]


def steps(name: str) -> Found:
    """The jobs of a discovery, in three rounds, and its result as plain data: a list of what `Answering` is made of.

    First the first forms of every two classes, and all forms of one; then the other forms of two classes that do not
    lack a divergence; then composites. Raises ParameterError for somebody's function, which answers for whatever
    families its author says.
    """
    if not subject(name).adapter:
        raise ParameterError(f"{name} is a function of numbers: the families that it is for have to be named")
    kinds = {each.name: each.kind for each in forms(name)}
    heads = {forms(name, kind)[0].name for kind in dict.fromkeys(kinds.values())}
    asked = list(_plain(name))
    first = [(a, c) for a, c in asked if not a.q or kinds[a.p] == kinds[a.q] or {a.p, a.q} <= heads]
    found = _answered(first, (yield _jobs(first)))
    known = {(kinds[a.p], kinds[a.q]) for a in found if a.q}
    done = {a for a, _ in first}
    rest = [(a, c) for a, c in asked if a not in done and (kinds[a.p], kinds[a.q]) in known]
    found += _answered(rest, (yield _jobs(rest)))
    more = [*_composed(name, found), *_mixed(name)]
    found += _answered(more, (yield _jobs(more)))
    return [asdict(each) for each in found]


def _jobs(asked: list[tuple[Answering, Call]]) -> list[Job]:
    return [Job(ASK, call.to_json()) for _, call in asked]


def discover(name: str) -> tuple[Answering, ...]:
    """What the subject answers, asked from this process."""
    rounds = steps(name)
    jobs = next(rounds)
    while True:
        try:
            jobs = rounds.send([ask(job.argument) for job in jobs])
        except StopIteration as end:
            return tuple(Answering(**each) for each in end.value)


def form(name: str, text: str) -> Form:
    """The form of a subject that has this name.

    >>> form("torch", "Geometric(logits)").arguments[0].domain.name
    'real'
    """
    return next(each for each in forms(name) if each.name == text)


def batch(each: Form) -> dict[str, Any]:
    """Values of the everyday member and of the second one, together: a batch of two; counts are shared."""
    first, second = each.everyday(), each.everyday(second=True)
    return {a.name: first[a.name] if a.counts else [first[a.name], second[a.name]] for a in each.arguments}


def _plain(name: str) -> Iterable[tuple[Answering, Call]]:
    known = forms(name)
    bare = subject(name).dialect.functions
    for each in known:
        made = each.made(each.everyday())
        if "entropy" in each.quantities:
            yield Answering("entropy", each.name), Call(name, "entropy", made)
        if "log_prob" in each.quantities:
            yield Answering("log_prob", each.name), Call(name, "log_prob", made, at=_outcome(each))
    for p, q in product(known, known):
        # Functions of arrays take arrays alone.
        if (p.kind in bare or q.kind in bare) and p.kind != q.kind:
            continue
        for quantity in ("kl", "jensenshannon"):
            if quantity in p.quantities:
                call = Call(name, quantity, p.made(p.everyday()), q.made(q.everyday(second=True)))
                yield Answering(quantity, p.name, q.name), call


def _outcome(each: Form) -> Any:
    """An outcome of which most everyday members have a density, of the right number of axes."""
    outcome = getattr(getattr(each.law, "family", None), "outcome", None)
    return {
        "simplex": [0.375, 0.625],
        "counts": [1, 2],
        "vectors": [0.25, 0.5],
        "positive vectors": [0.25, 0.5],
        "sphere": [0.6, 0.8],
        "matrices": [[0.1, 0.2], [0.3, 0.4]],
        "positive definite": [[2.0, 0.5], [0.5, 1.0]],
        "correlation matrices": np.eye(3).tolist(),
    }.get(getattr(outcome, "name", ""), 1 if _discrete(each) else 0.5)


def _discrete(each: Form) -> bool:
    family: Any = getattr(each.law, "family", None)
    outcome = getattr(family, "outcome", family)
    return bool(getattr(outcome, "discrete", False))


def _composed(name: str, found: list[Answering]) -> Iterable[tuple[Answering, Call]]:
    """Composites of what has a divergence from its own form, and an entropy."""
    bare = subject(name).dialect.functions
    for known in found:
        p = form(name, known.p)
        if known.said or p.kind in bare:
            continue
        for composite in COMPOSITES.get(name, ()):
            if known.quantity == "kl" and known.p == known.q:
                yield _composite(name, composite, p, "kl")
            if known.quantity == "entropy" and not composite.kl_only:
                yield _composite(name, composite, p, "entropy")


def _composite(name: str, composite: Composite, p: Form, quantity: Quantity) -> tuple[Answering, Call]:
    values = batch(p)
    turned = {key: value if isinstance(value, int) else value[::-1] for key, value in values.items()}
    q = p.made(turned, composite.q) if quantity == "kl" else None
    what = Answering(quantity, p.name, p.name if q else "", composite.name)
    return what, Call(name, quantity, p.made(values, composite.p), q)


def _mixed(name: str) -> Iterable[tuple[Answering, Call]]:
    mixtures: Mapping[str, tuple[Made, Made]] = MIXTURES.get(name, {})
    for text, (p, q) in mixtures.items():
        yield Answering("kl", p.kind, q.kind, text), Call(name, "kl", p, q)
        if p.kind != "Normal":
            yield Answering("entropy", p.kind, "", text), Call(name, "entropy", p)


def _answered(asked: list[tuple[Answering, Call]], answers: list[Any]) -> list[Answering]:
    """What has an answer, or an exception; composites that cannot be made are none of the library's."""
    found = []
    for (what, _), answer in zip(asked, answers, strict=True):
        refused = what.composite and answer["said"].startswith(MAKING)
        if answer["fate"] != "lacking" and not refused:
            said = "" if answer["fate"] == "answered" else f"{answer['fate']}: {answer['said']}"
            found.append(Answering(what.quantity, what.p, what.q, what.composite, said))
    return found
