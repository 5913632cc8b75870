"""Kullback-Leibler divergence, derived, generated and verified."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

# Nothing heavy is imported until it is asked for: `klsym --help` needs neither SymPy nor SciPy.
_ROOMS = {
    "api": ("Formula", "kl", "reverse_kl", "jeffreys", "cross_entropy", "entropy", "fisher", "density"),
    "affinities": (
        "renyi",
        "tsallis",
        "alpha_divergence",
        "chernoff",
        "chernoff_information",
        "bhattacharyya",
        "hellinger2",
        "hellinger",
        "chi2",
        "reverse_chi2",
    ),
    "comparisons": ("f_divergence", "jensen_shannon", "jensen_shannon_distance", "total_variation", "kolmogorov"),
    "transport": ("wasserstein", "wasserstein1", "wasserstein2", "wasserstein2_squared"),
    "geodesics": ("fisher_rao",),
    "entropies": ("renyi_entropy", "tsallis_entropy"),
    "arrays.joint": ("joint", "independent"),
    "joints": ("marginal", "condition", "mutual_information", "markov_chain", "kl_rate"),
    "core.construct": ("shift", "scale", "transform"),
    "derive.truncate": ("truncate",),
    "core.domain": ("half_line", "real_line", "unit_interval"),
    "core.errors": ("KlsymError", "ParameterError", "DensityError", "VectorError", "UnderivableError", "LimitError"),
    "core.family": ("Family", "Distribution"),
    "core.mixture": ("Mixture", "mixture"),
    "families": ("catalog", "find"),
    "pairs": ("matrix",),
    "samples.choose": ("estimate",),
    "samples.counts": ("estimate_counts",),
    "samples.ratios": ("estimate_log_ratios",),
    "samples.smoothing": ("smooth",),
    "samples.stream": ("LogRatios", "Tally"),
    "projections": ("project",),
    "hypotheses": ("sample_size",),
}
_WHERE = {name: room for room, names in _ROOMS.items() for name in names}
# klsym in the registries of other libraries, each a module of its own.
_MODULES = ("torch", "numpyro", "tfp")
__all__ = [*_WHERE]


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    if name in _WHERE:
        return getattr(importlib.import_module(f"klsym.{_WHERE[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"klsym.{name}")
    families = importlib.import_module("klsym.families")
    if name == "families":
        return families
    if name in families.catalog:
        return families.catalog[name]
    # The import of a submodule asks here for its name first; a family's begins with a capital.
    if name[0].isupper() and name in families.array_catalog():
        return families.array_catalog()[name]
    near = importlib.import_module("klsym.core.errors").nearest(name, __dir__())
    raise AttributeError(f"module 'klsym' has no attribute {name!r}{near}")


def __dir__() -> list[str]:
    families = importlib.import_module("klsym.families")
    return sorted([*_WHERE, *families.catalog, *families.array_catalog(), "__version__"])
