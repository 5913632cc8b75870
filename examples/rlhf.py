"""The KL penalty of RLHF, token by token on logits: three estimates of its value, and which of them have its gradient.

The penalty is KL(policy || reference). Its derivative is that of the expectation; the mean of the derivatives of an
estimate at drawn tokens is another thing, because the tokens are drawn from the policy that moves.
"""

import argparse
import sys

import numpy as np

from klsym import estimate_log_ratios, kl

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--draws", type=int, default=100_000, help="how many tokens to draw")
draws = parser.parse_args().draws

rng = np.random.default_rng(0)
positions, vocabulary = 6, 12
reference = rng.normal(0, 1.5, (positions, vocabulary))
policy = reference + rng.normal(0, 0.6, (positions, vocabulary))

value, slope, _ = kl(policy, reference, logits=True, gradient=True)
reverse, _, reverse_slope = kl(reference, policy, logits=True, gradient=True)
print("penalty of each token:", *(f"{x:.4f}" for x in value), f"  of the sequence: {value.sum():.4f} nats\n")


def log_softmax(logits):
    return logits - np.logaddexp.reduce(logits)


log_p, log_q = log_softmax(policy[0]), log_softmax(reference[0])
tokens = rng.choice(vocabulary, size=draws, p=np.exp(log_p))
log_ratio = (log_q - log_p)[tokens]
score = np.eye(vocabulary)[tokens] - np.exp(log_p)  # the derivative of log p(token) by the logits

print("the first token, by drawing")
fine = True
for method, known in (("k1", value[0]), ("k2", np.sum(np.exp(log_p) * (log_q - log_p) ** 2) / 2), ("k3", value[0])):
    drawn = estimate_log_ratios(log_ratio, method=method)
    bias, spread = known - value[0], drawn.standard_error * draws**0.5
    print(
        f"  {method}  {drawn.value:.4f} +- {drawn.standard_error:.4f}   bias {bias:7.4f}, of one draw +- {spread:.3f}"
    )
    fine &= abs(drawn.value - known) < 4 * drawn.standard_error

# Weights of the score: what each estimate becomes when it is differentiated at the drawn token.
GRADIENTS = {
    "k1, differentiated": (np.ones(draws), 0 * slope[0], "nothing: its mean is 0"),
    "k2, differentiated": (-log_ratio, slope[0], "the penalty"),
    "k3, differentiated": (1 - np.exp(log_ratio), reverse_slope[0], "KL(reference || policy)"),
    "k1 as a reward": (-log_ratio, slope[0], "the penalty"),
    "k3 as a reward": (np.exp(log_ratio) - 1 - log_ratio, slope[0] - reverse_slope[0], "neither of the two"),
}
print("\nmean gradient          of what it is the gradient    farthest from that, in standard errors")
for name, (weight, known, meaning) in GRADIENTS.items():
    terms = weight[:, None] * score
    off = np.abs(terms.mean(axis=0) - known) / (terms.std(axis=0) / draws**0.5)
    print(f"  {name:20} {meaning:26}   {off.max():4.1f}")
    fine &= off.max() < 4.5

step = 1e-5 * rng.normal(size=policy.shape)
moved = kl(policy + step, reference, logits=True) - kl(policy - step, reference, logits=True)
fine &= np.allclose(moved.sum(), 2 * np.sum(slope * step), rtol=1e-6)
print("\nwithout drawing, kl(..., logits=True, gradient=True) has the value and the gradient of every token")
print("each estimate has the gradient that is said" if fine else "something is off")
sys.exit(not fine)
