"""What samples alone say of a divergence: estimates with their doubt, beside the closed forms that klsym derives."""

import argparse
import math
import sys

import numpy as np

import klsym
from klsym import Normal, kl

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--draws", type=int, default=20_000, help="how many outcomes of P and of Q")
draws = parser.parse_args().draws
rng = np.random.default_rng(0)

p, q = Normal(0, 1), Normal(0.5, 1.5)
truth = float(kl(p, q))
x, y = rng.normal(0, 1, draws), rng.normal(0.5, 1.5, draws)
print(f"KL({p} || {q}) = {truth:.6f} nats; from {draws} outcomes of each:\n")

log_ratio = (x**2 - ((x - 0.5) / 1.5) ** 2) / 2 - math.log(1.5)
found = {
    "both densities known, k1": klsym.estimate_log_ratios(log_ratio, method="k1"),
    "both densities known, k3": klsym.estimate_log_ratios(log_ratio, method="k3"),
    "nothing known": klsym.estimate(x, y),
    "nothing known, a lower bound": klsym.estimate(x, y, method="nwj"),
}
for what, estimate in found.items():
    print(f"  {what}\n    {estimate}")

r = 0.6
first, second = rng.multivariate_normal([0, 0], [[1, r], [r, 1]], draws).T
shared, known = klsym.estimate(first, second, quantity="mutual_information"), -math.log(1 - r**2) / 2
print(f"\nWhat two columns with the correlation {r} share: -log(1 - r^2)/2 = {known:.6f} nats; from the samples:\n")
print(f"  {shared}")

print("\nWhere an answer should not be trusted it says so:\n")
print(f"  a category that Q never showed\n    {klsym.estimate_counts([60, 30, 10], [70, 30, 0])}")
smooth = [klsym.smooth(counts) for counts in ([60, 30, 10], [70, 30, 0])]
print(f"  the same, smoothed: {float(kl(*smooth)):.4f} nats")
heavy = klsym.estimate_log_ratios(-np.abs(rng.standard_cauchy(draws)), method="k1")
print(f"  a mean that does not exist\n    {heavy}")

two_sided = [e for e in found.values() if e.interval and math.isfinite(e.interval[1])]
far = max(abs(float(e) - truth) / (e.standard_error or math.inf) for e in two_sided)
right = (
    far <= 4
    and abs(float(shared) - known) <= 4 * shared.standard_error
    and float(found["nothing known, a lower bound"]) <= truth + 0.02
    and not heavy.trusted
)
print(f"\nall within {'four' if right else 'more than four'} standard errors of the closed form")
sys.exit(not right)
