"""Divergences of families whose parameters are arrays: vectors, matrices, and batches of them."""
