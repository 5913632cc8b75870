"""What an estimator answers: a number, how far it can be trusted, and what to take where it cannot."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from ..vectors import unit

NOTATIONS = {
    "kl": "KL(P || Q)",
    "entropy": "H(P)",
    "mutual_information": "I(X; Y)",
    "jensen_shannon": "JS(P, Q)",
}
UNITS = {None: "nats", 2: "bits", 10: "dits"}


@dataclass(frozen=True)
class Estimate:
    """An estimate from data: `float(e)` is its value, in `unit`; `print(e)` is a line that keeps nothing back.

    standard_error: of the value around its own mean, None where there is none to give. interval: that of nominal
    `level`, made as `how` says, or None: then `diagnosis` says why. n: how many outcomes of P (and of Q). chosen: why
    this method, where klsym chose it. alternative: what to take instead, where the number should not be trusted.
    """

    value: float
    standard_error: float | None
    interval: tuple[float, float] | None
    level: float | None
    how: str
    n: tuple[int, ...]
    quantity: str
    method: str
    diagnosis: str = ""
    alternative: str = ""
    chosen: str = ""
    unit: str = "nats"

    @property
    def trusted(self) -> bool:
        """Whether nothing was found that speaks against the number: no alternative is named."""
        return not self.alternative

    def in_base(self, base: Any) -> Estimate:
        """The same in units of log(base), from nats."""
        scale = unit(base)
        if self.unit != "nats":
            raise ValueError(f"the estimate is in {self.unit} already")
        error = None if self.standard_error is None else float(self.standard_error / scale)
        ends = None if self.interval is None else (float(self.interval[0] / scale), float(self.interval[1] / scale))
        name = UNITS.get(base, f"units of log {base}")
        return replace(self, value=float(self.value / scale), standard_error=error, interval=ends, unit=name)

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        said = [f"{NOTATIONS.get(self.quantity, self.quantity)} = {self.value:.6g}"]
        if self.standard_error is not None and math.isfinite(self.value):
            said[0] += f" +- {self.standard_error:.2g}"
        said[0] += f" {self.unit}"
        if self.interval is not None:
            low, high = self.interval
            said.append(f"{100 * (self.level or 0):g}% in [{low:.6g}, {high:.6g}] ({self.how})")
        said.append(f"{self.method}, n = {', '.join(map(str, self.n))}")
        said += [part for part in (self.chosen, self.diagnosis) if part]
        if self.alternative:
            said.append(f"better: {self.alternative}")
        return "; ".join(said)

    def to_json(self) -> dict[str, Any]:
        """Every field as plain data, an infinite number as text."""
        return {name: _plain(value) for name, value in vars(self).items()} | {"trusted": self.trusted}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
