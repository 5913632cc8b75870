"""Distributions of vectors, lists and matrices as data: their domains, families, functions, and numbers."""
