"""What smoothing does to counts: how far each is from the law that made them, for outcomes, words and an ordered axis.

The counts are drawn from laws that are known, so that the divergence from the truth is a number and not a guess.
"""

import argparse
import sys
from fractions import Fraction

import numpy as np
from scipy.special import betaln, digamma

from klsym import kl, smooth

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--samples", type=int, default=400, help="how many samples to draw, of each size")
samples = parser.parse_args().samples
rng = np.random.default_rng(0)
fine = True

# By hand, of three letters: a count c out of n among K is (c + 1)/(n + K), and a label keeps 1 - epsilon of itself.
by_hand = [Fraction(c + 1, 4 + 3) for c in (3, 0, 1)], [Fraction(7, 10) * c / 4 + Fraction(1, 10) for c in (3, 0, 1)]
shown = smooth([3, 0, 1]), smooth([3, 0, 1], "label", strength=0.3)
print(f"3, 0 and 1: by Laplace {shown[0].round(4)}, with a label's share of 0.3 {shown[1].round(4)}\n")
fine &= all(np.allclose(a, [float(x) for x in b], rtol=1e-15) for a, b in zip(shown, by_hand, strict=True))

# The mean of KL(law || s) over the posterior of the law is least at s = its mean, which is Laplace's where all laws
# are as likely: nothing else can be nearer to the law on average.
STRENGTHS = (0.01, 0.1, 0.5, 1.0, 2.0, 10.0)


def exact(n, size):
    """The least mean: of a count c of one outcome, all laws alike, and of the entropy (Wolpert and Wolf, 1995)."""
    c = np.arange(n + 1)
    chance = np.exp(betaln(c + 1, n - c + size - 1) - betaln(1, size - 1) - np.log(n + 1) - betaln(n - c + 1, c + 1))
    share = (c + 1) / (n + size)
    return digamma(2) - digamma(size + 1) - size * np.sum(chance * share * np.log(share))


print("KL(law || smoothed counts) of ten outcomes, the law drawn evenly from all there are, in nats\n")
print("  draws   " + "".join(f"{f'+ {a:g}':>10}" for a in STRENGTHS) + "     label   + 1, exactly")
for n in (10, 100, 1000):
    laws = rng.dirichlet(np.ones(10), samples)
    counts = np.array([rng.multinomial(n, law) for law in laws])
    ways = [{"method": "lidstone", "strength": a} for a in STRENGTHS] + [{"method": "label"}]
    lost = np.array([kl(laws, np.array([smooth(c, **way) for c in counts])) for way in ways])
    print(f"  {n:5}   " + "".join(f"{x:10.5f}" for x in lost.mean(-1)) + f"     {exact(n, 10):10.5f}")
    best = lost[STRENGTHS.index(1)]
    fine &= abs(best.mean() - exact(n, 10)) < 4 * best.std() / samples**0.5
    fine &= all((other - best).mean() >= -4 * (other - best).std() / samples**0.5 for other in lost)

# A language of 60 words: a word follows from a pool of few, or as it comes.
WORDS = 60
often = 1 / np.arange(1, WORDS + 1)
often /= often.sum()
follows = 0.7 * np.array([rng.dirichlet(0.02 * WORDS * often) for _ in range(WORDS)]) + 0.3 * often
print(f"\nWhich of {WORDS} words follows, from pairs counted: nats a word above the entropy of the language\n")
print("  pairs    + 1      + 0.1    Kneser-Ney")
rows = np.linalg.matrix_power(follows, 200)[0]  # how often each word comes
for n in (1_000, 5_000, 20_000):
    pairs = rng.multinomial(n, (rows[:, None] * follows).ravel()).reshape(WORDS, WORDS)
    ways = {
        "+ 1": np.array([smooth(c, "lidstone", strength=1.0) if c.any() else np.full(WORDS, 1 / WORDS) for c in pairs]),
        "+ 0.1": np.array(
            [smooth(c, "lidstone", strength=0.1) if c.any() else np.full(WORDS, 1 / WORDS) for c in pairs]
        ),
        "Kneser-Ney": smooth(pairs, "kneser-ney"),
    }
    lost = {name: rows @ kl(follows, found) for name, found in ways.items()}
    print(f"  {n:6}" + "".join(f"{x:9.4f}" for x in lost.values()))
    fine &= np.allclose(ways["Kneser-Ney"].sum(-1), 1, rtol=1e-14) and lost["Kneser-Ney"] == min(lost.values())

# Two outcomes of an ordered axis are disjoint: KL is +oo. After normal noise of w places on both, rounded to places, it
# is that of two normals, gap^2/(2 w^2), less what rounding loses: by Sheppard the variance is 1/12 more.
print("\nOutcomes 30 and 33 of 60 on an axis, with noise of w places on both, in nats\n")
apart = np.eye(60)[[30, 33]]
print(f"  without noise {kl(*apart)}")
for width in (1, 2, 5):
    value, rounded = kl(*(smooth(one, "noise", strength=width) for one in apart)), 9 / (2 * (width**2 + 1 / 12))
    print(f"  w = {width}   {value:8.5f}   two normals: {9 / (2 * width**2):8.5f}, rounded {rounded:8.5f}")
    fine &= value < 9 / (2 * width**2) and abs(value / rounded - 1) < 0.01
fine &= np.isinf(kl(*apart))

print(f"\n{'each way has its place' if fine else 'something is off'}")
sys.exit(not fine)
