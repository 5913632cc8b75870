"""Two waiting times told apart: error exponents, how many draws a test needs, and how often it errs."""

import argparse
import math
import sys

import numpy as np
from scipy import stats

from klsym import Exponential, chernoff_information, kl, sample_size

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--plot", metavar="PATH", help="draw the exponents against the number of draws")
parser.add_argument("--experiments", type=int, default=20_000, help="how often to test by simulation")
given = parser.parse_args()

P, Q = Exponential(1), Exponential(2)
ALPHA, BETA = 0.05, 0.01


# The likelihood ratio test decides for P where the sum of n waits, a gamma variable, is above a limit.
def errors(n, limit):
    """How often it decides for Q where P holds, and for P where Q holds: exact."""
    return stats.gamma.cdf(limit, n), stats.gamma.sf(limit, n, scale=1 / 2)


def log_beta(n, alpha):
    return stats.gamma.logsf(stats.gamma.ppf(alpha, n), n, scale=1 / 2)


def log_sum(n):
    """The log of the least sum of both errors: at the limit where the densities are equal, n log 2."""
    return np.log(sum(errors(n, n * math.log(2))))


stein, best = float(kl(P, Q)), float(chernoff_information(P, Q))
print(f"alpha fixed, beta falls as exp(-n KL):     {stein:.6f} (1 - log 2 is {1 - math.log(2):.6f})")
print(f"their sum falls as exp(-n Chernoff):       {best:.6f}\n")
# Strassen, 1962: the log ratio, x - log 2 with the variance 1 under P, takes sqrt(n) z from the exponent.
print("       n   -log(beta)/n   by Strassen   -log(alpha + beta)/n")
for n in (10, 100, 1000, 2000):
    strassen = stein - stats.norm.isf(ALPHA) / math.sqrt(n) + math.log(n) / (2 * n)
    print(f"  {n:6}       {-log_beta(n, ALPHA) / n:.6f}      {strassen:.6f}               {-log_sum(n) / n:.6f}")

bounds = sample_size(P, Q, alpha=ALPHA, beta=BETA)
least = next(n for n in range(1, 1000) if log_beta(n, ALPHA) <= math.log(BETA))
print(f"\nalpha = {ALPHA}, beta = {BETA}: no test does with fewer than {bounds.needed} draws, this one does with")
print(f"{least} by the exact law, and {bounds.enough} are proven to be enough by divergences alone.")

limit = stats.gamma.ppf(ALPHA, least)
rng = np.random.default_rng(0)
fine = bounds.needed <= least <= bounds.enough
for name, rate, true in (("alpha", 1, errors(least, limit)[0]), ("beta", 2, errors(least, limit)[1])):
    kept = rng.exponential(1 / rate, (given.experiments, least)).sum(axis=-1) > limit
    seen = 1 - kept.mean() if name == "alpha" else kept.mean()
    error = math.sqrt(true * (1 - true) / given.experiments)
    print(f"  {name:5} {seen:.4f} by simulation, {true:.4f} +- {error:.4f} exactly")
    fine &= abs(seen - true) < 4 * error

if given.plot:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    n = np.unique(np.logspace(0.5, 3.3, 60).astype(int))
    figure, axes = plt.subplots(figsize=(6, 4))
    axes.semilogx(n, -log_beta(n, ALPHA) / n, "-", color="black", label=f"-log(beta)/n at alpha = {ALPHA}")
    axes.semilogx(n, -log_sum(n) / n, "--", color="black", label="-log(alpha + beta)/n")
    axes.axhline(stein, color="0.5", linewidth=1, label="KL(P || Q)")
    axes.axhline(best, color="0.5", linewidth=1, linestyle=":", label="Chernoff information")
    axes.set(xlabel="number of draws n", ylabel="exponent (nats a draw)", title=f"{P} against {Q}", ylim=(0, 0.45))
    axes.legend(frameon=False, loc="upper left")
    figure.savefig(given.plot, dpi=120, bbox_inches="tight")

fine &= abs(-log_beta(2000, ALPHA) / 2000 - strassen) < 4 / 2000 and abs(-log_sum(2000) / 2000 / best - 1) < 0.05
print("the exponents are the divergences" if fine else "something is off")
sys.exit(not fine)
