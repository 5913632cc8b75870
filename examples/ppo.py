"""Three ways to keep a new policy near the old one: TRPO's region, a KL penalty, and PPO's clipping, on one choice.

A policy over five actions is all logits, and every expectation a sum, so that each way has its exact answer. The
clipped objective is that of Schulman et al. (arXiv 1707.06347, equation 7), and the penalty's adaptation their
section 4; a trust region bounds KL(old || new) (arXiv 1502.05477, section 4).
"""

import argparse
import math
import sys

import numpy as np
from scipy.optimize import brentq

from klsym import kl

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--plot", metavar="PATH", help="draw what is gained for the divergence spent")
path = parser.parse_args().plot

OLD = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
REWARD = np.array([1.0, 0.2, 0.5, 0.0, 2.0])
ADVANTAGE = REWARD - OLD @ REWARD  # its mean under the old policy is 0
LOGITS = np.log(OLD)
fine = True


def softmax(logits):
    shares = np.exp(logits - logits.max())
    return shares / shares.sum()


def spent(logits):
    """KL(old || new), and its derivative by the new logits."""
    value, _, slope = kl(LOGITS, logits, logits=True, gradient=True)
    return float(value), slope


def gain(logits):
    """The mean advantage, and its derivative."""
    new = softmax(logits)
    return float(new @ ADVANTAGE), new * (ADVANTAGE - new @ ADVANTAGE)


def clipped(logits, epsilon=0.2):
    """PPO's objective, and its derivative: none from an action whose ratio is beyond the clip on its good side."""
    new = softmax(logits)
    ratio = new / OLD
    value = np.minimum(ratio * ADVANTAGE, np.clip(ratio, 1 - epsilon, 1 + epsilon) * ADVANTAGE)
    held = np.where(ADVANTAGE > 0, ratio < 1 + epsilon, ratio > 1 - epsilon) * ADVANTAGE
    return float(OLD @ value), new * (held - new @ held)


def penalised(beta):
    def objective(logits):
        (value, slope), (divergence, push) = gain(logits), spent(logits)
        return value - beta * divergence, slope - beta * push

    return objective


def climb(objective, logits=LOGITS, rate=0.5, steps=2000):
    for _ in range(steps):
        logits = logits + rate * objective(logits)[1]
    return logits


def of_penalty(beta):
    """The maximum of E_new[A] - beta KL(old || new): new = beta old/(level - A), by Lagrange."""
    level = brentq(
        lambda u: beta * np.sum(OLD / (u - ADVANTAGE)) - 1, ADVANTAGE.max() + 1e-12, ADVANTAGE.max() + beta + 1
    )
    return np.log(beta * OLD / (level - ADVANTAGE))


def region(delta):
    """TRPO's own problem, solved exactly: the policy of a penalty whose divergence is delta."""
    return of_penalty(
        math.exp(brentq(lambda log_beta: spent(of_penalty(math.exp(log_beta)))[0] - delta, -10, 15, xtol=1e-13))
    )


def natural(delta):
    """sqrt(2 delta/(g' F^-1 g)) F^-1 g: of logits F = diag(old) - old old', and F^-1 g is the advantage."""
    return LOGITS + math.sqrt(2 * delta / (OLD @ ADVANTAGE**2)) * ADVANTAGE


print("Trust region: the best policy with KL(old || new) = delta, and the step of the natural gradient\n")
print("     delta   gained    by the step, which spends    gained/sqrt(2 delta Var A)")
for delta in (0.1, 0.01, 1e-4, 1e-6):
    best, step = region(delta), natural(delta)
    share = gain(best)[0] / math.sqrt(2 * delta * (OLD @ ADVANTAGE**2))
    print(f"  {delta:8g}   {gain(best)[0]:.5f}   {gain(step)[0]:.5f}      {spent(step)[0]:.3g}            {share:.5f}")
    fine &= abs(spent(best)[0] / delta - 1) < 1e-8 and gain(step)[0] <= gain(region(spent(step)[0]))[0] * (1 + 1e-9)
fine &= abs(share - 1) < 1e-3

print("\nPenalty: gradient ascent of E_new[A] - beta KL(old || new) ends at the policy by Lagrange\n")
for beta in (2.0, 0.5):
    found, known = softmax(climb(penalised(beta))), softmax(of_penalty(beta))
    print(f"  beta {beta}: KL {spent(np.log(found))[0]:.5f}, off by {np.abs(found - known).max():.0e}")
    fine &= np.abs(found - known).max() < 1e-9
# The other direction is greatest at new ~ old exp(A/beta), by the variational principle of Gibbs.
tilted = LOGITS + ADVANTAGE / 0.5
value = gain(tilted)[0] - 0.5 * kl(tilted, LOGITS, logits=True)
print(f"  of KL(new || old), beta 0.5: {value:.6f} at the tilted policy; log E_old[exp(A/beta)] has", end=" ")
known = 0.5 * math.log(OLD @ np.exp(ADVANTAGE / 0.5))
print(f"{known:.6f}")
fine &= abs(value - known) < 1e-14

print("\nbeta by PPO's rule, halved below 2/3 of a target of 0.02 nats and doubled above 3/2 of it\n")
beta, target, trace = 32.0, 0.02, []
for _ in range(8):
    trace.append(spent(of_penalty(beta))[0])
    beta = beta / 2 if trace[-1] < target / 1.5 else beta * 2 if trace[-1] > target * 1.5 else beta
print("  KL", *(f"{x:.4f}" for x in trace))
print("  half of beta has four times the divergence, and the band is 9/4 wide: it may go to and fro")
fine &= all(target / 4 < x < target * 4 for x in trace[4:]) and trace[0] < target / 4

# Nothing is gained beyond ratios of 1 + epsilon for A > 0 and 1 - epsilon for A < 0: epsilon E|A| in all.
print("\nClip: the objective has a greatest value, 0.2 E|A|, and is level beyond: it stops, and does not pull back\n")
most = 0.2 * OLD @ np.abs(ADVANTAGE)
print("   rate   objective/most   KL(old || new)   greatest ratio")
for rate in (0.1, 1.0, 10.0, 100.0):
    end = climb(clipped, rate=rate, steps=round(2000 / rate))
    ratio = softmax(end) / OLD
    print(f"  {rate:5}   {clipped(end)[0] / most:8.5f}         {spent(end)[0]:10.5f}      {ratio.max():6.3f}")
    fine &= clipped(end)[0] <= most * (1 + 1e-12)
pull = np.abs(penalised(0.5)(end)[1]).max()
print(f"  at the last the clip has the slope {np.abs(clipped(end)[1]).max():g}, a penalty with beta 0.5 {pull:.2f}")
fine &= not clipped(end)[1].any() and pull > 0.1 and spent(end)[0] > 1

if path:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6.5, 4.2), layout="constrained")
    deltas = np.linspace(0.01, 1, 60) ** 2

    def drawn(ends, *style, **label):
        axes.plot(*zip(*((spent(end)[0], gain(end)[0]) for end in ends), strict=True), *style, color="black", **label)

    drawn(map(region, deltas), "-", label="trust region: the most")
    drawn(map(natural, 0.9 * deltas), "--", label="step of the natural gradient")
    drawn(map(of_penalty, (2.0, 1.0, 0.5)), "D", label="penalties, beta 2, 1 and 1/2")
    ends = [climb(clipped, rate=rate, steps=round(2000 / rate)) for rate in (0.1, 2, 4, 6, 8, 10, 12, 14)]
    drawn(ends, "s:", markerfacecolor="white", label="where ascent of the clip ends, rates 0.1 to 14")
    axes.set(xlabel="KL(old || new) (nats)", ylabel="mean advantage gained (reward)", xlim=(0, 1), ylim=(0, None))
    axes.legend(frameon=False, loc="lower right")
    figure.savefig(path, dpi=120)

print("\nthe region, the penalty and the clip do what is said" if fine else "something is off")
sys.exit(not fine)
