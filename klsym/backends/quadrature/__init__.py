"""Integrals and sums of programs over arrays of parameters, by rules whose panels each element chooses."""
