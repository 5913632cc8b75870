"""What data teach: the posterior by Bayes' rule, and its divergence from the prior, toss by toss and on average."""

import math
import sys

import numpy as np

from klsym import Bernoulli, Beta, Normal, condition, joint, kl, mutual_information

model = joint(Beta("a", "b"), lambda chance: Bernoulli(chance))
posterior = condition(model, x="x")
print(f"The chance of heads is Beta(a, b); after a toss x it is {posterior}, and what the toss told is")
gained = kl(posterior, Beta("a", "b"), base=2)
print(gained)

told = gained.compile("numpy")  # of a, x and b
a = b = 1
print("\n  toss  belief      bits gained")
for toss in (1, 1, 0, 1, 1, 1, 0, 1):
    bits = told(a, toss, b)
    a, b = a + toss, b + 1 - toss
    print(f"  {toss}     Beta({a}, {b})  {bits:.4f}")
whole = float(kl(Beta(a, b), Beta(1, 1), base=2))
print(f"  all   Beta({a}, {b})  {whole:.4f}")

# On average the first tells I(chance; toss) = H(toss) - E[H(toss | chance)] = log 2 - 1/2 nats: heads and tails are
# alike, each with the chance 1/2.
first = math.log(2) * (told(1, 0, 1) + told(1, 1, 1)) / 2
print(f"\nThe first toss tells {first:.6f} nats on average; log 2 - 1/2 is {math.log(2) - 0.5:.6f}.")

# A mean known to within 3, measured with noise 1: each reading moves the posterior, by another amount.
sensor = joint(Normal(0, 3), lambda mean: Normal(mean, 1))
gain = kl(condition(sensor, x="x"), Normal(0, 3)).compile("numpy")
told_by = gain(np.random.default_rng(0).normal(0, math.hypot(3, 1), 20_000))
information, error = float(mutual_information(sensor)), told_by.std() / len(told_by) ** 0.5
print(f"A reading of the sensor tells {told_by.mean():.4f} +- {error:.4f} nats; the information is {information:.4f}.")

fine = (
    abs(first - math.log(2) + 0.5) < 1e-15
    and abs(information - math.log(10) / 2) < 1e-15
    and abs(told_by.mean() - information) < 4 * error
)
print("the mean gain is the mutual information" if fine else "something is off")
sys.exit(not fine)
