"""Array kernels written once for NumPy, torch and JAX."""
