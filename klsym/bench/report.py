"""The report of a benchmark: nanoseconds an element, a line a family, and how klsym compares with the fastest peer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..render import aligned
from .peers import PEERS, installed
from .run import Row, geometric_mean
from .tensors import STACKS

COLUMNS = ("klsym numba", "klsym numpy", "klsym jax", *PEERS, "roof")
SETTINGS = {False: "random parameters in 0.1..100", True: "Q within a relative 1e-8 of P"}


@dataclass(frozen=True)
class Report:
    """The rows of the races, of the kernels and of the compilations."""

    n: int
    repeats: int
    races: Sequence[Row]
    kernels: Sequence[Row] = ()
    compilations: Sequence[Row] = ()
    arrays: Sequence[Row] = ()
    tensors: Sequence[Row] = ()
    array_tensors: Sequence[Row] = ()

    def __str__(self) -> str:
        parts = [self.table(near) for near in (False, True)]
        if self.arrays:
            parts.append(self.batches())
        if self.tensors:
            parts.append(self.of_tensors())
        if self.array_tensors:
            parts.append(self.of_array_tensors())
        if self.kernels:
            cells = [f"{row['primitive']} {_ns(row['ns'])}" for row in self.kernels]
            rows = [cells[i : i + 5] for i in range(0, len(cells), 5)]
            parts.append("primitives, numba:\n" + aligned([row + [""] * (5 - len(row)) for row in rows]))
        if self.compilations:
            lines = [
                f"{row['family']} {row['backend']}: {row['first']:.2f} s, from the cache {row['cached']:.2f} s"
                for row in self.compilations
            ]
            parts.append("from a formula to its first values, in a fresh process:\n" + "\n".join(lines))
        return "\n\n".join([*parts, self.summary()])

    def table(self, near: bool) -> str:
        """The races of one setting."""
        races = [race for race in self.races if race["near"] == near]
        present = [name for name in COLUMNS if any(name in race["ns"] for race in races)]
        rows = [("family", *present, "ratio", "target")]
        for race in races:
            times = (_ns(race["ns"].get(name)) for name in present)
            ratio = "-" if race["ratio"] is None else f"{race['ratio']:.1f}"
            rows.append((race["family"], *times, ratio, f"{race['target']:.1f}"))
        return f"{SETTINGS[near]}:\n{aligned(rows)}"

    def batches(self) -> str:
        """The races of array-valued parameters."""
        names = [name for name in ("klsym", *PEERS, "roof") if any(name in row["us"] for row in self.arrays)]
        table = [("family", "elements", "dimension", "with derivatives", *names, "ratio", "target")]
        for row in self.arrays:
            sizes = (str(row["elements"]), str(row["dimension"]), "yes" if row["gradient"] else "no")
            times = (f"{row['us'][name]:.3g}" if name in row["us"] else "-" for name in names)
            ratio = "-" if row["ratio"] is None else f"{row['ratio']:.1f}"
            table.append((row["family"], *sizes, *times, ratio, f"{row['target']:.1f}"))
        return f"batches of vectors and matrices, microseconds an element:\n{aligned(table)}"

    def of_tensors(self) -> str:
        """The races of other stacks beside their like."""
        names = ("klsym", "klsym pure", *dict.fromkeys(stack.beside for stack in STACKS.values()))
        table: list[tuple[str, ...]] = [("stack", "family", "with gradients", *names, "ratio", "target")]
        for row in self.tensors:
            times = (_ns(row["ns"].get(name)) for name in names)
            gradient = "yes" if row["gradient"] else "no"
            ratios = (f"{row['ratio']:.1f}", f"{row['target']:.1f}")
            table.append((row["stack"], row["family"], gradient, *times, *ratios))
        return f"other stacks on the CPU; pure is torch's own operations:\n{aligned(table)}"

    def of_array_tensors(self) -> str:
        """The races of batches of arrays in tensors, with their gradients, beside torch."""
        names = ("klsym", "torch", "klsym objects", "torch objects")
        table: list[tuple[str, ...]] = [("family", "elements", "dimension", *names, "ratio", "of objects", "target")]
        for row in self.array_tensors:
            times = (f"{row['us'][name]:.3g}" for name in names)
            ratios = (f"{row[name]:.1f}" for name in ("ratio", "objects", "target"))
            table.append((row["family"], str(row["elements"]), str(row["dimension"]), *times, *ratios))
        return f"arrays in tensors on the CPU, forward with backward, microseconds an element:\n{aligned(table)}"

    def summary(self) -> str:
        """What was timed, and what was left out."""
        absent = [name for name in PEERS if name not in installed()]
        left_out = f" Not installed, so left out: {', '.join(absent)}." if absent else ""
        races = [race for race in self.races if race["ratio"] is not None]
        met = sum(race["ratio"] >= race["target"] for race in races)
        mean = geometric_mean([race["ratio"] for race in races])
        result = f" {met} of {len(races)} targets met, {mean:.1f} times as fast in the geometric mean." if mean else ""
        return (
            f"Nanoseconds an element, {self.n} elements, one thread, the least of {self.repeats} interleaved repeats; "
            f"ratio: the fastest peer's time over klsym's.\nroof: the same arrays summed into one.{result}{left_out}"
        )

    def to_json(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            "elements": self.n,
            "repeats": self.repeats,
            "peers": installed(),
            "races": list(self.races),
            "kernels": list(self.kernels),
            "compilations": list(self.compilations),
            "arrays": list(self.arrays),
            "tensors": list(self.tensors),
            "array_tensors": list(self.array_tensors),
        }


def _ns(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
