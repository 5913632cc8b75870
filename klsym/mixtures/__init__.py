"""Mixtures: bounds of their divergence, its value with a proof, and means of draws."""
