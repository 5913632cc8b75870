"""Values of definitions as balls that are proven to hold them, or a refusal.

`walker` spells expressions in balls, `growth` and `expansion` bound them towards ends, `ends` what an integrand leaves
there, `pieces` cuts the line; `integral` and `total` put it together, and `enclosure` makes values of it.
"""

from .enclosure import combined, enumerated, expected, mass

__all__ = ["combined", "enumerated", "expected", "mass"]
