"""Has a table drifted? Population stability index and KL of its binned columns, and the error rates of thresholds.

The index, sum (p - q) log(p/q), is Jeffreys' divergence of the shares in bins. Without drift it is about
(1/n + 1/m) times chi-square of bins - 1 degrees of freedom (Yurdakul, Western Michigan University, 2018).
"""

import argparse
import sys

import numpy as np
from scipy import stats

from klsym import jeffreys, kl, smooth

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--tables", type=int, default=4_000, help="how many pairs of batches to draw, for each size")
tables = parser.parse_args().tables

BINS = 10
rng = np.random.default_rng(0)


def counts(old, new):
    """How many of each batch fall between the deciles of the old one."""
    edges = np.quantile(old, np.linspace(0, 1, BINS + 1)[1:-1])
    return tuple(np.bincount(np.searchsorted(edges, column), minlength=BINS) for column in (old, new))


def threshold(n, m, level):
    return (1 / n + 1 / m) * stats.chi2.ppf(1 - level, BINS - 1)


n, m = 5_000, 2_000
columns = {
    "age": (rng.normal(40, 10, n), rng.normal(41.5, 10, m)),
    "income": (rng.lognormal(10, 0.6, n), rng.lognormal(10, 0.7, m)),
    "visits": (rng.exponential(3, n), rng.exponential(3, m)),
}
print(f"{n} rows before, {m} after; without drift the index is above {threshold(n, m, 0.01):.4f} in 1% of columns\n")
print("  column      PSI   KL(new || old)   drifted")
drifted = {}
for name, (old, new) in columns.items():
    before, after = map(smooth, counts(old, new))  # an empty bin would make both infinite
    index = jeffreys(after, before)
    drifted[name] = index > threshold(n, m, 0.01)
    print(f"  {name:8}  {index:.4f}        {kl(after, before):.4f}      {'yes' if drifted[name] else 'no'}")

print("\nhow often a column that has not drifted is above\n")
print("     n = m     0.1     0.25    the 5% point")
fine = drifted == {"age": True, "income": True, "visits": False}
for size in (100, 400, 2000):
    same = rng.multinomial(size, [1 / BINS] * BINS, size=(2, tables))
    index = jeffreys(*(same + 0.5), normalize=True)
    above = [np.mean(index > t) for t in (0.1, 0.25, threshold(size, size, 0.05))]
    print(f"  {size:8}  {above[0]:6.1%}  {above[1]:6.1%}     {above[2]:6.1%}")
error = (0.05 * 0.95 / tables) ** 0.5
fine &= abs(above[2] - 0.05) < 4 * error
print(f"\n0.1 and 0.25 have another rate at each size; the 5% point's is 5% +- {error:.1%} where n is large.")
print("the thresholds have their rates" if fine else "something is off")
sys.exit(not fine)
