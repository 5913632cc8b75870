"""The integral of a density, and of a density times a factor, over an interval: adaptive, in logarithmic rays.

The interval is cut at anchors: its ends, the zeros of linear subexpressions, kinks and narrow peaks. Each
stretch is seen from its anchor in s = log|x - anchor| (`ray.Ray`), and panels in s are halved, the worst
first, until their error estimates are small.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from itertools import count, pairwise

import mpmath as mp
import sympy as sp
from sympy.logic.boolalg import Boolean

from . import anchors, rule
from .integrand import Integrand
from .ray import Ray, Sample, end

_GUARD = 5
_ROUNDS = 3
_BUDGET = 20_000
_SMALL = mp.mpf(10) ** -16
_UNSEEN = -mp.ldexp(1, 1000)


@dataclass
class Integral:
    """A density's integral and the integral of density times factor, with error estimates.

    `factor_mid` may be infinite. `doubt` says why the numbers cannot be vouched for, if they cannot.
    """

    mass: mp.mpf = mp.mp.zero
    mass_error: mp.mpf = mp.mp.zero
    mid: mp.mpf = mp.mp.zero
    error: mp.mpf = mp.mp.zero
    size: mp.mpf = mp.mp.zero
    rounding: mp.mpf = mp.mp.zero
    doubt: str = ""
    note: str = ""

    def __add__(self, other: Integral) -> Integral:
        names = ("mass", "mass_error", "mid", "error", "size", "rounding")
        sums = {name: getattr(self, name) + getattr(other, name) for name in names}
        return Integral(**sums, doubt=self.doubt or other.doubt, note=self.note or other.note)


def precision(digits: int) -> int:
    """The working precision in bits: 27 decimal digits to lose."""
    return int(3.33 * digits) + 90


def integral(integrand: Integrand, lower: sp.Expr, upper: sp.Expr, condition: Boolean, digits: int) -> Integral:
    """Integrate exp(first expression), and that times the second where the condition holds, from lower to upper."""
    bits = precision(digits)
    with mp.workprec(bits):
        rays, peaks, verdict = surveyed(integrand, lower, upper, condition, digits)
        if verdict is not None:
            return verdict
        drop = _drop(digits)
        sums = _adapt(rays, peaks, drop, digits)
        # What lies beyond the cuts: at each end less than the peak times 10^-(digits + guard).
        clip = 2 * len(rays) * mp.exp(-drop)
        beyond = [clip * mp.exp(peak) if mp.isfinite(peak) else mp.mpf(0) for peak in peaks]
        return replace(sums, mass_error=sums.mass_error + beyond[0], error=sums.error + beyond[1] + sums.rounding)


def surveyed(
    integrand: Integrand, lower: sp.Expr, upper: sp.Expr, condition: Boolean, digits: int
) -> tuple[list[Ray], tuple[mp.mpf, mp.mpf], Integral | None]:
    """The rays that see everything, the peaks on them, and an infinite or refused integral if an end calls for it."""
    points = anchors.exact(integrand, condition, lower, upper)
    rounds = 0
    while True:
        rays = anchors.cut(integrand, condition, points, mp.mp.prec)
        peaks = _peaks(rays)
        verdict = _ends(rays, peaks, _drop(digits))
        if verdict is not None and mp.isinf(verdict.mid):
            return rays, peaks, verdict
        rounds += 1
        found = anchors.searched(integrand, condition, rays, turns=rounds == 1)
        more = anchors.ordered([*points, *found], lower, upper)
        if rounds == _ROUNDS or len(more) == len(points):
            return rays, peaks, verdict
        points = more


def stretch(ray: Ray, peaks: tuple[mp.mpf, mp.mpf], digits: int) -> list[mp.mpf]:
    """The ends of panels over what matters of a ray; none if nothing does."""
    span = _range(ray, peaks, _drop(digits))
    return _graded(*span) if span else []


def _drop(digits: int) -> mp.mpf:
    """How far below the peak nothing matters, as a logarithm."""
    return (digits + _GUARD) * mp.log(10)


def _peaks(rays: list[Ray]) -> tuple[mp.mpf, mp.mpf]:
    """The largest logarithm of the density and of the integrand among the samples."""
    samples = [x for ray in rays for x in ray.samples]
    masses = [x[1] for x in samples if x[1] is not None]
    sizes = [x[2] for x in samples if x[2] is not None and x[2] != mp.inf]
    return max(masses, default=mp.ninf), max(sizes, default=mp.ninf)


def _ends(rays: list[Ray], peaks: tuple[mp.mpf, mp.mpf], drop: mp.mpf) -> Integral | None:
    """An infinite or a refused integral, if an end of a ray calls for it."""
    infinite: dict[int, str] = {}
    for ray in rays:
        outward = [x for x in ray.samples if x[0] > 0] if ray.top == mp.inf else None
        inward = list(reversed([x for x in ray.samples if x[0] < min(ray.top, mp.mpf(0))]))
        for way, samples in ((1, outward), (-1, inward)):
            if samples is None:
                continue
            where = f"near {ray.anchor}" if way < 0 else "at the upper end" if ray.direction > 0 else "at the lower end"
            if end([(x[0], x[1]) for x in samples], peaks[0] - drop) != "decays":
                return Integral(doubt=f"the density is not seen to decay {where}")
            fate = end([(x[0], x[2]) for x in samples], peaks[1] - drop)
            if fate == "unseen" and not all(x[2] is None or x[2] == mp.inf for x in samples):
                return Integral(doubt=f"the integrand decays too slowly to be followed {where}")
            if fate == "diverges":
                last = [x[0] for x in samples if x[2] is not None][-1]
                infinite[int(mp.sign(ray(last)[1]))] = f"the integrand does not decay {where}"
    if not infinite:
        return None
    if len(infinite) > 1:
        return Integral(doubt="the integral is infinite with both signs")
    sign, note = infinite.popitem()
    return Integral(mid=sign * mp.inf, note=note)


def _range(ray: Ray, peaks: tuple[mp.mpf, mp.mpf], drop: mp.mpf) -> tuple[mp.mpf, mp.mpf, mp.mpf] | None:
    """First s, last s and the s of the peak, of the stretch where the integrand matters."""

    def height(x: Sample) -> mp.mpf:
        levels = [x[i] - peaks[i - 1] for i in (1, 2) if x[i] is not None and mp.isfinite(peaks[i - 1])]
        return max(levels, default=mp.ninf)

    heights = [(x[0], height(x)) for x in ray.samples]
    kept = [i for i, (s, h) in enumerate(heights) if h + mp.log(1 + abs(s)) > -drop]
    if not kept:
        return None

    def cut(inside: int, outside: int) -> mp.mpf:
        if not 0 <= outside < len(heights):
            return heights[inside][0]
        a, b = heights[inside][0], heights[outside][0]
        while abs(b - a) > 1 + 0.1 * abs(a):
            c = (a + b) / 2
            a, b = (c, b) if height(ray.sample(c)) + mp.log(1 + abs(c)) > -drop else (a, c)
        return b

    best = max((heights[i] for i in kept), key=lambda item: item[1])
    return cut(kept[0], kept[0] - 1), cut(kept[-1], kept[-1] + 1), best[0]


def _graded(low: mp.mpf, high: mp.mpf, peak: mp.mpf) -> list[mp.mpf]:
    """Panel ends that double in width away from the peak."""
    ends, step = [peak], mp.mpf(1)
    while ends[0] > low or ends[-1] < high:
        ends = [max(low, ends[0] - step)] * (ends[0] > low) + ends + [min(high, ends[-1] + step)] * (ends[-1] < high)
        step *= 2
    return ends


def _adapt(rays: list[Ray], peaks: tuple[mp.mpf, mp.mpf], drop: mp.mpf, digits: int) -> Integral:
    """The sum over all panels, the worst halved (off centre, against aliasing) until the total error is small."""
    n = 2 * digits
    panels = []
    for ray in rays:
        span = _range(ray, peaks, drop)
        for lower, upper in pairwise(_graded(*span)) if span else ():
            panels.append((ray, lower, upper, _panel(ray, lower, upper, n)))
    spent = len(panels) * (n + 1)
    mass_goal = mp.mpf(10) ** -digits
    goal = mass_goal * (_SMALL + mp.fsum(sums.size for *_, sums in panels))
    tie = count()

    def entry(ray: Ray, lower: mp.mpf, upper: mp.mpf, sums: Integral) -> tuple:
        excess = max(sums.mass_error / mass_goal, sums.error / goal)
        return -excess, next(tie), ray, lower, upper, sums

    heap = [entry(*panel) for panel in panels]
    heapq.heapify(heap)
    settled = Integral()
    while heap and -heap[0][0] * len(heap) > 1:
        if spent > _BUDGET:
            settled.doubt = f"not resolved within {_BUDGET} evaluations"
            break
        _, _, ray, lower, upper, sums = heapq.heappop(heap)
        if sums.doubt or mp.isinf(sums.mid):
            return sums
        if upper - lower < mp.ldexp(1 + abs(lower), -80):
            settled += sums
            continue
        middle = lower + (upper - lower) * mp.mpf("0.4921")
        for a, b in ((lower, middle), (middle, upper)):
            heapq.heappush(heap, entry(ray, a, b, _panel(ray, a, b, n)))
            spent += n + 1
    return sum((sums for *_, sums in heap), settled)


def _panel(ray: Ray, lower: mp.mpf, upper: mp.mpf, n: int) -> Integral:
    half, centre = (upper - lower) / 2, (upper + lower) / 2
    bits = ray.precision(lower if abs(lower) > abs(upper) else upper)
    with mp.workprec(bits):
        weights, products, levels, infinite = [], [], [], set()
        for node in rule.table(n, ray.bits)[0]:
            weight, factor = ray.at(centre + half * node, bits)
            if mp.isnan(weight) or mp.isnan(factor):
                where = mp.nstr(mp.exp(centre + half * node), 8)
                return Integral(error=mp.inf, doubt=f"no real value at {where} from {ray.anchor}")
            if _UNSEEN > weight != mp.ninf and mp.mag(factor) > -weight / 2:
                return Integral(error=mp.inf, doubt=f"weight and factor out of reach near {ray.anchor}")
            level, weight = abs(weight), mp.exp(weight) if weight > _UNSEEN else mp.mpf(0)
            weights.append(weight)
            levels.append(level if weight else mp.mpf(0))
            if weight:
                infinite.add(int(mp.sign(factor)) if mp.isinf(factor) else 0)
            products.append(weight * factor if mp.isfinite(factor) else mp.mpf(0))
    with mp.workprec(ray.bits):
        mass, mass_error = rule.integrate(weights, half, n, ray.bits)
        if infinite in ({1}, {-1}):
            note = f"the factor is infinite on a stretch near {ray.anchor}"
            return Integral(mass, mass_error, infinite.pop() * mp.inf, mp.inf, note=note)
        mid, error = rule.integrate(products, half, n, ray.bits)
        size = 2 * half * mp.fsum(map(abs, products)) / (n + 1)
        # The logarithms are rounded relative to their own size, and keep that error when they cancel.
        lost = mp.fdot(weights, levels) + mp.fdot(map(abs, products), levels)
        rounding = 2 * half * mp.ldexp(lost, 8 - ray.bits) / (n + 1)
        return Integral(mass, mass_error, mid, error if infinite <= {0} else mp.inf, size, rounding)
