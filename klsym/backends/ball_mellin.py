"""core.mellin's functions in balls: by a sum over real nodes where there is one, else along the Mellin-Barnes line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..core.ball import flint
from .ball_quadrature import NODES, log_ratio_mean

Ball = Any
Row = tuple[Ball, Ball, Ball]

_NODES = 12_000  # of a sum along the line: about a second
_ROUGH = 256  # bits up to which a term under 2^-bits is left at that
_CHEAPER = 8  # nodes of a real sum cost as one on the line


def log1p_mellin(c: Ball, *rest: Ball) -> Ball:
    """E log(1 + c Y)."""
    return c if c.is_zero() else _mean(None, c, rest)


def log1p_mellin_slope(n: Ball, c: Ball, *rest: Ball) -> Ball:
    """Its derivative by argument n."""
    return _mean(int(n.unique_fmpz()), c, rest)


def _mean(kind: int | None, c: Ball, rest: Sequence[Ball]) -> Ball:
    rows = list(zip(rest[0::3], rest[1::3], rest[2::3], strict=True))
    line = _Line(kind, c, rows)
    if flint().ctx.prec <= _ROUGH and (rough := line.residue_alone()) is not None:
        return rough
    real = _real_sum(kind, c, rows, _CHEAPER * line.count if line.usable else NODES)
    return line.sum() if real is None else real


def _real_sum(kind: int | None, c: Ball, rows: Sequence[Row], most: float) -> Ball | None:
    """The sum over real nodes, for Y = (G/H)^rho with independent gamma variables G and H; None where it fails.

    The second exponent is -rho up to the radii of both balls. The derivative by it is a covariance with log H, and
    bounded by second moments.
    """
    if len(rows) != 2 or not all(e > 0 for _, _, e in rows) or not rows[0][1].mid() == -rows[1][1].mid():
        return None
    (a, rho, _), (b, _, _) = rows
    if rho < 0:
        a, b, rho, kind = b, a, -rho, kind if not kind else (kind + 2) % 6 + 1
    try:
        mean = log_ratio_mean(kind, c, a, rho, b, most)
    except (ArithmeticError, OverflowError):
        return None
    arb = flint().arb
    apart = rows[0][1].rad() + rows[1][1].rad()
    if apart.is_zero():
        return mean
    spread = (1 + _second_moment(a)) * (1 + _second_moment(b))
    return mean + arb(0, (2 * apart * spread / (c if kind == 0 else 1)).abs_upper())


def _second_moment(a: Ball) -> Ball:
    """E[(log G)^2]"""
    return flint().arb(2).zeta(a) + a.digamma() ** 2


class _Line:
    """The trapezoidal rule on a line Re s = sigma of Log1pMellin's integral.

    The line goes left of 0, where the residue log c + E log Y comes out, if that is the larger part. m(s) = E[(c Y)^s]
    is at most m(Re s), which is log-convex, and |sin(pi (x + iy))| >= |sin(pi x)| cosh(pi y). So on the lines from
    sigma - a to sigma + a the integral of |m(s)/(s sin(pi s))| is at most what m(x)/(x sin(pi x)) is at one of the
    ends, M, and a step of h leaves M/(exp(2 pi a/h) - 1) (Trefethen and Weideman, SIAM Review 56, 2014, theorem 5.1).
    From s on, 1/|s sin(pi s)| falls as 2 exp(-pi Im s) at least, and m does where every e is 1 (DLMF 5.8.3).

    A derivative has a factor, at most A + B |Im s| or |s| times that: |psi(x + iy) - psi(x)| <= |y| psi'(x) for x > 0,
    by DLMF 5.7.6. The integral of |y|/cosh(pi y) is less than 3/8.
    """

    def __init__(self, kind: int | None, c: Ball, rows: Sequence[Row]) -> None:
        arb, bits = flint().arb, flint().ctx.prec
        self.kind, self.c, self.rows, self.log_c = kind, c, rows, c.log()
        numerators = [(first, alpha) for first, alpha, e in rows if e > 0]
        self.falling = len(numerators) == len(rows)
        self.row = rows[(kind - 1) // 3] if kind else rows[0]
        residue = self.log_c + sum(e * alpha * first.digamma() for first, alpha, e in rows)
        self.way = -1 if residue > 0 else 1
        self.residue = self._residue(residue) if self.way < 0 else arb(0)
        poles = (-self.way * float(first / alpha) for first, alpha in numerators)
        if kind and self.row[2] < 0:
            poles = (*poles, -self.way * float(self.row[0] / self.row[1]))  # of psi
        self.sigma = self.way * arb(min([1.0, *(pole for pole in poles if pole > 0)])) / 2
        self.a = 0.9 * abs(self.sigma)
        self.h = arb(float(9 * self.a) / (bits + 8))  # 2 pi/log 2 = 9.06
        slopes = 2 * sum(abs(float(alpha)) for _, alpha, _ in rows)
        self.count = (
            bits / ((4 + (slopes if self.falling else 0)) * float(self.h)) + 100
        )  # DLMF 5.11.9; pi/log 2 = 4.53
        end = self.sigma + self.way * self.a
        positive = [*numerators, *([self.row[:2]] if kind else [])]
        self.usable = self.count <= _NODES and all(first > 0 and first + alpha * end > 0 for first, alpha in positive)
        self.scale = math.prod((first.rgamma() if e > 0 else first.gamma() for first, _, e in rows), start=arb(1))

    def sum(self) -> Ball:
        """The value; ArithmeticError where no strip is known to be free of poles, or it is too narrow."""
        if not self.usable:
            raise ArithmeticError("no strip is known to be free of poles, or it is too narrow")
        acb, arb, bits = flint().acb, flint().arb, flint().ctx.prec
        sigma, h, a = self.sigma, self.h, self.a
        error = self._bound(sigma - a).max(self._bound(sigma + a)) / ((2 * arb.pi() * a / h).exp() - 1)
        top, rest = self._moment(sigma), arb.pos_inf()
        total = self.residue + h * top * self._factor(sigma) / (sigma * sigma.sin_pi()) / 2
        for k in range(1, math.ceil(self.count)):
            s = acb(sigma, k * h)
            m, divisor = self._moment(s), s * s.sin_pi()
            total += h * (m * self._factor(s) / divisor).real
            rest = (m.abs_upper() if self.falling else top) / divisor.abs_lower()
            if self.kind is not None:
                # A linear factor makes the integral of what falls as exp(-pi t) at most (1 + 1/(pi y)) times larger.
                rest *= self._largest(sigma, k * h) * (1 + 1 / (k * h)) * 2
            if rest * 2**bits < abs(total):
                break
        return total + arb(0, (error + 2 * rest / arb.pi()).abs_upper())

    def residue_alone(self) -> Ball | None:
        """The value where the integral is below 2^-bits, as for c far from 1: most often other terms are larger."""
        if not self.usable:
            return None
        rest = self._bound(self.sigma + self.way * self.a)
        return self.residue + flint().arb(0, rest.abs_upper()) if rest * 2 ** flint().ctx.prec < 1 else None

    def _moment(self, s: Ball) -> Ball:
        product = (s * self.log_c).exp() * self.scale
        for first, alpha, e in self.rows:
            y = first + alpha * s
            product *= y.gamma() if e > 0 else y.rgamma()
        return product

    def _residue(self, of_value: Ball) -> Ball:
        """The residue of the integrand at 0."""
        first, alpha, e = self.row
        if self.kind is None:
            return of_value
        if self.kind == 0:
            return 1 / self.c
        return e * alpha * flint().arb(2).zeta(first) if self.kind % 3 == 1 else e * first.digamma()

    def _factor(self, s: Ball) -> Ball:
        """By what a derivative multiplies the integrand."""
        first, alpha, e = self.row
        if self.kind is None:
            return 1
        if self.kind == 0:
            return s / self.c
        if self.kind % 3 == 1:
            return e * ((first + alpha * s).digamma() - first.digamma())
        return e * s * (first + alpha * s).digamma()

    def _largest(self, x: Ball, y: Ball) -> Ball:
        """A bound of the factor at x + iy."""
        first, alpha, _ = self.row
        if not self.kind:
            return (abs(x) + y) / self.c
        z = first + alpha * x
        size = abs(z.digamma()) + abs(alpha) * y * flint().arb(2).zeta(z)
        return size + abs(first.digamma()) if self.kind % 3 == 1 else (abs(x) + y) * size

    def _bound(self, x: Ball) -> Ball:
        """A bound of the integral of the integrand's size over the line through x."""
        plain = self._moment(x) / (x * x.sin_pi())
        first, alpha, _ = self.row
        if self.kind is None:
            return plain
        if self.kind == 0:
            return plain * abs(x) / self.c
        z = first + alpha * x
        size = abs(z.digamma()) + abs(alpha) * flint().arb(2).zeta(z) * 3 / 8
        return plain * (size + abs(first.digamma()) if self.kind % 3 == 1 else abs(x) * size)
