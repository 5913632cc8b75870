"""Divergences of arrays whose last step is a sum over an axis: one pass over memory, a block at a time."""
