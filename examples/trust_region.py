"""TRPO: the step of the natural gradient whose divergence is delta, by Fisher information, and its backtracking.

A policy draws an action from Normal(mu, sigma); the reward is -(action - 1)^2, whose mean is -(mu - 1)^2 - sigma^2.
"""

import itertools
import sys

import numpy as np

from klsym import Normal, fisher, kl

DELTA = 0.01  # nats
information = fisher(Normal)
of_parameters = kl(Normal, Normal).compile("numpy")
print(f"Fisher information of {Normal}: {information}\n")


def slope(mu, sigma):
    return np.array([-2 * (mu - 1), -2 * sigma])


def reward(mu, sigma):
    return -((mu - 1) ** 2) - sigma**2


def metric(theta):
    at = zip((p.symbol for p in Normal.parameters), theta, strict=True)
    return np.array(information.subs(list(at)), dtype=float)


def step(theta, delta):
    """sqrt(2 delta/(g' F^-1 g)) F^-1 g (Schulman et al., arXiv 1502.05477, appendix C)."""
    g = slope(*theta)
    direction = np.linalg.solve(metric(theta), g)
    return np.sqrt(2 * delta / (g @ direction)) * direction


print("The divergence of a step is delta up to its third order, which goes as its root:\n")
print("       delta   KL(old || new)/delta - 1")
theta, off = np.array([0.0, 0.5]), []
for delta in (1e-1, 1e-3, 1e-5, 1e-7):
    off.append(of_parameters(*theta, *(theta + step(theta, delta))) / delta - 1)
    print(f"  {delta:10g}   {off[-1]:12.6f}")
fine = all(abs(a / b / 10 - 1) < 0.2 for a, b in itertools.pairwise(off))

print(f"\nSteps of at most {DELTA} nats, each shortened by tenths until that holds:\n")
print("  step     mu   sigma    reward   KL(old || new)   of 0.1 times the plain gradient")
for count in range(1, 27):
    move = step(theta, DELTA)
    while (spent := of_parameters(*theta, *(theta + move))) > DELTA or reward(*(theta + move)) < reward(*theta):
        move = 0.9 * move
    plain = of_parameters(*theta, *(theta + 0.1 * slope(*theta)))
    fine &= 0 < spent <= DELTA
    theta = theta + move
    if count % 5 == 1:
        print(
            f"  {count:4}  {theta[0]:5.3f}  {theta[1]:6.3f}  {reward(*theta):8.4f}   {spent:.5f}          {plain:.5f}"
        )

fine &= reward(*theta) > -0.3
print(f"\n{'every step is within its region' if fine else 'something is off'}")
sys.exit(not fine)
