"""A Laplace approximation: the normal at the mode, how far it is from the posterior, and the evidence by its ELBO."""

import argparse
import sys

import numpy as np
from scipy.special import log_expit

from klsym import Gamma, MultivariateNormal, Normal, kl

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--draws", type=int, default=50_000, help="how many draws from the approximation")
draws = parser.parse_args().draws

# The posterior of a rate after n counts is a gamma law of about n; near its mode it is a normal. In the coordinate
# x/sqrt(n) the skewness is 2/sqrt(n), and the divergence goes as 1/n.
print("KL(Gamma(n, 1) || Normal(n - 1, sqrt(n - 1))), by the mode and the curvature there:\n")
away = kl(Gamma, Normal).compile("numpy")
n = np.array([10.0, 100.0, 1000.0, 1e5])
# The mean is off by 1, which costs 1/(2 n), and Edgeworth's skewness^2/12 = 1/(3 n).
scaled = n * away(n, 1, n - 1, np.sqrt(n - 1))
for size, value in zip(n, scaled, strict=True):
    print(f"  n = {size:8g}   n KL = {value:.5f}")
print("  by Edgeworth, in the limit 1/2 + 1/3 = 0.83333\n")

rng = np.random.default_rng(0)
inputs = np.column_stack([np.ones(60), rng.normal(size=(60, 2))])
signs = np.where(rng.random(60) < 1 / (1 + np.exp(-inputs @ [0.5, 1.5, -1.0])), 1, -1)
design = signs[:, None] * inputs


def log_likelihood(weights):
    return log_expit(weights @ design.T).sum(axis=-1)


# Newton's steps to the mode, for the prior Normal(0, I).
mode = np.zeros(3)
for _ in range(20):
    miss = np.exp(log_expit(-design @ mode))
    root = design * np.sqrt(miss * (1 - miss))[:, None]
    curvature = np.eye(3) + root.T @ root
    mode = mode + np.linalg.solve(curvature, design.T @ miss - mode)

# The closed form from precisions: nothing is inverted by hand.
prior = MultivariateNormal(np.zeros(3), precision=np.eye(3))
term = float(kl(MultivariateNormal(mode, precision=curvature), prior))

half = np.linalg.cholesky(np.linalg.inv(curvature))
unit = rng.normal(size=(draws, 3))
weights = mode + unit @ half.T
fit = log_likelihood(weights)
elbo, elbo_error = fit.mean() - term, fit.std() / draws**0.5
log_prior_over_q = (np.square(unit).sum(-1) - np.square(weights).sum(-1)) / 2 + np.log(np.diag(half)).sum()
parts = np.exp(fit + log_prior_over_q - elbo)
evidence, evidence_error = elbo + np.log(parts.mean()), parts.std() / parts.mean() / draws**0.5
print("Logistic regression, 60 rows, 3 weights:\n")
print(f"  E_q[log likelihood] {fit.mean():9.4f} +- {elbo_error:.4f}")
print(f"  KL(q || prior)      {term:9.4f}   in closed form; {-log_prior_over_q.mean():.4f} by the same draws")
print(f"  ELBO                {elbo:9.4f}   their difference")
print(f"  log evidence        {evidence:9.4f} +- {evidence_error:.4f}, by importance sampling")
print(f"  KL(q || posterior)  {evidence - elbo:9.4f}   what the ELBO lacks")

fine = (
    abs(scaled[-1] - 5 / 6) < 1e-3
    and abs(log_prior_over_q.mean() + term) < 4 * log_prior_over_q.std() / draws**0.5
    and 0 < evidence - elbo < 0.2
)
print(f"\n  {'the terms are what they estimate' if fine else 'something is off'}")
sys.exit(not fine)
