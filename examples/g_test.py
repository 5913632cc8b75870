"""The G-test: 2 n KL(frequencies || model) is chi-square where the model holds; in tables, of independence."""

import argparse
import sys

import numpy as np
from scipy import stats

from klsym import kl, mutual_information

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--experiments", type=int, default=20_000, help="how often to count peas that obey the law")
experiments = parser.parse_args().experiments

PEAS = np.array([315, 108, 101, 32])  # Mendel, 1866: round and yellow, round and green, wrinkled and yellow, both
LAW = np.array([9, 3, 3, 1]) / 16
n = PEAS.sum()

g = 2 * n * kl(PEAS, LAW, normalize=True)
chance = stats.chi2.sf(g, df=len(LAW) - 1)
of_scipy = stats.power_divergence(PEAS, n * LAW, lambda_="log-likelihood")
print(f"Mendel's {n} peas: G = {g:.4f}, a chance of {chance:.4f}; scipy.stats: {of_scipy[0]:.4f} and {of_scipy[1]:.4f}")

# Titanic, by class and crew: who lived and who died (Dawson, J. Statistics Education 3, 1995).
TABLE = np.array([[203, 118, 178, 212], [122, 167, 528, 673]])
g_table = 2 * TABLE.sum() * mutual_information(TABLE, normalize=True)
of_table = stats.chi2_contingency(TABLE, correction=False, lambda_="log-likelihood")
print(f"Survival and class on the Titanic: G = 2 n I = {g_table:.3f}; scipy.stats: {of_table.statistic:.3f}")

drawn = np.random.default_rng(0).multinomial(n, LAW, size=experiments)
rejected = np.mean(2 * n * kl(drawn, LAW, normalize=True) > stats.chi2.ppf(0.95, df=3))
error = (0.05 * 0.95 / experiments) ** 0.5
print(f"Peas that obey the law are refused at the level 5% in {rejected:.2%} +- {error:.2%} of experiments.")

fine = (
    abs(g - of_scipy[0]) < 1e-12 and abs(g_table / of_table.statistic - 1) < 1e-12 and abs(rejected - 0.05) < 4 * error
)
print("as scipy.stats says, and at its level" if fine else "something is off")
sys.exit(not fine)
