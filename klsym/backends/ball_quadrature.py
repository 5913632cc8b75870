"""E log(1 + c (G/H)^rho) of independent gamma variables in balls, and its derivatives: a sum with a proven remainder.

L = log(G/H) has the density exp(a l)/(1 + exp(l))^(a + b)/B(a, b), elementary as log(1 + c exp(rho l)) is. With
l = m + kappa sinh(w) it falls doubly exponentially, and the trapezoidal sum of step h converges as exp(-2 pi d/h) where
the integrand F has no singularity for |Im w| <= d: what it leaves is at most 2 M/(exp(2 pi d/h) - 1), M the integral of
|F| over Im w = d (Trefethen and Weideman, SIAM Review 56, 2014, theorem 5.1).

M is bounded panel by panel in float64, each factor by its extreme on the panel: |1 + e^(x + iy)| = (1 + e^x) R with
R^2 = 1 - sech(x/2)^2 sin(y/2)^2. Rounding is far below the margins in it, of 1e-9 and more. The logarithm of the
density is concave, so beyond the ends its tangents bound it.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..core.ball import flint

Ball = Any

# What is averaged, by the argument of Log1pMellin that it is the derivative by: c, a, rho, b, -rho; None is the value.
VALUE, BY_C, BY_A, BY_RHO, BY_B, BY_MINUS_RHO = None, 0, 1, 2, 4, 5
_OF_LOG = (VALUE, BY_A, BY_B)  # those with a factor log(1 + c Y); the rest have its derivative
_PLAIN = (VALUE, BY_C)  # those without a factor E[log G | L] or E[log H | L]

NODES = 200_000
_WIDTH = 0.1  # of a panel in Im w = constant
_MARGIN = 1e-9


class Rule(NamedTuple):
    """Centre and scale of the map, the strip's half-width, log M, where the sum may end at the left and right."""

    m: float
    kappa: float
    d: float
    log_bound: float
    left: float
    right: float
    log_tails: float

    def step(self, log_error: float) -> float:
        """The step at which the sum leaves exp(log_error)."""
        return 2 * math.pi * self.d / max(self.log_bound + 0.7 - log_error, 30.0)


class Law(NamedTuple):
    """The numbers as doubles, the logarithm of the density's maximum, and a bound of |E[log G]|, |E[log H]|."""

    a: float
    b: float
    tau: float
    rho: float
    log_peak: float
    weight: float

    def below(self, x: Any) -> tuple[Any, Any]:
        """By how much log density lies under its maximum at x, less a margin, and the size of its slope there."""
        r, sign = min(self.a, self.b) / (self.a + self.b), 1.0 if self.a <= self.b else -1.0
        size, centre = self.a + self.b, math.log(self.a) - math.log(self.b)
        z = sign * (x - centre)
        growth = np.expm1(z)
        near = np.where(z < 600, np.log1p(r * growth), np.logaddexp(np.log1p(-r), z + np.log(r))) - r * z
        slack = 1e-14 * size * r * np.minimum(abs(z), 1.0) * (1 + abs(centre))
        slope = size * r * (1 - r) * abs(np.where(z < 600, growth / (1 + r * growth), 1 / (r + np.exp(-z))))
        return np.maximum(size * near * (1 - _MARGIN) - slack, 0.0), slope * (1 - _MARGIN)


def log_ratio_mean(kind: int | None, c: Ball, a: Ball, rho: Ball, b: Ball, most: float) -> Ball:
    """The mean, for rho > 0; ArithmeticError where no strip is found that is wide enough for `most` nodes."""
    arb, ctx = flint().arb, flint().ctx
    bits = ctx.prec
    if min(x.rel_accuracy_bits() for x in (c, a, rho, b)) < 64:
        raise ArithmeticError("too little is known of the arguments")
    tau, size = c.log(), a + b
    constant = size.digamma() - (a if kind == BY_A else b).digamma() if kind in (BY_A, BY_B) else size.digamma()
    log_beta = a.lgamma() + b.lgamma() - size.lgamma()
    peak = a * (a / size).log() + b * (b / size).log() - log_beta
    weight = 0.0 if kind in _PLAIN else float(abs(constant).upper())
    law = Law(float(a), float(b), float(tau), float(rho), float(peak.upper()) + 1e-9, weight)
    rule, scale = _best(law, kind, bits)
    h = arb(rule.step(scale - bits * math.log(2)))
    left, right = (math.ceil(w / float(h)) for w in (rule.left, rule.right))
    if left + right > most:
        raise ArithmeticError(f"{left + right} nodes are too many")
    m, kappa, ratio = arb(rule.m), arb(rule.kappa), h.exp()
    one, half = arb(1), arb("0.5")
    total = arb(0)
    for sign, count, first in ((1, right, 0), (-1, left, 1)):
        growth, step = (h * (sign * first)).exp(), ratio if sign > 0 else 1 / ratio
        for _ in range(first, count + 1):
            inverse = one / growth
            l = m + kappa * ((growth - inverse) * half)  # noqa: E741
            positive = l > 0
            small = (-l if positive else l).exp().log1p()
            density = ((-b * l if positive else a * l) - size * small).exp()
            zeta = tau + rho * l
            if kind in _OF_LOG:
                value = zeta + (-zeta).exp().log1p() if zeta > 0 else zeta.exp().log1p()
            else:
                value = one / (one + (-zeta).exp())
            if kind not in _PLAIN:
                upward = kind in (BY_A, BY_RHO)  # log(1 + e^-l), else log(1 + e^l)
                value *= constant - (small if positive == upward else small + (l if positive else -l))
            total += density * value * (growth + inverse)
            growth *= step
    total *= h * kappa * half * (-log_beta).exp()
    if kind == BY_C:
        total /= c
    log_error = arb(rule.log_bound) + arb(2).log() - (2 * arb.pi() * arb(rule.d) / h - _MARGIN)
    error = (log_error + 2 * _MARGIN).exp() + (arb(rule.log_tails) + _MARGIN).exp()
    return total + arb(0, (error / c if kind == BY_C else error).abs_upper())


@lru_cache(maxsize=64)
def _best(law: Law, kind: int | None, bits: int) -> tuple[Rule, float]:
    """The rule with the fewest nodes, and the logarithm of about the mean's size."""
    size = law.a * law.b / (law.a + law.b)
    centre = math.log((law.a + 1) / (law.b + 1))
    scale, kink = min(math.pi, 2.5 / math.sqrt(size)), -law.tau / law.rho
    maps, apart = [(centre, scale)], max(abs(centre), abs(kink - centre))
    if law.rho > 1.5 or abs(kink - centre) > 3:
        maps.append((kink, min(math.pi / law.rho, scale)))
    if apart > 3 * scale:
        maps += [(centre, apart), (kink, apart)]
    found = []
    with np.errstate(all="ignore"):
        for m, kappa in maps:
            found += _rules(law, kind, bits, m, kappa)
    if not found:
        raise ArithmeticError("no strip is known to be free of singularities")
    return min(found, key=lambda row: (row[0].left + row[0].right) / row[0].step(row[1] - bits * math.log(2)))


def _rules(law: Law, kind: int | None, bits: int, m: float, kappa: float) -> list[tuple[Rule, float]]:
    kink = complex(-law.tau / law.rho - m, math.pi / law.rho) / kappa
    widest = min(float(np.arcsinh(w).imag) for w in (kink, complex(-m, math.pi) / kappa))
    size = law.a + law.b
    reach = 2 * abs(m) + math.log(size + 3) + 6 + 2 * (abs(law.tau) + 1) / law.rho
    reach += (0.75 * bits + 100) / min(law.a, law.b) + abs(math.log(law.a / law.b))
    half = math.ceil(math.asinh(reach / (0.3 * kappa)) / _WIDTH)
    u = np.arange(-half, half + 1) * _WIDTH
    x = m + kappa * np.sinh(u)
    height = law.log_peak - law.below(x)[0] + np.log(kappa * np.cosh(u))
    scale = float(np.logaddexp.reduce(height + _log_factor(law, kind, x, 0 * x, x, 0 * x)) + math.log(_WIDTH))
    left, right, tails = _ends(law, kind, u, x, kappa, scale - bits * math.log(2))
    if not (left and right):
        return []
    widths = min(widest, 1.25) * np.array([0.1, 0.2, 0.4, 0.6, 0.8, 0.95])
    bounds = _line(law, kind, u, m, kappa, widths[:, None])
    return [
        (Rule(m, kappa, float(d), float(log_bound), left, right, tails), scale)
        for d, log_bound in zip(widths, bounds, strict=True)
        if math.isfinite(log_bound)
    ]


def _log_r(x: Any, low: Any, high: Any) -> Any:
    """A lower bound of log R where |x| is at least that and y lies between low and high."""
    peaks = np.floor((high - math.pi) / (2 * math.pi)) > np.floor((low - math.pi) / (2 * math.pi))
    sine = np.where(peaks, 1.0, np.maximum(np.sin(low / 2) ** 2, np.sin(high / 2) ** 2))
    return 0.5 * np.log1p(-np.minimum(sine / np.cosh(x / 2) ** 2 * (1 + _MARGIN), 1.0))


def _log_factor(law: Law, kind: int | None, x0: Any, low: Any, x1: Any, high: Any, log_r: Any = 0.0) -> Any:
    """An upper bound of the logarithm of what is averaged, for x0 <= x <= x1 and low <= |y| <= high."""
    z0, z1 = law.tau + law.rho * x0, law.tau + law.rho * x1
    own = _log_r(np.clip(0.0, z0, z1), law.rho * low, law.rho * high)
    if kind in _OF_LOG:
        whole = np.log(np.maximum(z1, 0.0) + law.rho * high + math.log(2) + math.pi / 2 - own)
        value = np.where(z1 < -1, z1 + 0.5, whole)  # |log(1 + v)| <= -log(1 - |v|)
    else:
        value = np.minimum(z1, 0.0) - own
    if kind in _PLAIN:
        return value + _MARGIN
    far = np.maximum(abs(x0), abs(x1)) + high
    return value + np.log(law.weight + far + math.log(2) + math.pi / 2 - log_r) + _MARGIN


def _line(law: Law, kind: int | None, u: Any, m: float, kappa: float, d: Any) -> Any:
    """An upper bound of log M for each d: panels, and beyond them tangents; infinite where that finds none."""
    x, y = m + kappa * np.cos(d) * np.sinh(u), kappa * np.sin(d) * np.cosh(u)
    x0, x1 = x[:, :-1], x[:, 1:]
    low, high = np.minimum(y[:, :-1], y[:, 1:]), np.maximum(y[:, :-1], y[:, 1:])
    size, log_r = law.a + law.b, _log_r(np.clip(0.0, x0, x1), low, high)
    factor = _log_factor(law, kind, x0, low, x1, high, log_r)
    fall = law.below(np.clip(math.log(law.a / law.b), x0, x1))[0]
    log_f = law.log_peak - fall - size * log_r * (1 + _MARGIN) + factor + np.log(high / np.sin(d))
    totals = [log_f + math.log(_WIDTH)]
    for k in (0, -1):
        far, zeta = abs(x[:, k]), abs(law.tau + law.rho * x[:, k])
        fall, slope = law.below(x[:, k])
        rate = slope - 4 / far
        # The factors grow at most linearly there, and R^-(a + b) is below exp(0.2).
        end = law.log_peak - fall + 0.2 + factor[:, k] + 1 - np.log(rate * np.cos(d[:, 0]))
        fine = (rate > 0) & (zeta >= 1) & (far >= math.log(size + 3) + 3)
        totals.append(np.where(fine, end, np.inf)[:, None])
    return np.logaddexp.reduce(np.hstack(totals), axis=1) + 1e-6


def _ends(law: Law, kind: int | None, u: Any, x: Any, kappa: float, log_error: float) -> tuple[float, float, float]:
    """How far the sum goes at the left and right, and the logarithm of what both sides then leave out; 0 is none."""
    fall, slope = law.below(x)
    zeta = law.tau + law.rho * x
    growth = np.where(zeta < 0, law.rho, np.where(u > 0, law.rho / (np.maximum(zeta, 0.0) + 2), 0.0))
    rate = slope - 1 / abs(x) - np.where(u > 0, growth, -growth * (1 - _MARGIN))
    log_c = law.log_peak - fall + _log_factor(law, kind, x, 0 * x, x, 0 * x)
    tail = np.where((rate > 0) & (rate * kappa * np.cosh(u) >= 1), log_c - np.log(rate), np.inf)
    centre = math.log(law.a / law.b)
    right = np.flatnonzero((u > 0) & (x > max(centre, 0.0)) & (tail < log_error))
    left = np.flatnonzero((u < 0) & (x < min(centre, 0.0)) & (tail < log_error))
    if not (left.size and right.size):
        return 0.0, 0.0, math.inf
    tails = np.logaddexp(tail[left[-1]], tail[right[0]])
    return float(-u[left[-1]]), float(u[right[0]]), float(tails) + 1e-6
