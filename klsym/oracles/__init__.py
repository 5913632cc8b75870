"""Oracles: numbers from the definition alone, at high precision, each saying how far it can be trusted."""

from .definition import expectation, mass, measure

__all__ = ["expectation", "mass", "measure"]
