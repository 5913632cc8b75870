"""Lower bounds and classifiers from samples, beside closed forms of the bound and of the divergence."""

from __future__ import annotations

import math

import numpy as np
import pytest

import klsym
from klsym.core.errors import ParameterError

SHIFT = 0.8
TRUTH = SHIFT**2 / 2  # KL(Normal(shift, 1) || Normal(0, 1))


def normals(seed, n, d=1):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, d)), rng.normal(size=(n, d))
    x[:, 0] += SHIFT
    return x, y


@pytest.mark.parametrize("method", ["nwj", "dv"])
def test_a_given_critic_has_the_mean_of_its_bound(method):
    x, y = normals(0, 40_000)
    found = klsym.estimate(x, y, method=method, critic=lambda z: 0.5 * z - 0.2)
    # E_P[t] + 1 - E_Q[exp(t)] with t = z/2 - 1/5
    bound = 0.5 * SHIFT - 0.2 + 1 - math.exp(0.125 - 0.2)
    assert abs(float(found) - bound) < 4 * found.standard_error < 0.02
    assert found.interval[0] < bound < TRUTH < found.interval[1] == math.inf


@pytest.mark.parametrize("method", ["nwj", "dv"])
def test_the_mean_over_samples_is_no_more_than_the_divergence(method):
    values = [float(klsym.estimate(*normals(seed, 80, 2), method=method, seed=seed)) for seed in range(12)]
    assert np.mean(values) <= TRUTH + 3 * np.std(values) / math.sqrt(12)


@pytest.mark.parametrize("method", ["nwj", "dv", "classifier"])
def test_random_features_come_near(method):
    found = klsym.estimate(*normals(1, 600), method=method)
    assert float(found) == pytest.approx(TRUTH, abs=4 * found.standard_error) and found.standard_error < 0.15


def test_the_classifier_gives_no_interval_and_says_why():
    found = klsym.estimate(*normals(1, 100), method="classifier", base=2)
    assert found.interval is None and "no interval" in found.diagnosis and found.unit == "bits"


def test_critics_that_are_none():
    x, y = normals(0, 50)
    with pytest.raises(ParameterError, match="one number for each"):
        klsym.estimate(x, y, method="nwj", critic=lambda z: z[:3])
    with pytest.raises(ParameterError, match="without a torch module"):
        klsym.estimate(x, y, method="dv", steps=3)
    with pytest.raises(ParameterError, match="not finite"):
        klsym.estimate(x, y, method="nwj", critic=lambda z: np.full(len(z), np.inf))
    with pytest.raises(ParameterError, match="at least 40"):
        klsym.estimate(x[:9], y, method="classifier")


@pytest.mark.peers
def test_mine_with_a_critic_in_torch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    critic = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    found = klsym.estimate(*normals(0, 4000, 2), method="dv", critic=critic, steps=200, batch=64, rate=1e-2)
    assert abs(float(found) - TRUTH) < 4 * found.standard_error and "torch" in found.method
    with pytest.raises(ParameterError, match="no parameters"):
        klsym.estimate(*normals(0, 100), method="dv", critic=torch.nn.Identity())


@pytest.mark.peers
def test_the_moving_average_takes_the_bias_of_the_batch_out_of_the_gradient():
    torch = pytest.importorskip("torch")
    from klsym.samples.torch_critic import trained

    class Slope(torch.nn.Module):
        """t = a z, whose best a is the shift, where the bound is the divergence."""

        def __init__(self):
            super().__init__()
            self.a = torch.nn.Parameter(torch.tensor(0.0, dtype=torch.float64))

        def forward(self, z):
            return self.a * z

    def slope(decay):
        critic, (x, y) = Slope(), normals(0, 20_000)
        trained(critic, x, y, seed=0, steps=1000, batch=4, rate=3e-3, decay=decay)
        return float(critic.a.detach())

    # With batches of 4 alone the denominator moves with the numerator, and a ends too large.
    assert abs(slope(0.99) - SHIFT) < 0.1 < slope(0.0) - SHIFT
