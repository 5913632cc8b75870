# pyright: reportMissingImports=false
"""Target, projections and the integrands of their divergences as a picture that is readable in grey."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import sympy as sp

from ..core.errors import KlsymError, ParameterError
from ..core.family import Distribution
from ..core.mixture import Mixture, as_mixture
from ..mixtures.draws import log_density
from ..vectors import unit
from .law import Known, Mixed, Nodes
from .result import Point, Projection

Array = Any
# How much of a law may lie outside the picture on either side.
OUTSIDE, POINTS = 1e-3, 800
TARGET: dict[str, Any] = {"color": "0.75", "linestyle": "-", "linewidth": 5}
STYLES: tuple[dict[str, Any], ...] = (
    {"color": "black", "linestyle": "--"},
    {"color": "black", "linestyle": "-"},
    {"color": "0.35", "linestyle": "-."},
    {"color": "0.35", "linestyle": ":"},
)
MARKERS = "sov^"


def draw(found: Projection, path: Any = None, axes: Any = None) -> Any:
    """The picture of a projection, and of the other direction's where there is one; see `Projection.plot`."""
    if not find_spec("matplotlib"):
        raise ParameterError("pictures need matplotlib: pip install 'klsym[plot]'")
    if hasattr(found.family, "outcome"):
        raise ParameterError(f"pictures are of outcomes that are numbers; those of {found.family.name} are arrays")
    if not isinstance(found.member, Distribution) or found.member.symbols:
        raise ParameterError(f"{found.member} has symbols; bind them to numbers")
    from matplotlib.figure import Figure

    rows = 1 if found.samples is not None else 2
    if axes is None:
        figure = Figure(figsize=(7, 3.2 * rows + 0.6), layout="constrained")
        axes = figure.subplots(rows, 1, sharex=True, squeeze=False).ravel()
    axes = np.atleast_1d(axes)
    if len(axes) < rows:
        raise ParameterError(f"axes has {len(axes)}; {rows} are needed, for densities and for integrands")
    curves = _curves(found)
    nodes = found.samples or Mixed(as_mixture(found.p)).nodes
    x = _outcomes(nodes, [Known(point.member).nodes for _, point in curves], found.family.discrete)
    _densities(axes[0], found, x, curves)
    if rows == 2:
        _integrands(axes[1], found, x, curves)
    axes[rows - 1].set_xlabel("outcome x (a count)" if found.family.discrete else "outcome x (in its own unit)")
    figure = axes[0].figure
    if path is not None:
        figure.savefig(path, dpi=150)
    return figure


def _curves(found: Projection) -> list[tuple[str, Point]]:
    """The projections of both directions, the forward one first, with their directions."""
    both = [found]
    if found.opposite is not None:
        try:
            both.append(found.opposite().in_base(found.base))
        except KlsymError:
            pass
    both.sort(key=lambda one: one.direction)
    return [(one.direction, point) for one in both for point in one.points if point.kind == "minimum"][: len(STYLES)]


def _outcomes(ours: Nodes, theirs: Sequence[Nodes], discrete: bool) -> Array:
    ends = [_range(nodes) for nodes in (ours, *theirs)]
    low, high = min(a for a, _ in ends), max(b for _, b in ends)
    return np.arange(np.floor(low), np.ceil(high) + 1) if discrete else np.linspace(low, high, POINTS)


def _range(nodes: Nodes) -> tuple[float, float]:
    order = np.argsort(nodes.x, kind="stable")
    share = np.cumsum(nodes.w[order]) / nodes.w.sum()
    low, high = (min(int(np.searchsorted(share, s)), len(order) - 1) for s in (OUTSIDE, 1 - OUTSIDE))
    return float(nodes.x[order[low]]), float(nodes.x[order[high]])


def _densities(axes: Any, found: Projection, x: Array, curves: list[tuple[str, Point]]) -> None:
    discrete = found.family.discrete
    if found.samples is not None:
        sample, w = found.samples
        edges = np.append(x, x[-1] + 1) - 0.5 if discrete else np.histogram_bin_edges(sample, "fd")
        axes.hist(sample, bins=edges, weights=w, density=True, color="0.8", edgecolor="0.6", label=f"P: {found.p}")
    else:
        _line(axes, x, np.exp(log_density(as_mixture(found.p))(x)), TARGET, f"P: {_short(found.p)}", discrete, "D")
    for place, (direction, point) in enumerate(curves):
        value = "" if point.divergence is None else f", {point.divergence:.3g} {found.unit}"
        label = f"Q, {direction}: {_short(point.member)}{value}"
        density = np.exp(log_density(as_mixture(point.member))(x))
        _line(axes, x, density, STYLES[place], label, discrete, MARKERS[place])
    axes.set_ylabel("probability" if discrete else "density (1 / unit of x)")
    axes.legend(fontsize="small", frameon=False, loc="lower left", bbox_to_anchor=(0, 1))


def _integrands(axes: Any, found: Projection, x: Array, curves: list[tuple[str, Point]]) -> None:
    p = found.p
    log_p = log_density(as_mixture(p))(x)
    for place, (direction, point) in enumerate(curves):
        log_q = log_density(as_mixture(point.member))(x)
        first, second = (log_p, log_q) if direction == "forward" else (log_q, log_p)
        with np.errstate(invalid="ignore"):
            terms = np.where(np.isfinite(first), np.exp(first) * (first - second) / unit(found.base), 0.0)
        label = "p log(p/q), forward" if direction == "forward" else "q log(q/p), reverse"
        discrete = as_mixture(p).discrete
        _line(axes, x, terms, STYLES[place], label, discrete, MARKERS[place])
    axes.axhline(0, color="0.6", linewidth=0.8)
    axes.set_ylabel(f"term ({found.unit})" if as_mixture(p).discrete else f"integrand ({found.unit} / unit of x)")
    axes.legend(fontsize="small", frameon=False)


def _line(axes: Any, x: Array, y: Array, style: dict[str, Any], label: str, discrete: bool, marker: str) -> None:
    marks = {"marker": marker, "markersize": 4, "markerfacecolor": "white"} if discrete else {}
    axes.plot(x, y, label=label, **style, **marks)


def _short(law: Any) -> str:
    """The law with its numbers to three digits."""
    if isinstance(law, Mixture):
        if len(law.components) > 3:
            return str(law)
        return " + ".join(f"{float(w):.3g} {_short(c)}" for w, c in zip(law.weights, law.components, strict=True))
    return f"{law.family.name}({', '.join(_digits(p, float(sp.N(v))) for p, v in law.arguments)})"


def _digits(parameter: Any, value: float) -> str:
    """Descent finds a real parameter to 1e-6 or better: one that is 0 but for its error is shown as 0."""
    return "0" if parameter.domain.lower == -sp.oo and abs(value) < 1e-9 else f"{value:.3g}"
