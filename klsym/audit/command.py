"""The verb `audit`: of klsym itself, of another implementation, or of a table of values."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..core.errors import ParameterError

# Nothing heavier than the standard library is imported before the audit begins: `klsym audit --help` answers at once.

Said = tuple[str, Any, bool]
FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
BAD = "lost-digits, missing-gradient, wrong-shape, nan, false-infinity, wrong-sign, wrong-gradient, wrong-value, dies"
SELF, PEER, TABLE = "klsym itself", "another implementation", "a table of values"

DESCRIPTION = """\
klsym's own compiled code, another implementation, or a table of values, beside proven values.

  klsym audit self                          klsym, at points chosen to be hard
  klsym audit self --divergence chi2        of another divergence than KL
  klsym audit torch                         a whole library: torch, numpyro, tfp, distrax, scipy, sympy
  klsym audit torch Gamma Gamma             one of its pairs
  klsym audit mypkg.mod:my_kl gamma gamma   a function of P's parameters and then Q's
  klsym audit values.csv                    values that somebody has written down"""

EPILOG = """\
An audit of a library goes on where it was killed, from its journal. Exit status: 0 fine, 1 something is wrong (of
another implementation: as bad as --fail-on), 2 misuse.

The columns of a table of values: p and q, the families; p.alpha, q.k and so on, their parameters, as decimals or
quotients, taken exactly as written, empty where a row's family has none of that name; kl, reverse_kl, jeffreys,
cross_entropy or entropy, values in nats, with a label where there are several (kl:torch); note, which is passed over.
A value is right if it is rounded right: within half a unit of its last digit, or, in a column where one has 16 digits
or more, within 8 units of 2^-52."""


@dataclass(frozen=True)
class Option:
    """An option, and which audits take it."""

    name: str
    takers: tuple[str, ...]
    settings: dict[str, Any]

    @property
    def attribute(self) -> str:
        return self.name.removeprefix("--").replace("-", "_")


@dataclass(frozen=True)
class Reading:
    """How the command line reads a whole number of at least 1, and which divergence the arguments name."""

    positive: Callable[[str], int]
    divergences: tuple[str, ...]
    divergence: Callable[[argparse.Namespace], Any]


def options(reading: Reading) -> list[Option]:
    """Every option beside --json."""

    def option(name: str, *takers: str, **settings: Any) -> Option:
        return Option(name, takers, settings)

    positive = reading.positive
    number = {"type": positive, "metavar": "N"}
    return [
        option("--only", SELF, PEER, metavar="A,B,C", help="pairs with one of these families, or classes"),
        option(
            "--points", SELF, PEER, **number, help="self: a function, and again for climbing (10000); else a trial (64)"
        ),
        option("--seed", SELF, PEER, type=int, metavar="S", help="of the points (default: 0)"),
        option(
            "--minutes", SELF, PEER, type=positive, metavar="M", help="in all, about (default: self 15, else no end)"
        ),
        option("--jobs", SELF, PEER, **number, help="at a time (default: all cores)"),
        option(
            "--limit", SELF, TABLE, type=float, metavar="E", help="the error that passes (default: what is promised)"
        ),
        option("--divergence", SELF, choices=reading.divergences, help="default: kl"),
        option("--alpha", SELF, metavar="A", help="the order of one that has an order: a number, or a name for all"),
        option("--weight", SELF, metavar="W", help="of P in the mixture of jensen_shannon (default: 1/2)"),
        option("--pairs", SELF, choices=("same", "cross", "all"), help="of one family, of two, or both (default)"),
        option("--gradient", SELF, action="store_true", default=None, help="also the derivatives by the parameters"),
        option("--dtype", SELF, choices=("float64", "float32"), help="of parameters and results (default: float64)"),
        option("--backend", SELF, metavar="NAME", help="whose code, torch-pure for torch's own operations"),
        option("--dask", PEER, metavar="ADDRESS", help="the scheduler of a dask cluster that does the jobs"),
        option(
            "--journal",
            PEER,
            type=Path,
            metavar="PATH",
            help="where to keep what is known (default: in klsym's folder, until it is finished)",
        ),
        option(
            "--fail-on",
            PEER,
            metavar="SEVERITY",
            help=f"status 1 only where it is this bad: {BAD} (default: the first)",
        ),
        option("--html", PEER, type=Path, metavar="PATH", help="write a page, with maps of the errors"),
        option("--csv", PEER, type=Path, metavar="PATH", help="write the points, a row each"),
        option("--scripts", PEER, type=Path, metavar="DIR", help="write a script that shows it for every finding"),
    ]


def arguments(parser: argparse.ArgumentParser, reading: Reading) -> None:
    """What the verb takes."""
    parser.description, parser.epilog, parser.usage = DESCRIPTION, EPILOG, "klsym audit WHAT [P Q] [options]"
    parser.add_argument("what", metavar="WHAT", help="self, a library, package.module:function, or a CSV file")
    parser.add_argument("members", nargs="*", metavar="P Q", help="of another implementation: one pair of its classes")
    groups: dict[tuple[str, ...], Any] = {}
    for option in options(reading):
        if option.takers not in groups:
            groups[option.takers] = parser.add_argument_group(f"of {' and '.join(option.takers)}")
        groups[option.takers].add_argument(option.name, **option.settings)


def run(args: argparse.Namespace, reading: Reading) -> Said:
    """The audit that the arguments ask for: its text, the same as plain data, and whether everything is fine."""
    kind = SELF if args.what == "self" else TABLE if is_table(args.what) else PEER
    for option in options(reading):
        if getattr(args, option.attribute) is not None and kind not in option.takers:
            raise ParameterError(f"{option.name} is for an audit of {' or '.join(option.takers)}, not of {kind}")
    if args.members and (kind != PEER or len(args.members) != 2):
        raise ParameterError(f"{' '.join(args.members)}: P and Q, both, are for an audit of another implementation")
    if kind == SELF:
        return itself(args, reading)
    return {PEER: peer, TABLE: table}[kind](args)


def is_table(what: str) -> bool:
    """Whether it names a file of values, which must not be mistaken for a library of that name."""
    return what.casefold().endswith(".csv") or (not FUNCTION.fullmatch(what) and os.sep in what)


def given(args: argparse.Namespace, **defaults: Any) -> dict[str, Any]:
    """The options, with these defaults for those that were not given."""
    return {name: default if getattr(args, name) is None else getattr(args, name) for name, default in defaults.items()}


def itself(args: argparse.Namespace, reading: Reading) -> Said:
    """klsym's own compiled code."""
    from .. import render
    from ..families import find
    from . import report
    from . import run as audits
    from .subject import selected

    only = [find(name).name for name in args.only.split(",")] if args.only else []
    pairs = selected(args.pairs or "all", only)
    plan = audits.Plan(
        backend=args.backend,
        divergence=reading.divergence(args),
        **given(args, points=10_000, seed=0, minutes=15, dtype="float64", gradient=False),
    )
    rows = render.with_progress(audits.audit(pairs, plan, args.jobs or os.cpu_count() or 1), len(pairs))
    found = report.Report(plan, [row for several in rows for row in several], args.limit)
    return str(found), found.to_json(), found.ok


def table(args: argparse.Namespace) -> Said:
    """A file of values."""
    from .values import judge

    found = judge(Path(args.what), args.limit)
    return str(found), found.to_json(), found.ok


def peer(args: argparse.Namespace) -> Said:
    """Another implementation; what is to be written is written, whatever was found."""
    from ..render import bar
    from ..subject import imported
    from .peers import campaign, executors, page
    from .peers import table as tables
    from .peers.finding import Severity

    least = Severity.named(args.fail_on) if args.fail_on else min(Severity)
    only = tuple(args.only.split(",")) if args.only else ()
    p, q = args.members or (None, None)
    if FUNCTION.fullmatch(args.what):
        imported(args.what)  # a function that is not there is misuse, not a fault; the current folder joins the path
    plan = campaign.Plan(args.what, p, q, only, **given(args, points=64, seed=0))
    place = (
        partial(executors.dask, args.dask) if args.dask else partial(executors.local, args.jobs or os.cpu_count() or 1)
    )
    with place() as (executor, flight):
        found = campaign.audit(
            plan, executor, flight, args.journal, args.minutes, lambda done: bar(done.done, done.total, str(done))
        )
    for path, write in ((args.html, page.page), (args.csv, tables.points)):
        if path is not None:
            written(path, write(found))
    for place_, script in enumerate(found.findings if args.scripts else [], 1):
        written(args.scripts / f"{place_:03}_{tables.slug(script)}.py", script.script)
    return tables.text(found), found.to_json(), found.clean(least)


def written(path: Path, text: str) -> None:
    """Write the file, and its folder; ParameterError where that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ParameterError(f"{path} cannot be written: {error}") from None
