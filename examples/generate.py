"""Generate NumPy code for KL(Gamma || Weibull), and run it on a million random sets of parameters."""

import argparse
import time

import numpy as np

import klsym
from klsym import Gamma, Weibull

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--count", type=int, default=1_000_000, help="how many sets of parameters")
count = parser.parse_args().count

f = klsym.kl(Gamma, Weibull)
source = f.generate("numpy")
start, end = source.index("def _first"), source.index("# Points, and the values there")
print(f"...\n{source[start:end].rstrip()}\n...\n")
print(f"# {len(source.splitlines())} lines: before these stand its special functions, after them a self check")
print("# `klsym generate gamma weibull` writes the whole file, which needs NumPy alone\n")

g = f.compile("numpy")
draw = np.random.default_rng(0)
alpha, beta, k, lam = draw.uniform(0.5, 5.0, (4, count))
g(alpha[:10], beta[:10], k[:10], lam[:10])  # the first call imports scipy.special
start = time.perf_counter()
values = g(alpha, beta, k, lam)
seconds = time.perf_counter() - start

print(f"# {count} sets of parameters in {1e3 * seconds:.0f} ms, {1e9 * seconds / count:.0f} ns each")
print(f"# smallest {values.min():.3g}, median {np.median(values):.3g}, largest {values.max():.3g} {f.unit}")
