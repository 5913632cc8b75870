"""The public face: a divergence of two distributions is a Formula, with its derivation, code and checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from . import divergences
from .adapters import library
from .answer import Answer
from .core.derivation import Derivation
from .core.differentiate import differentiated
from .core.divergence import Divergence
from .core.domain import Outcome
from .core.errors import NoCommonSpaceError, ParameterError, UnderivableError, nearest
from .core.family import Distribution, Family, exact
from .core.mixture import Mixture
from .core.program import Program
from .derive import derive
from .derive.binding import bind
from .divergences import ordered
from .evaluation import Number, evaluate, unit_base
from .verification import Report, verify

Measure = Family | Distribution


@dataclass(frozen=True, repr=False)
class Formula(Answer):
    """A divergence of two distributions: its cases, each with its condition, and what can be done with them.

    >>> from klsym import kl, Exponential
    >>> f = kl(Exponential, Exponential)
    >>> f.kind, f.value
    ('closed', log(rate_p) - log(rate_q) - 1 + rate_q/rate_p)
    """

    derivation: Derivation
    base: sp.Expr | None = None

    @property
    def parameters(self) -> tuple[sp.Symbol, ...]:
        """The free symbols, P's in catalog order, then Q's, then the divergence's own."""
        divergence = self.derivation.divergence
        values = self.p.values + (self.q.values if divergence.arity == 2 else ()) + divergence.values
        ordered = [s for value in values for s in sorted(value.free_symbols, key=str)]
        return tuple(dict.fromkeys(ordered))

    def subs(self, values: Mapping[Any, Any] | None = None, **named: Any) -> Formula:
        """The formula with some parameters bound, derived anew: a bound number may open a closed form.

        >>> from klsym import kl, Gamma
        >>> kl(Gamma, Gamma).subs(alpha_p=2, alpha_q=2).value
        2*log(beta_p) - 2*log(beta_q) - 2 + 2*beta_q/beta_p
        """
        names = [s.name for s in self.parameters]
        given = {str(k): v for k, v in {**(values or {}), **named}.items()}
        for name in given:
            if name not in names:
                raise ParameterError(f"{self.title} has no parameter {name!r}{nearest(name, names)}")
        replaced = (_bound(d, given) for d in (self.p, self.q))
        divergence = self.derivation.divergence
        for old in divergence.values:
            if str(old) in given:
                divergence = ordered(divergence, given[str(old)])
        return _formula(divergence, *replaced, base=self.base, share=())

    def evaluate(self, digits: int = 15, **numbers: Any) -> Number:
        """The value to the given number of digits, with how it is proven; no digit beyond the error is shown.

        >>> from klsym import kl, Gamma, Weibull
        >>> print(kl(Gamma(5, 2), Weibull(1.5, 3)).evaluate(digits=30))
        0.191703441825788945704317209806
        """
        return evaluate(self.subs(**numbers) if numbers else self, digits)

    def compile(
        self, backend: str | None = None, *, gradient: bool = False, second_pass: bool = True, report: bool = False
    ) -> Any:
        """A function of arrays that computes the value: broadcasting, `out=`, NaN outside the domains.

        `backend` is "numba", "numpy", "c" (which needs a C compiler) or "exact", by default numba or NumPy; "torch",
        "jax" and "array_api" (of any library that array-api-compat knows) take arrays of other libraries. With
        `gradient` the function returns the value and its derivatives by the parameters, in their order. Without
        `second_pass` elements stay as they come where cancellation left few digits. With `report` it returns (value,
        error, second): the estimated relative errors too, and which elements took the second pass. An integral or a sum
        is computed by "numba" and "numpy", and differentiated under the integral: elements are NaN, with a warning,
        where the error is estimated above 1e-10 (of derivatives, beside the integral of their integrand's size).
        UnderivableError where a backend lacks something, or a support moves with what is differentiated by.

        >>> from klsym import kl, Normal
        >>> kl(Normal, Normal).compile("numpy")(0, 1, [1, 1e-9], 1)
        array([5.e-01, 5.e-19])
        >>> from klsym import Cauchy
        >>> kl(Normal, Cauchy).compile("numpy")([0, 1], 1, 0, 2)
        array([0.61269046, 0.7619872 ])
        """
        from .backends import INTEGRATING, load
        from .opened import compiled, is_open

        if is_open(self.derivation) and backend in INTEGRATING:
            by = [s for s in self.parameters if gradient and not s.is_integer]
            return compiled(self.derivation, self.base, by, backend, second_pass=second_pass, report=report)
        return load(self._program(self._sloped(gradient, backend)), backend, second_pass=second_pass, report=report)

    def generate(self, target: str = "numpy", *, gradient: bool = False) -> str:
        """The source of a stand-alone module: "numpy", "numba", "torch", "jax", "array_api" (the first pass), or "c".

        The C is one header, which needs libm only and has the second pass in double-double. `self_check` (in C under
        KLSYM_SELF_CHECK) computes a few points whose values the module holds to 20 digits, with the derivatives where
        the function has them. Raises UnderivableError where the target lacks a function.

        >>> from klsym import kl, Exponential, Gamma
        >>> "def self_check()" in kl(Exponential, Exponential).generate("torch")
        True
        >>> "double kl_gamma_gamma(double alpha_p, double beta_p" in kl(Gamma, Gamma).generate("c")
        True
        """
        from .backends import Example, emit
        from .verification import known

        program = self._program(self._sloped(gradient, target))
        by = [output.name for output in program.outputs[1:]]
        return emit(program, target, (Example(*example) for example in known(self, by)))

    def _sloped(self, gradient: bool, backend: str | None) -> bool:
        """Whether the program is to have the derivatives: asked for, or needed by the backend's own differentiation."""
        from .backends import DIFFERENTIATING

        if gradient and backend in DIFFERENTIATING:
            raise ParameterError(f"functions of {backend} are differentiated by {backend} itself; leave out `gradient`")
        return gradient or backend in DIFFERENTIATING

    def gradient(self) -> dict[str, sp.Expr]:
        """The derivatives of the value by the parameters that are not integers, by name.

        >>> from klsym import kl, Exponential
        >>> kl(Exponential, Exponential).gradient()["rate_q"]
        -1/rate_q + 1/rate_p
        """
        return {s.name: differentiated(self.value, s) for s in self.parameters if not s.is_integer}

    def _program(self, gradient: bool) -> Program:
        from .common import generals, limit_at_one
        from .lower import lower

        of = self.derivation
        return lower(of, self.base, gradient, generals(of), limit=limit_at_one(of))

    def check(self, points: int = 3, seed: int = 0, digits: int = 20, backend: str | None = "numpy") -> Report:
        """Formula, every step and the compiled code against the oracle, at random points of each case."""
        return verify(self, points=points, seed=seed, digits=digits, backend=backend)


def kl(
    p: Any,
    q: Any,
    *,
    base: Any = None,
    share: Iterable[str] | Mapping[str, Any] = (),
    deep: bool = False,
    **options: Any,
) -> Any:
    """Kullback-Leibler divergence E_p[log p - log q] of two distributions, families or probability vectors.

    p, q: families (generic members, parameters subscripted _p and _q), distributions, or arrays of
    probabilities (options `axis`, `normalize`) or, with `logits=True`, of logits (options `axis`, `out`, and
    `gradient=True` for (value, derivative by p, by q); see `klsym.backends.arrays.logits`). `base`: unit, nats by
    default. `share`: parameters of Q bound to P's of the same name, or a mapping from Q's names to P's names or to
    numbers. `deep` also tries SymPy's integrate, for seconds each, where no rule knows an expectation.
    (Cover and Thomas, Elements of Information Theory, 2.3, 8.5.)

    >>> from klsym import Normal, Poisson, kl
    >>> kl(Poisson, Poisson).value
    lam_p*log(lam_p) - lam_p*log(lam_q) - lam_p + lam_q
    >>> float(kl(Normal(0, 1), Normal(1, 2)))
    0.4431471805599453
    >>> kl([0.5, 0.5], [0.25, 0.75], base=2)
    0.2075187496394219
    >>> kl([5.0, 5.0], [7.0, 7.0 + 1e-9], logits=True)
    1.2500...e-19
    """
    if options.pop("logits", False):
        return _of_logits(p, q, base, share, deep, options)
    return measured(divergences.kl, p, q, base, share, deep, options)


def reverse_kl(p: Any, q: Any, *, base: Any = None, share: Any = (), deep: bool = False, **options: Any) -> Any:
    """KL(q || p), the divergence that variational inference minimises over p's role as approximation.

    >>> from klsym import Exponential, reverse_kl
    >>> reverse_kl(Exponential(1), Exponential(2)).value
    -1/2 + log(2)
    """
    return measured(divergences.reverse_kl, p, q, base, share, deep, options)


def jeffreys(p: Any, q: Any, *, base: Any = None, share: Any = (), deep: bool = False, **options: Any) -> Any:
    """Jeffreys divergence KL(p || q) + KL(q || p) (Jeffreys, Proc. R. Soc. A 186, 1946).

    >>> from klsym import Normal, jeffreys
    >>> jeffreys(Normal(0, 1), Normal(1, 1)).value
    1
    """
    return measured(divergences.jeffreys, p, q, base, share, deep, options)


def cross_entropy(p: Any, q: Any, *, base: Any = None, share: Any = (), deep: bool = False, **options: Any) -> Any:
    """Cross-entropy -E_p[log q] (differential, where p and q are densities).

    >>> from klsym import Exponential, cross_entropy
    >>> cross_entropy(Exponential(1), Exponential(2)).value
    2 - log(2)
    """
    return measured(divergences.cross_entropy, p, q, base, share, deep, options)


def entropy(p: Any, *, base: Any = None, deep: bool = False, **options: Any) -> Any:
    """Entropy -E_p[log p] (differential, where p is a density).

    >>> from klsym import Normal, entropy
    >>> entropy(Normal).value
    log(sigma) + 1/2 + log(2*pi)/2
    """
    return measured(divergences.entropy, p, p, base, (), deep, options)


def fisher(p: Measure) -> sp.ImmutableMatrix:
    """Fisher information: the Hessian of KL(P_theta || P_theta') in theta' at theta' = theta.

    Raises UnderivableError where the support depends on the parameters or the log density has a kink,
    so that the Hessian is no information, or where KL has no closed form in the family.
    (Lehmann and Casella, Theory of Point Estimation, 2.5; Kullback, Information Theory and Statistics, 2.6.)

    >>> from klsym import Normal, fisher
    >>> fisher(Normal)
    Matrix([
    [sigma**(-2),          0],
    [          0, 2/sigma**2]])
    """
    if isinstance(getattr(p, "outcome", None), Outcome):
        raise UnderivableError(f"the Fisher information of {p}, a family of arrays, is not derived")
    from .information import fisher_information

    return fisher_information(p)


def density(text: str, **domains: str) -> Family:
    """A family of one's own, from its density: see `klsym.densities.density`.

    >>> from klsym import density
    >>> density("a*exp(-a*x)", x="x>0", a="a>0").parameters[0].name
    'a'
    """
    from . import densities

    return densities.density(text, **domains)


def measured(divergence: Divergence, p: Any, q: Any, base: Any, share: Any, deep: bool, options: dict[str, Any]) -> Any:
    if library(p) or library(q):
        return _of_objects(divergence, p, q, base, deep, [*options, *(["share"] if share else [])])
    arrays = all(isinstance(getattr(d, "outcome", None), Outcome) for d in (p, q))
    known = divergence.logarithmic or (divergence.integral and arrays and not (p.factors or q.factors))
    if any(isinstance(d, Mixture) for d in (p, q)):
        return _mixed(divergence, p, q, base, share, deep, options)
    if not known and any(hasattr(d, "outcome") for d in (p, q)):
        raise UnderivableError(f"{divergence.name} is derived for distributions of numbers; {p} or {q} is no such one")
    symbolic = [isinstance(d, (Family, Distribution)) for d in (p, q)]
    if all(symbolic):
        if options:
            raise TypeError(f"{divergence.name} of two distributions takes no {', '.join(options)}")
        return _formula(divergence, p, q, base=base, share=share, deep=deep)
    if arrays:
        return _array_formula(divergence, p, q, unit_base(base), share, deep, options)
    if any(symbolic) and any(isinstance(getattr(d, "outcome", None), Outcome) for d in (p, q)):
        raise NoCommonSpaceError(f"{p} and {q}: numbers and arrays have no common space")
    if any(symbolic):
        raise TypeError(f"{divergence.name} needs two distributions (klsym.find has them by name) or two vectors")
    if free := [str(value) for value in divergence.values if value.is_Symbol]:
        raise ParameterError(f"{divergence.name} of arrays needs a number for {', '.join(free)}")
    from . import vectors

    arguments = (p,) if divergence.arity == 1 else (p, q)
    if divergence.parts:
        powers = ((c, *(part.values or ({"kl": 1, "reverse_kl": 0}[part.name],))) for c, part in divergence.parts)
        return vectors.combined(p, q, [(float(c), float(alpha)) for c, alpha in powers], **options)
    if divergence.logarithmic:
        return getattr(vectors, divergence.name)(*arguments, base=base, **options)
    if not divergence.pure:
        options["base"] = base
    if not hasattr(vectors, divergence.name):
        raise ParameterError(
            f"{divergence.notation} of arrays is known where f is a sum of t log(t), log(t) and powers"
        )
    return getattr(vectors, divergence.name)(*arguments, *divergence.values, **options)


def _mixed(divergence: Divergence, p: Any, q: Any, base: Any, share: Any, deep: bool, options: Any) -> Any:
    from .mixtures.answer import formula

    if given := [*options, *(["share"] if share else []), *(["deep"] if deep else [])]:
        raise ParameterError(f"{divergence.name} of mixtures takes no {', '.join(given)}; their parameters are numbers")
    return formula(divergence, p, q, base, kl, entropy)


def _of_objects(divergence: Divergence, p: Any, q: Any, base: Any, deep: bool, options: list[str]) -> Any:
    from .adapters.measure import measure

    if options:
        raise TypeError(f"{divergence.name} of distributions of other libraries takes no {', '.join(options)}")

    def formula(a: Any, b: Any) -> Any:
        return measured(divergence, a, b if divergence.arity == 2 else a, base, (), deep, {})

    return measure(p, q, formula, (divergence.name, divergence.values, str(base), deep))


def _of_logits(p: Any, q: Any, base: Any, share: Any, deep: bool, options: dict[str, Any]) -> Any:
    if any(isinstance(d, (Family, Distribution)) for d in (p, q)) or share or deep:
        raise TypeError("logits=True is for two arrays; distributions, `share` and `deep` have no place there")
    if unknown := set(options) - {"axis", "out", "gradient"}:
        raise TypeError(f"kl of logits takes no {', '.join(sorted(unknown))}; it takes axis, base, gradient and out")
    from .backends.arrays import logits
    from .vectors import unit

    sloped = options.pop("gradient", False)
    return (logits.kl_and_gradient if sloped else logits.kl)(p, q, unit=unit(base), **options)


def _formula(
    divergence: Divergence, p: Measure, q: Measure, *, base: Any, share: Any = (), deep: bool = False
) -> Formula:
    suffixes = ("_p", "_q") if divergence.arity == 2 else ("", "")
    first, second = (d.member(s) if isinstance(d, Family) else d for d, s in zip((p, q), suffixes, strict=True))
    found = Formula(bind(lambda a, b: derive(divergence, a, b, deep), first, second, share), unit_base(base))
    for own in divergence.values:
        if any(own.is_Symbol and own != s and own.name == s.name for s in found.parameters):
            raise ParameterError(f"{own} is both the order of {divergence.name} and another symbol of that name")
    return found


def _array_formula(divergence: Divergence, p: Any, q: Any, base: Any, share: Any, deep: bool, options: Any) -> Any:
    from .array_formula import formula

    given = [*options, *(["share"] if share else []), *(["deep"] if deep else [])]
    if given:
        raise ParameterError(f"{divergence.name} of arrays takes no {', '.join(given)}; share a name instead")
    return formula(divergence, p, q, base)


def _bound(distribution: Distribution, given: Mapping[str, Any]) -> Distribution:
    """The distribution with the named symbols replaced: a lone symbol by anything, inside an expression by a number."""
    values = []
    for value in distribution.values:
        inner = {s: exact(given[s.name], s.name) for s in value.free_symbols if s.name in given and value != s}
        values.append(given.get(value.name, value) if isinstance(value, sp.Symbol) else value.xreplace(inner))
    return distribution.family(*values)


__all__ = [
    "Formula",
    "Number",
    "Report",
    "UnderivableError",
    "cross_entropy",
    "density",
    "entropy",
    "fisher",
    "jeffreys",
    "kl",
    "reverse_kl",
]
