"""The symbols that a divergence's definition is written in: two log densities and two expectations."""

from __future__ import annotations

import sympy as sp

LOG_P, LOG_Q = sp.symbols("log_p log_q", real=True)
P, Q = sp.Function("E_P"), sp.Function("E_Q")
MEASURES = {P: sp.Symbol("P"), Q: sp.Symbol("Q")}
