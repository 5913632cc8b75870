"""The command line: derive, evaluate, generate, verify, and the catalog, as text or as one JSON document."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NoReturn

from . import __version__
from .audit import command
from .core.errors import KlsymError, ParameterError

# Nothing heavier than the standard library is imported before a verb runs: `klsym --help` answers at once.

EPILOG = """\
P and Q are families, each with any of its parameters bound:

  klsym derive gamma weibull
  klsym evaluate gamma alpha=5 beta=2 weibull k=1.5 lam=3 --digits 30
  klsym derive normal mu=0 sigma=s normal mu=m sigma=s
  klsym derive 'x**(a-1)*exp(-x)/gamma(a), x>0, a>0' gamma

A value is a decimal or a quotient, taken exactly as written (0.1 means 1/10, not the double next to it), or a name.
Family names ignore case, `-` and `_`. The expectation is under P, the first of the two, and the unit is the nat unless
--base says otherwise. Exit status: 0 fine, 1 a check failed or is undecided, 2 misuse."""

BINDING = re.compile(r"([A-Za-z]\w*)=(?!=)(.*)", re.DOTALL)
DECIMAL = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?"
QUOTIENT = r"[+-]?\d+/\d+"
NUMBER = re.compile(rf"{DECIMAL}|{QUOTIENT}", re.ASCII)
NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
CALLABLE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
OPERATORS = frozenset(",*+/()<>^")
ALONE = ("entropy", "renyi_entropy", "tsallis_entropy")
ORDERED = ("renyi", "tsallis", "alpha_divergence", "chernoff", *ALONE[1:])
WEIGHTED, GENERATED = "jensen_shannon", "f_divergence"
DIVERGENCES = ("kl", "reverse_kl", "jeffreys", "cross_entropy", "entropy", *ORDERED, "bhattacharyya", "hellinger2",
               "hellinger", "chi2", "reverse_chi2", WEIGHTED, "jensen_shannon_distance", "total_variation",
               "kolmogorov", "wasserstein1", "wasserstein2", "wasserstein2_squared",
               "chernoff_information", "fisher_rao")  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What a verb has to say: the text, the same as plain data, and whether everything is fine."""

    text: str
    document: Any
    ok: bool = True


class Parser(argparse.ArgumentParser):
    """Misuse is one line on standard error, and status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"klsym: {message}; `{self.prog} --help` tells more\n")


def number_or_name(text: str, name: str) -> Fraction | str:
    """The exact number that the text writes, or the name that it is."""
    if NUMBER.fullmatch(text) and len(text) <= 400:
        try:
            return Fraction(text)
        except ZeroDivisionError:
            raise ParameterError(f"{name}={text} divides by zero") from None
    if NAME.fullmatch(text):
        return text
    raise ParameterError(
        f"{name}={text[:40]} is neither a number nor a name; write a decimal (0.25, 1e-3), a quotient (1/4) or a name"
    )


def distributions(words: Sequence[str]) -> list[Any]:
    """The families, or distributions, that the words name: a family, its name=value bindings, the next family, …"""
    from .families import find

    found: list[tuple[Any, dict[str, Fraction | str]]] = []
    for word in words:
        binding = BINDING.fullmatch(word)
        if binding and not found:
            raise ParameterError(f"{word!r} comes before any family; write the family first, then its parameters")
        if binding:
            name, text = binding.groups()
            if name in found[-1][1]:
                raise ParameterError(f"{name} is bound twice for {found[-1][0].name}; keep one of the two")
            found[-1][1][name] = number_or_name(text, name)
        elif OPERATORS & set(word):
            from .densities import from_text

            found.append((from_text(word), {}))
        else:
            found.append((find(word), {}))
    return [family(**bound) if bound else family for family, bound in found]


def pair(words: Sequence[str], count: int = 2) -> list[Any]:
    """That many distributions, or a ParameterError which says what was found."""
    found = distributions(words)
    if len(found) != count:
        wanted = "two distributions, P and then Q" if count == 2 else "one distribution"
        raise ParameterError(f"{wanted}, are needed; {len(found)} were given: {', '.join(map(str, found)) or 'none'}")
    return found


def formula(args: argparse.Namespace) -> Any:
    """The Formula that the arguments ask for."""
    members = pair(args.words, 1 if args.divergence in ALONE else 2)
    from . import api

    found = api.measured(divergence(args), members[0], members[-1], None, tuple(args.share), args.deep, {})
    return found.in_base(args.base)


def divergence(args: argparse.Namespace) -> Any:
    """The divergence that the arguments name, at the values that they give for its own parameters."""
    from . import api, divergences

    name, alpha, weight, generator = map(vars(args).get, ("divergence", "alpha", "weight", "generator"))
    name = name or "kl"
    if (generator is not None) != (name == GENERATED):
        raise ParameterError(f"{GENERATED} needs --generator, its f such as 't*log(t)', and only it has one")
    if (alpha is not None) != (name in ORDERED):
        need = f"needs --alpha, its order, and only {', '.join(ORDERED)} have one"
        raise ParameterError(f"{name} {need if alpha is None else 'has no --alpha'}")
    if weight is not None and name != WEIGHTED:
        raise ParameterError(f"{name} has no --weight, only {WEIGHTED} has")
    if generator is not None:
        from .generators import generated

        return generated(generator)
    named = getattr(divergences, name)
    if name == WEIGHTED:
        return api.ordered(named, number_or_name(weight or "1/2", "weight"))
    return named if alpha is None else api.ordered(named, number_or_name(alpha, "alpha"))


def derive(args: argparse.Namespace) -> Answer:
    f = formula(args)
    text = f.latex(steps=args.steps) if args.latex else f.explain() if args.steps else str(f)
    return Answer(text, f.to_json(), ok=f.kind != "undecided")


def evaluate(args: argparse.Namespace) -> Answer:
    number = formula(args).evaluate(digits=args.digits)
    unit = f"in {number.unit}; " if number.unit else ""
    return Answer(f"{number}\n  {unit}{number.proof}: {number.why}", number.to_json())


def generate(args: argparse.Namespace) -> Answer:
    f = formula(args)
    source = f.generate(args.target)
    return Answer(source.rstrip("\n"), {"target": args.target, "source": source, **f.to_json()})


def verify(args: argparse.Namespace) -> Answer:
    if CALLABLE.fullmatch(args.words[0]):
        report = verify_function(args)
    else:
        report = formula(args).check(points=args.points, seed=args.seed)
    return Answer(str(report), report.to_json(), ok=report.ok)


def verify_function(args: argparse.Namespace) -> Any:
    """The report on a function of the user's own."""
    if args.base or args.share:
        raise ParameterError(
            "--base and --share are for formulas; a function is compared in nats, at parameters of its own"
        )
    members = pair(args.words[1:], 1 if args.divergence in ALONE else 2)
    from .subject import check

    return check(args.words[0], divergence(args), members[0], members[-1], points=args.points, seed=args.seed)


def project(args: argparse.Namespace) -> Answer:
    from . import projections

    p, onto = pair(args.words)
    found = projections.project(p, onto, args.direction, base=args.base)
    if args.plot:
        found.plot(args.plot)
    return Answer(found.explain() if args.steps else str(found), found.to_json())


def families(args: argparse.Namespace) -> Answer:
    from . import render

    if not args.matrix:
        return Answer(render.catalog_text(), render.catalog_rows())
    from . import pairs
    from .families import array_catalog, catalog, find

    arrays = {name: family for name, family in array_catalog().items() if not family.factors}
    whole = arrays if args.arrays else catalog
    chosen = [find(name) for name in args.only.split(",")] if args.only else list(whole.values())
    found = pairs.rows(chosen, args.deep, divergence(args))
    rows = list(render.with_progress(found, len(chosen) ** 2))
    return Answer(render.matrix_text(rows), rows)


def audit(args: argparse.Namespace) -> Answer:
    return Answer(*command.run(args, READING))


def bench(args: argparse.Namespace) -> Answer:
    from . import render
    from .bench import arrays, divergences, report, run, tensors

    if args.samples:
        from .bench import samples

        with run.single_thread():
            tried = list(samples.rows(args.dimensions, args.sizes, args.repeats, args.seed))
        return Answer(samples.text(tried, args.repeats), {"rows": tried})
    if args.divergences:
        with run.single_thread():
            found = list(divergences.rows(args.repeats))
        return Answer(divergences.text(found), {"rows": found})
    families = [(family, near) for near in (False, True) for family in run.TARGETS]
    with run.single_thread():
        races = (run.race(family, args.count, near, args.repeats) for family, near in families)
        rows = list(render.with_progress(races, len(families)))
        kernels = [] if args.brief else list(run.kernel_rows(args.count, args.repeats))
        first = [] if args.brief else [run.compiling(family, "numba") for family in ("Normal", "Beta")]
        share = min(args.count / 1_000_000, 1.0)
        batches = list(render.with_progress(arrays.rows(share, args.repeats), len(arrays.RACES)))
        differentiated = list(render.with_progress(tensors.rows(args.count, args.repeats), 20))
        in_tensors = list(render.with_progress(tensors.array_rows(share, args.repeats), len(tensors.ARRAYS)))
    found = report.Report(args.count, args.repeats, rows, kernels, first, batches, differentiated, in_tensors)
    return Answer(str(found), found.to_json())


VERBS: dict[str, tuple[Callable[[argparse.Namespace], Answer], str]] = {
    "derive": (derive, "the formula with its conditions"),
    "evaluate": (evaluate, "the number, to as many digits as are wanted and vouched for"),
    "generate": (generate, "source code, which needs no klsym to run"),
    "verify": (verify, "the formula, its steps and its code, or a function of one's own, against the oracle"),
    "project": (project, "the member of a family that is nearest to P, forward (moments) or reverse (modes)"),
    "audit": (audit, "klsym's own code, another implementation, or a table of values, beside proven values"),
    "bench": (bench, "nanoseconds an element, beside the other libraries that are installed"),
    "families": (families, "the catalog, with parameters and domains"),
}


def parser_of(verb: str) -> Parser:
    """The parser of one verb's arguments."""
    parser = Parser(
        prog=f"klsym {verb}",
        description=f"{VERBS[verb][1]}.",
        epilog=None if verb in ("families", "audit", "bench") else EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--json", action="store_true", help="print one JSON document, and nothing else")
    if verb == "audit":
        command.arguments(parser, READING)
        return parser
    if verb == "bench":
        add("--count", type=positive, default=1_000_000, metavar="N", help="elements (default: 1000000)")
        add("--repeats", type=positive, default=7, metavar="N", help="of which the least counts (default: 7)")
        add("--brief", action="store_true", help="neither single primitives nor compile times")
        add("--divergences", action="store_true", help="instead: values, errors and times of vectors' divergences")
        add("--samples", action="store_true", help="instead: bias, spread, coverage and time of estimates from samples")
        add("--dimensions", type=numbers, default=[1, 2, 5], metavar="A,B", help="of samples (default: 1,2,5)")
        add("--sizes", type=numbers, default=[100, 1000], metavar="A,B", help="of samples (default: 100,1000)")
        add("--seed", type=int, default=0, metavar="S", help="of the first sample (default: 0)")
        return parser
    add("--deep", action="store_true", help="where no rule applies, also try what takes long")
    if verb == "families":
        add("--matrix", action="store_true", help="what is known of the divergence of every ordered pair (minutes)")
        which(add, "default: kl")
        add("--arrays", action="store_true", help="with --matrix: the families of vectors, lists and matrices")
        add("--only", metavar="A,B,C", help="with --matrix: these families alone")
        return parser
    add("words", nargs="+", metavar="P Q", help="two distributions, each a family and then name=value ...")
    if verb == "project":
        add("--direction", default="forward", choices=("forward", "reverse"), help="least KL(P || Q), or KL(Q || P)")
        add("--base", type=base, metavar="B", help="the unit: 2 for bits (default: nats)")
        add("--steps", action="store_true", help="how it is found, step by step")
        add("--plot", metavar="PATH", help="a picture of P, the projections and the integrands (needs matplotlib)")
        return parser
    which(add, "default: kl; an entropy takes P alone")
    add("--base", type=base, metavar="B", help="the unit: 2 for bits (default: nats)")
    add("--share", action="append", default=[], metavar="NAME", help="a parameter that P and Q have in common")
    if verb == "derive":
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--steps", action="store_true", help="the derivation, step by step")
        how.add_argument("--latex", action="store_true", help="the formula as LaTeX")
    if verb == "evaluate":
        add("--digits", type=positive, default=15, metavar="N", help="significant digits (default: 15)")
    if verb == "generate":
        add("--target", default="numpy", metavar="NAME", help="numpy (default), numba, torch, jax, array_api or c")
    if verb == "verify":
        add("--points", type=positive, default=3, metavar="N", help="how many random parameter sets (default: 3)")
        add("--seed", type=int, default=0, metavar="S", help="of the random parameter sets (default: 0)")
    return parser


def which(add: Callable[..., Any], says: str) -> None:
    """The arguments that name a divergence."""
    add("--divergence", default="kl", choices=(*DIVERGENCES, GENERATED), help=says)
    add("--alpha", metavar="A", help=f"the order of {', '.join(ORDERED)}: a number or a name")
    add("--generator", metavar="F", help=f"of {GENERATED}: a convex function of t = p/q that is 0 at 1")
    add("--weight", metavar="W", help=f"of P in {WEIGHTED}, between 0 and 1 (default: 1/2)")


def base(text: str) -> Any:
    """An exact number; that it is positive and not 1 is the formula's to say."""
    import sympy as sp

    try:
        value = number_or_name(text, "base")
    except ParameterError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if isinstance(value, str):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return sp.Rational(value.numerator, value.denominator)


def positive(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdecimal() or not 1 <= int(text) <= 10_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 10000000")
    return int(text)


READING = command.Reading(positive, DIVERGENCES, divergence)


def numbers(text: str) -> list[int]:
    """Whole numbers of at least 1, with commas between them."""
    return [positive(part) for part in text.split(",")]


def answer(arguments: Sequence[str]) -> int:
    """Do what the arguments say, print the answer, and return the exit status."""
    top = Parser(
        prog="klsym",
        description="Kullback-Leibler divergence, derived, generated and verified.\n\nverbs:\n"
        + "\n".join(f"  {verb:<10}{says}" for verb, (_, says) in VERBS.items())
        + "\n\n`klsym VERB --help` lists the options of a verb.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        usage="klsym VERB ...",
    )
    top.add_argument("--version", action="version", version=f"klsym {__version__}")
    top.add_argument("verb", choices=VERBS, metavar="VERB", help=argparse.SUPPRESS)
    verb = top.parse_args(arguments[:1]).verb
    args = parser_of(verb).parse_intermixed_args(list(arguments[1:]))
    said = VERBS[verb][0](args)
    print(json.dumps(said.document, indent=1) if args.json else said.text)
    return 0 if said.ok else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """The command `klsym`: 0 when all is fine, 1 when a check failed or is undecided, 2 on misuse."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a lambda gets an escape, not a traceback.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    try:
        status = answer(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except KlsymError as error:
        print(f"klsym: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader has gone, as `head` does; nothing may be written at interpreter shutdown either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return status
