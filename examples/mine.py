"""Mutual information by a network: MINE's lower bound from samples, beside the closed form of normal laws.

Belghazi et al., arXiv 1801.04062: a critic is trained to tell pairs from shuffled pairs. The bound is taken on samples
that it was not trained with, so that it is one on average, and below the truth as far as the critic falls short.
"""

import argparse
import math
import sys

import numpy as np

from klsym import estimate

try:
    import torch
    from torch import nn
except ImportError:
    sys.exit(print("torch is not installed: no critic to train"))

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--steps", type=int, default=1000, help="of the optimiser")
steps = parser.parse_args().steps

torch.set_num_threads(1)
rng = np.random.default_rng(0)
n, fine = 4000, True
print("correlation   truth     MINE                      neighbours (KSG)")
for r in (0.3, 0.8):
    torch.manual_seed(0)
    x, y = rng.multivariate_normal([0, 0], [[1, r], [r, 1]], n).T
    pairs, shuffled = np.column_stack([x, y]), np.column_stack([x, rng.permutation(y)])
    critic = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
    bound = estimate(pairs, shuffled, method="dv", critic=critic, steps=steps)
    near = estimate(x, y, quantity="mutual_information")
    truth = -math.log(1 - r**2) / 2
    print(f"  {r}         {truth:.4f}    {bound.value:.4f} +- {bound.standard_error:.4f}         ", end="")
    print(f"{near.value:.4f} +- {near.standard_error:.4f}")
    fine &= truth - 0.1 < bound.value < truth + 4 * bound.standard_error
    fine &= abs(near.value - truth) < 4 * near.standard_error
print(f"\n{bound}\n")
print("the bound is below the truth, and near it" if fine else "something is off")
sys.exit(not fine)
