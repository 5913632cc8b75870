"""What a generated file of arrays is tested with by itself: a few points, and the nearest doubles to the outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..source import filled

# The arguments of a point as nested lists, and the value with its derivatives.
Example = tuple[tuple[Any, ...], tuple[Any, ...]]

LIMIT = 256.0  # units of 2^-52, of the largest entry

_CALLS = {
    "torch": [
        "    x = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in point]",
        "    value = {name}(*x)",
        "    return [value.tolist(), *(slope.tolist() for slope in torch.autograd.grad(value, x))]",
    ],
    "jax": [
        "    with jax.enable_x64(True):",
        "        x = [jnp.asarray(a, jnp.float64) for a in point]",
        "        slopes = jax.grad({name}, argnums=tuple(range(len(x))))(*x)",
        "        return [{name}(*x).tolist(), *(slope.tolist() for slope in slopes)]",
    ],
    "numpy": ["    return [{name}(*point).tolist()]"],
}


def check(name: str, target: str, examples: Sequence[Example]) -> list[str]:
    """The lines of `self_check`, which computes the examples and raises AssertionError where an output is off."""
    rows: list[str] = []
    for example in examples:
        sides = [[f"{side!r},"] for side in example]
        rows += ["    (", *(f"        {line}" for side in sides for line in filled(side)), "    ),"]
    return [
        "",
        "",
        "# Points, and the value there with its derivatives, to the nearest doubles.",
        "_KNOWN = (",
        *rows,
        ")",
        "",
        "",
        "def _outputs(point):",
        *(line.format(name=name) for line in _CALLS[target]),
        "",
        "",
        "def _flat(x):",
        "    return [entry for part in x for entry in _flat(part)] if isinstance(x, list) else [x]",
        "",
        "",
        "def self_check() -> float:",
        '    """The largest error at a few points, in units of 2^-52 of the largest entry; AssertionError if large."""',
        "    worst = 0.0",
        "    for point, values in _KNOWN:",
        "        for found, value in zip(_outputs(point), values, strict=False):",
        "            size = max(map(abs, _flat(value)))",
        "            errors = [abs(a - b) / size * 2.0**52 for a, b in zip(_flat(found), _flat(value), strict=True)]",
        f"            if not all(error <= {LIMIT!r} for error in errors):",
        '                raise AssertionError(f"{found!r} for {value!r} at {point!r}: {max(errors):.3g} units off")',
        "            worst = max(worst, *errors)",
        "    return worst",
        "",
        "",
        'if __name__ == "__main__":',
        '    print(f"at most {self_check():.2g} units of 2^-52 off")',
        "",
    ]
