"""The divergences of one integral for arrays: p^a q^b with a + b = 1 has the features of p and q, and a kernel again.

log of the integral of p^a q^b = log Z(a eta_p + b eta_q) - a log Z(eta_p) - b log Z(eta_q), finite where the tilted
parameter lies in the kernel's domain (Liese and Vajda, IEEE Trans. Inf. Theory 52, 2006; Gil, Alajaji and Linder,
Information Sciences 249, 2013). The domain is convex, so that it does for 0 < a < 1.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from ...arrays.family import ArrayDistribution
from ...arrays.functions import Column, Least, LogDet, Whole
from ...core.derivation import Case, Derivation, Expectation, Step
from ...core.divergence import Divergence
from ...core.errors import UnderivableError
from ..definition import LOG_P, LOG_Q, MEASURES, P, Q
from . import words
from .collect import collect, plain
from .expect import at_natural
from .features import features
from .kernels import Kernel

KernelOf = Callable[[sp.Expr, ArrayDistribution], Kernel]
Found = tuple[sp.Expr, sp.Basic, str]


def by_powers(divergence: Divergence, p: ArrayDistribution, q: ArrayDistribution, kernel_of: KernelOf) -> Derivation:
    """The cases and steps of a function of one integral; UnderivableError where its kernel has no rule here."""
    definition = divergence.written(LOG_P, LOG_Q, P, Q)
    (call,) = (e for e in definition.atoms(sp.Function) if e.func in (P, Q))
    m, o, log = (q, p, LOG_P) if call.func == Q else (p, q, LOG_Q)
    b = sp.expand(call.args[0].exp).coeff(log)
    if p.family.image or q.family.image or m.outcome != o.outcome:
        raise UnderivableError(f"{divergence.name} is derived for arrays of one kind; {p} and {q} are of two")
    if not b.is_Rational:
        raise UnderivableError(f"{divergence.name} of families of arrays takes a rational number for its order")
    log_value, when, citation = _log_integral(divergence, m, o, b, kernel_of)
    other = o.log_density().xreplace({o.variable: m.variable})
    whole = Expectation(sp.exp(b * (other - m.log_density())), sp.true, MEASURES[call.func])
    written = definition.xreplace({call: whole})
    value = definition.xreplace({sp.log(call): log_value, call: sp.exp(log_value)})
    name = sp.Symbol(divergence.name)
    steps = [
        Step("definition", name, written, why=divergence.notation),
        Step("normaliser", whole, sp.exp(log_value), when, f"log Z at the tilted parameters; {citation}"),
        Step("insert", written, value, when, "the integral"),
    ]
    cases = [Case("closed", value, when)]
    if when != sp.true:
        cases.append(Case("infinite", sp.oo, sp.true, "the tilted parameters leave the domain: the integral diverges"))
    return Derivation(divergence, p, q, tuple(cases), tuple(steps))


def _log_integral(
    divergence: Divergence, m: ArrayDistribution, o: ArrayDistribution, b: sp.Rational, kernel_of: KernelOf
) -> Found:
    """The logarithm of the integral of m^(1-b) o^b, where it is finite, and the kernel's citation."""
    log_m, log_o = m.log_density(), o.log_density().xreplace({o.variable: m.variable})
    kernels = [kernel_of(log, m) for log in (log_m, log_o)]
    names = {kernel.name for kernel in kernels}
    if names == {"Gauss"} and not any("right" in kernel.symbols for kernel in kernels):
        return _gauss(kernels[0], kernels[1], b)
    (name, *others) = names
    if others or name not in DOMAINS:
        raise UnderivableError(
            f"{divergence.name} of {m} and {o} is not derived: among arrays it is of normal vectors and their images, "
            "Dirichlet and Wishart families"
        )
    domain = DOMAINS[name]
    if b < 0 and domain is None:
        raise UnderivableError(f"{divergence.name} of {m} and {o} is derived for orders between 0 and 1")
    exponent = sp.expand((1 - b) * log_m + b * log_o)
    kernel = kernel_of(exponent, m)
    log_value = collect(plain(features(exponent, m.variable).constant + at_natural(kernel, kernel.log_z)))
    return log_value, domain(kernel, m) if domain and b < 0 else sp.true, kernel.citation


def _gauss(m: Kernel, o: Kernel, b: sp.Rational) -> Found:
    """Squares complete to -ab/2 d^T (a S_o + b S_m)^-1 d, d the difference of the means, S = A^-1

    In precisions the middle is A_m (a A_m + b A_o)^-1 A_o. Both sums are positive definite or neither: their
    congruent diagonals have the entries a/s_m + b/s_o and a s_o + b s_m.
    """
    a = 1 - b
    (wm, wo), (cm, co) = ([k.natural[name] for k in (m, o)] for name in ("quadratic", "linear"))
    size = wm.rows
    inverses = [words.matrix(words.expand(sp.Inverse(w)), size) for w in (wm, wo)]
    means = [words.matrix(words.expand(s * c), size) if not isinstance(c, sp.ZeroMatrix) else c
             for s, c in zip(inverses, (cm, co), strict=True)]  # fmt: skip
    gap = sp.MatAdd(means[0], sp.MatMul(-1, means[1])).doit()
    if wm.has(sp.MatPow) or wo.has(sp.MatPow):
        whole = Whole(sp.MatAdd(a * inverses[1], b * inverses[0]))
        middle = [sp.Inverse(whole)]
        dets = b * LogDet(inverses[0]) + a * LogDet(inverses[1])
    else:
        whole = Whole(sp.MatAdd(a * wm, b * wo))
        middle = [wm, sp.Inverse(whole), wo]
        dets = a * LogDet(wm) + b * LogDet(wo)
    square = sp.S.Zero if isinstance(gap, sp.ZeroMatrix) else sp.Trace(sp.MatMul(sp.Transpose(gap), *middle, gap))
    log_value = sp.expand(dets / 2 - LogDet(whole) / 2) - a * b * square / 2
    when = sp.Gt(Least(whole), 0) if b < 0 else sp.true
    return log_value, when, "Gil, Alajaji, Linder, Information Sciences 249, 2013"


def _dirichlet(kernel: Kernel, m: ArrayDistribution) -> sp.Basic:
    return sp.Gt(Least(Column(sp.expand(kernel.natural["logs"] + 1), m.outcome.size)), 0)


# Where Z is finite, by the kernel's name; None where that is derived for 0 < a < 1 alone.
DOMAINS: dict[str, Callable[[Kernel, ArrayDistribution], sp.Basic] | None] = {
    "Dirichlet": _dirichlet,
    "multivariate gamma": None,
}
