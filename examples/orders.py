"""Renyi divergences by their order: the limits at 1 and 0, where they are infinite, and how others are bounds of KL.

The properties are those of van Erven and Harremoes (arXiv 1206.2459), the bounds those of Tsybakov (Introduction to
Nonparametric Estimation, 2.4), who has Pinsker's, Bretagnolle and Huber's and Le Cam's.
"""

import argparse
import math
import sys
from fractions import Fraction
from itertools import pairwise

import numpy as np

from klsym import (
    Exponential,
    Normal,
    Uniform,
    alpha_divergence,
    bhattacharyya,
    chi2,
    hellinger2,
    kl,
    renyi,
    reverse_kl,
    total_variation,
)

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--pairs", type=int, default=4_000, help="how many pairs of probability vectors to draw")
parser.add_argument("--plot", metavar="PATH", help="draw the divergence by its order, and pairs beside the bounds")
given = parser.parse_args()

# P is wider than Q: the integral of p^a q^(1 - a) is finite while 1 - a + a/4 > 0, which is a < 4/3.
P, Q, END = Normal(0, 2), Normal(0, 1), 4 / 3
print(renyi(P, Q, "a"))
of_order = renyi(P, Q, "a").compile("numpy")


def by_hand(a):
    """The integral is that of one normal: its variance over those of both, to their shares."""
    return np.log(2 ** (1 - a) / np.sqrt(4 - 3 * a)) / (a - 1)


print("\n   order   Renyi      by hand    what it is there")
exact = 1.5 - math.log(2)  # KL: (4 - 1 - log 4)/2
SEEN = {0.5: "2 Bhattacharyya", 1.3: "large", 1.33: "larger", 1.4: "+oo", 2.0: "+oo: so is chi-square, exp(Renyi) - 1"}
fine = True
for order, what in SEEN.items():
    value = float(of_order(order))
    hand = by_hand(order) if order < END else math.inf
    print(f"  {order:6}   {value:8.6f}   {hand:8.6f}   {what}")
    fine &= value == hand or abs(value - hand) < 1e-12
fine &= abs(float(of_order(0.5)) - 2 * float(bhattacharyya(P, Q))) < 1e-14
fine &= math.isinf(float(chi2(P, Q)))

# To the first order it is KL + (a - 1)/2 times the variance of log(p/q), 3/8 x^2 + c: (3/8)^2 2 4^2 = 9/2.
print("\nTo 1: KL, which it leaves with half the variance of log(p/q), 9/4\n")
for gap in (1e-2, -1e-2, 1e-4, -1e-4, 1e-6):
    slope = (float(of_order(1 + gap)) - exact) / gap
    print(f"  order 1 {'+' if gap > 0 else '-'} {abs(gap):g}   (Renyi - KL)/gap = {slope:.5f}")
    fine &= abs(slope - 2.25) < 10 * abs(gap) + 1e-8

# 1 - exp(-1) is the mass of Q where P has some, and e the greatest p/q.
inner = renyi(Uniform(0, 1), Exponential(1), "a")
low, high = (float(inner.evaluate(a=a)) for a in (Fraction(1, 10**6), 10**6))
print(f"\nTo 0: -log of Q's mass where P has some, {low:.6f} of Uniform(0, 1) and Exponential(1): 0.458675;")
print(f"to oo: the log of the greatest p/q, {high:.4f} at the order 10^6: 1.")
back, near = float(reverse_kl(P, Q)), float(alpha_divergence(P, Q, Fraction(1, 10**6)))
print(f"The alpha-divergence of the normal laws above goes to KL(Q || P) at 0, {back:.6f}: {near:.6f}.")
fine &= abs(near - back) < 1e-6 and abs(back - math.log(2) + 3 / 8) < 1e-15
fine &= abs(low + math.log(1 - math.exp(-1))) < 1e-6 and abs(high - 1) < 2e-5

p, q = np.random.default_rng(0).dirichlet(np.full(3, 0.7), (2, given.pairs))
found = {"TV": total_variation(p, q), "KL": kl(p, q), "H2": hellinger2(p, q), "chi2": chi2(p, q)}
tv, h2 = found["TV"], found["H2"]
# Each is to be at least the next; the least excess of all pairs follows.
CHAINS = {
    "chi2 >= log(1 + chi2) >= KL >= -2 log(1 - H2) >= 2 H2": (
        found["chi2"], np.log1p(found["chi2"]), found["KL"], -2 * np.log1p(-h2), 2 * h2),
    "KL >= 2 TV^2 (Pinsker)": (found["KL"], 2 * tv**2),
    "KL >= -log(1 - TV^2) (Bretagnolle, Huber)": (found["KL"], -np.log1p(-(tv**2))),
    "sqrt(H2 (2 - H2)) >= TV >= H2 (Le Cam)": (np.sqrt(h2 * (2 - h2)), tv, h2),
    "Renyi grows with its order": tuple(renyi(p, q, a) for a in (4, 2, 1.5, 0.9, 0.5, 0.1)),
    "a/(1 - a) Renyi falls with it, below 1": tuple((1 - a) / a * renyi(p, q, a) for a in (0.1, 0.5, 0.9)),
}  # fmt: skip
print(f"\nOf {given.pairs} pairs of probability vectors, the least by which a side is above the other\n")
for name, sides in CHAINS.items():
    excess = min((a - b).min() for a, b in pairwise(sides))
    print(f"  {name:54} {excess:.1e}")
    fine &= excess > -1e-15
of_alpha = (np.exp(renyi(p, q, 2)) - 1) / 2, 4 * h2
off = max(np.abs(alpha_divergence(p, q, a) / b - 1).max() for a, b in zip((2, 0.5), of_alpha, strict=True))
print(f"\nThe alpha-divergence is chi2/2 at the order 2 and 4 H2 at 1/2: off by {off:.0e} of it.")
fine &= off < 1e-12

if given.plot:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    orders = np.concatenate([np.linspace(0.01, 0.999, 100), np.linspace(1.001, END - 1e-4, 100)])
    left.plot(orders, of_order(orders), "-", color="black", label="Renyi, of Normal(0, 2) and Normal(0, 1)")
    power = np.expm1((orders - 1) * of_order(orders)) / (orders * (orders - 1))
    left.plot(orders, power, "--", color="black", label="alpha-divergence")
    left.plot([1], [exact], "o", color="black", label="KL, the limit at 1 of both")
    left.plot([0.5], [of_order(0.5)], "s", color="black", markerfacecolor="white", label="2 Bhattacharyya")
    left.plot([0.5], [4 * float(hellinger2(P, Q))], "^", color="black", markerfacecolor="white", label="4 Hellinger^2")
    left.plot(
        [0], [back], "D", color="black", markerfacecolor="white", clip_on=False, label="KL(Q || P), at 0 of alpha"
    )
    left.axvspan(END, 2, hatch="//", facecolor="0.92", edgecolor="0.7", label="+oo from 4/3 on; chi-square is at 2")
    left.set(
        xlabel="order", ylabel="divergence (nats; alpha: a number)", xlim=(0, 2), ylim=(0, 4), title="by the order"
    )
    left.legend(frameon=False, fontsize="small", loc="upper left")
    grid = np.linspace(0, 0.995, 200)
    right.plot(tv, found["KL"], ".", color="0.7", markersize=2, label="KL of pairs drawn")
    right.plot(grid, 2 * grid**2, "--", color="black", label="Pinsker: 2 TV^2")
    right.plot(grid, -np.log1p(-(grid**2)), ":", color="black", label="Bretagnolle, Huber: -log(1 - TV^2)")
    two = np.sort((1 + grid) / 2)
    right.plot(grid, kl(np.stack([two, 1 - two], -1), np.stack([1 - two, two], -1)), "-", color="black",
               label="KL of (1/2 + TV/2, 1/2 - TV/2) and its mirror")  # fmt: skip
    right.set(xlabel="total variation TV", ylabel="KL (nats)", xlim=(0, 1), ylim=(0, 4), title="KL and total variation")
    right.legend(framealpha=1, edgecolor="white", fontsize="small", loc="upper left")
    figure.savefig(given.plot, dpi=120)

print("the limits and bounds are held" if fine else "something is off")
sys.exit(not fine)
