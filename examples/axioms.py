"""What holds for KL whatever P and Q are: in symbols where klsym has them, and on tables that are drawn at random.

Each line says what is shown, how it is shown and how far off it is: 0 for what is proven in symbols.
"""

import argparse
import math
import sys

import numpy as np
import sympy as sp

from klsym import (
    Exponential,
    Gamma,
    LogNormal,
    Normal,
    Poisson,
    cross_entropy,
    divergences,
    entropy,
    independent,
    jensen_shannon_distance,
    joint,
    kl,
    marginal,
    mixture,
    reverse_kl,
)

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--tables", type=int, default=2_000, help="how many pairs of tables to draw")
parser.add_argument("--plot", metavar="PATH", help="draw both directions, and what noise does to both")
given = parser.parse_args()

fine = True


def identity(what, of, difference):
    """Two formulas are one where their difference is 0."""
    global fine
    fine &= difference == 0
    print(f"  {what:30} {of:46} {'proven' if difference == 0 else difference}")


def rule(what, of, off, limit=0.0):
    """The worst of what is drawn: how far beyond the rule it is."""
    global fine
    fine &= bool(off <= limit)
    print(f"  {what:30} {of:46} {off:.1g}")


print("In symbols\n")
m, n = sp.symbols("m n", real=True)
s, t = sp.symbols("s t", positive=True)
normals, gammas = (Normal(m, s), Normal(n, t)), (Gamma(2, s), Gamma(3, t))
of_normals = kl(*normals).value
difference = cross_entropy(*normals).value - entropy(normals[0]).value
identity("cross-entropy less entropy", "is KL, of two normals", sp.expand(difference - of_normals))
of_images = kl(LogNormal(m, s), LogNormal(n, t)).value
identity("bijections change nothing", "log-normals beside their normals", sp.expand(of_images - of_normals))
pairs = kl(*(independent(*both) for both in zip(normals, gammas, strict=True))).value
identity("independent parts add up", "a normal and a gamma law", sp.expand(pairs - of_normals - kl(*gammas).value))

# With one parameter it is f(t/s), f(1) = f'(1) = 0 and f'' > 0: 0 at equality alone.
r = sp.Symbol("r", positive=True)
alone = sp.expand_log(sp.expand(kl(Exponential(s), Exponential(t)).value.subs(t, r * s)))
identity("0 at P = Q", f"{alone} at r = t/s = 1", alone.subs(r, 1))
identity(
    "and there alone",
    "the slope is 0 at 1, and the curvature 1/r**2",
    alone.diff(r).subs(r, 1) + alone.diff(r, 2) - r**-2,
)
# A symmetric matrix with the determinant 0 and a positive trace has no negative eigenvalue.
p, q = sp.symbols("p q", positive=True)
hessian = sp.hessian(p * sp.log(p / q), (p, q))
identity("convex in P and Q together", "the determinant of the Hessian of p log(p/q)", sp.expand(hessian.det()))
fine &= bool(hessian.trace().is_positive)

print("\nOn tables of 3 x 4: the worst of what is drawn, 0 where nothing breaks the rule\n")
rng = np.random.default_rng(0)
(p1, q1), (p2, q2) = rng.dirichlet(np.full(12, 0.5), (2, 2, given.tables))
share = rng.random((given.tables, 1))
values = kl(p1, q1)
by_hand = np.sum(p1 * np.log(p1 / q1), axis=-1)
rule("KL is a mean under P", "of log(p/q), summed here", np.abs(values - by_hand).max(), 1e-13)
# Jensen: E_P[-log(q/p)] >= -log E_P[q/p], and the mean of q/p is 1.
rule(
    "not negative (Gibbs)", "-log of the mean of q/p, less KL", max(0.0, (-np.log(np.sum(q1, axis=-1)) - values).max())
)
mixed = kl(share * p1 + (1 - share) * p2, share * q1 + (1 - share) * q2)
apart = share[:, 0] * values + (1 - share[:, 0]) * kl(p2, q2)
rule("convex in P and Q together", "KL of mixtures, less the mean", max(0.0, (mixed - apart).max()))
root = jensen_shannon_distance
detour = root(p1, p2) + root(p2, q1)
rule("the root of JS is a metric", "the straight way, less a detour", max(0.0, (root(p1, q1) - detour).max()))
channel = rng.dirichlet(np.full(5, 0.5), 12)
rule(
    "data processing",
    "KL behind a channel, less that before",
    max(0.0, (kl(p1 @ channel, q1 @ channel) - values).max()),
)
rows, other = p1.reshape(-1, 3, 4), q1.reshape(-1, 3, 4)
first = kl(rows.sum(-1), other.sum(-1))
rest = np.sum(rows.sum(-1) * kl(rows, other, normalize=True), axis=-1)
rule("chain rule", "of rows, and of columns in a row: the sum", np.abs(first + rest - values).max(), 1e-13)
order = rng.permutation(12)
rule(
    "bijections change nothing",
    "the entries in another order",
    np.abs(kl(p1[:, order], q1[:, order]) - values).max(),
    1e-14,
)

print("\nOn laws, in nats\n")
ours, theirs = (joint(Gamma(a, 1), lambda rate: Poisson(rate)) for a in (2, 5))
seen = [marginal(law, "x") for law in (ours, theirs)]
chain, outer = float(kl(ours, theirs)), float(kl(*seen))
print(f"  a rate, and a count that it makes: {chain:.6f}; the rate alone {float(kl(Gamma(2, 1), Gamma(5, 1))):.6f};")
print(f"    the count alone {outer:.6f}: what is made of the rate tells no more than the rate")
# Of two gamma laws of one rate by hand: log G(5)/G(2) - 3 digamma(2), digamma(2) = 1 - 0.57721...
fine &= abs(chain - (math.log(24) - 3 * (1 - np.euler_gamma))) < 1e-13 and outer < chain
halves = [mixture([0.5, 0.5], [Normal(0, 1), Normal(a, 1)]) for a in (2, 3)]
whole, parts = float(kl(*halves)), (0 + float(kl(Normal(2, 1), Normal(3, 1)))) / 2
print(f"  two mixtures of normals: {whole:.6f}, and the mean of their components' {parts:.6f}")
fine &= 0 < whole < parts
there, back = float(kl(Exponential(1), Exponential(2))), float(reverse_kl(Exponential(1), Exponential(2)))
print(f"  not symmetric: KL(Exponential(1) || Exponential(2)) = {there:.6f}, the other way round {back:.6f}")
fine &= abs(there - (1 - math.log(2))) < 1e-15 and abs(back - (math.log(2) - 0.5)) < 1e-15

print("\nWhat is kept of which divergence\n")
AXIOMS = ("nonnegative", "zero-on-diagonal", "jointly-convex", "bijection-invariant", "symmetric", "triangle")
print(" " * 26 + "  ".join(AXIOMS))
for name in ("kl", "renyi", "jeffreys", "jensen_shannon_distance", "total_variation", "hellinger2", "wasserstein2"):
    held = getattr(divergences, name).axioms
    print(f"  {name:24}" + "  ".join(f"{'yes' if a in held else '-':{len(a)}}" for a in AXIOMS).rstrip())

if given.plot:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    rates, noise = np.geomspace(0.25, 4, 81), np.linspace(0, 2, 81)
    of_rates, of_normals = (kl(f, f).compile("numpy") for f in (Exponential, Normal))
    axes[0].semilogx(rates, of_rates(1, rates), "-", color="black", label="KL(P || Q)")
    axes[0].semilogx(rates, of_rates(rates, 1), "--", color="black", label="KL(Q || P)")
    axes[0].set(xlabel="rate of Q = Exponential(r); P = Exponential(1)", ylabel="divergence (nats)",
                title="0 at P = Q alone, and not symmetric")  # fmt: skip
    axes[0].set_xticks([0.25, 0.5, 1, 2, 4], ["1/4", "1/2", "1", "2", "4"])
    axes[0].minorticks_off()
    wide = np.hypot(1, noise), np.hypot(0.5, noise)
    axes[1].plot(noise, of_normals(0, wide[0], 0, wide[1]), "-", color="black", label="KL(P || Q)")
    axes[1].plot(noise, of_normals(0, wide[1], 0, wide[0]), "--", color="black", label="KL(Q || P)")
    axes[1].set(
        xlabel="noise (standard deviation) on P = Normal(0, 1), Q = Normal(0, 1/2)",
        title="data processing: noise takes from both",
    )
    for each in axes:
        each.legend(frameon=False)
        each.set_ylim(0, None)
        each.set_ylabel("divergence (nats)")
    figure.savefig(given.plot, dpi=120)

print(f"\n{'every axiom is held' if fine else 'something is off'}")
sys.exit(not fine)
