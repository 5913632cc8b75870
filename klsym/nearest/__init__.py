"""Projections: the equations of the nearest member, their solution, and descent where there is none."""
