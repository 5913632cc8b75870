"""What libraries put around distributions, as data: of which the truth is known from that of what is inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .call import Made

Around = tuple[tuple[str, Mapping[str, Any]], ...]
# The quantity of the whole: the sum over the last batch axis of the quantities inside; each of them as it is,
# broadcast; or that there is none, because the outcomes have no common space.
Meaning = Literal["sum", "each", "none"]


@dataclass(frozen=True)
class Composite:
    """What is put around P and around Q, whose members inside are batches of two; `kl_only` if the entropy changes.

    The whole is `times` what it means: the number of independent copies.
    """

    name: str
    p: Around
    q: Around
    meaning: Meaning
    kl_only: bool = False
    times: int = 1


COPIES: Around = (("Sample", {"sample_shape": [3]}),)
SUMMED: Around = (("Independent", {"reinterpreted_batch_ndims": 1}),)


def _independent() -> tuple[Composite, ...]:
    return (
        Composite("independent", SUMMED, SUMMED, "sum"),
        Composite("independent beside a batch", SUMMED, (), "none", kl_only=True),
        Composite("a batch beside independent", (), SUMMED, "none", kl_only=True),
    )


def _transformed(wrapper: str, argument: str, steps: Mapping[str, Any]) -> tuple[Composite, ...]:
    """Images under the same object, under an equal one, and with independent coordinates inside and outside."""
    found: list[Composite] = []
    for name, step in steps.items():
        around: Around = ((wrapper, {argument: step}),)
        found += [
            Composite(f"{name} of both, one object", around, ((wrapper, {argument: "p"}),), "each", kl_only=True),
            Composite(f"{name} of both, equal objects", around, around, "each", kl_only=True),
            Composite(
                f"independent {name}, equal objects", (*around, *SUMMED), (*around, *SUMMED), "sum", kl_only=True
            ),
            Composite(
                f"{name} of independent, equal objects", (*SUMMED, *around), (*SUMMED, *around), "sum", kl_only=True
            ),
        ]
    return tuple(found)


def _widened(wrapper: str, argument: str) -> tuple[Composite, ...]:
    wide: Around = ((wrapper, {argument: [3, 2]}),)
    return (
        Composite("expanded", wide, wide, "each"),
        Composite("expanded beside plain", wide, (), "each", kl_only=True),
        Composite("plain beside expanded", (), wide, "each", kl_only=True),
        Composite("independent expanded", (*wide, *SUMMED), (*wide, *SUMMED), "sum"),
    )


AFFINE = Made("AffineTransform", {"loc": 1.0, "scale": 2.0})
TORCH_STEPS = {"affine": [AFFINE], "exp": [Made("ExpTransform", {})], "affine exp": [AFFINE, Made("ExpTransform", {})]}

COMPOSITES: dict[str, tuple[Composite, ...]] = {
    "torch": (
        *_independent(),
        *_widened("Expanded", "batch_shape"),
        *_transformed("TransformedDistribution", "transforms", TORCH_STEPS),
    ),
    "numpyro": (
        *_independent(),
        *_widened("Expanded", "batch_shape"),
        *_widened("ExpandedDistribution", "batch_shape"),
        *_transformed("TransformedDistribution", "transforms", TORCH_STEPS),
        Composite("masked", (("Masked", {"mask": True}),), (("Masked", {"mask": True}),), "each"),
    ),
    "tfp": (
        *_independent(),
        *_widened("BatchBroadcast", "with_shape"),
        Composite(
            "sample", (("Sample", {"sample_shape": [3]}),), (("Sample", {"sample_shape": [3]}),), "each", times=3
        ),
        *_transformed(
            "TransformedDistribution",
            "bijector",
            {"scale": Made("Scale", {"scale": 2.0}), "shift": Made("Shift", {"shift": 1.0}), "exp": Made("Exp", {})},
        ),
        Composite("masked", (("Masked", {"validity_mask": True}),), (("Masked", {"validity_mask": True}),), "each"),
    ),
    "distrax": (
        *_independent(),
        *_transformed(
            "Transformed",
            "bijector",
            {"affine": Made("ScalarAffine", {"shift": 1.0, "scale": 2.0}), "sigmoid": Made("Sigmoid", {})},
        ),
    ),
}


def _mixture(kind: str, weights: str, weigh: str, parts: str, first: float) -> Made:
    components = Made("Normal", {"loc": [first, 1.0], "scale": [1.0, 2.0]})
    return Made(kind, {weights: Made(weigh, {"probs": [0.375, 0.625]}), parts: components})


def _mixtures(kind: str, weights: str, weigh: str, parts: str) -> dict[str, tuple[Made, Made]]:
    one, other = (_mixture(kind, weights, weigh, parts, first) for first in (0.0, 0.5))
    plain = Made("Normal", {"loc": 0.5, "scale": 2.0})
    return {"mixtures": (one, other), "a mixture beside Normal": (one, plain), "Normal beside a mixture": (plain, one)}


# Pairs of which no formula is known; one that answers has to be right all the same.
MIXTURES: dict[str, dict[str, tuple[Made, Made]]] = {
    "torch": _mixtures("MixtureSameFamily", "mixture_distribution", "Categorical", "component_distribution"),
    "numpyro": _mixtures("MixtureSameFamily", "mixing_distribution", "CategoricalProbs", "component_distribution"),
    "tfp": _mixtures("MixtureSameFamily", "mixture_distribution", "Categorical", "components_distribution"),
    "distrax": _mixtures("MixtureSameFamily", "mixture_distribution", "Categorical", "components_distribution"),
}
