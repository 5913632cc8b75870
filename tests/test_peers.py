"""klsym beside other libraries, where both have the answer: `make test-peers` installs them."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import peers_arrays
import pytest

import klsym

pytestmark = pytest.mark.peers

# klsym's family, torch's class, and values for P and for Q, in klsym's order of parameters.
PAIRS = [
    ("Normal", "Normal", (0.3, 1.2), (-0.5, 0.7)),
    ("Gamma", "Gamma", (5.0, 2.0), (1.5, 3.0)),
    ("Beta", "Beta", (2.0, 3.5), (0.8, 1.7)),
    ("Exponential", "Exponential", (1.3,), (0.4,)),
    ("Laplace", "Laplace", (0.3, 1.2), (-0.5, 0.7)),
    ("Poisson", "Poisson", (2.5,), (4.0,)),
    ("Bernoulli", "Bernoulli", (0.3,), (0.8,)),
]


@pytest.fixture(scope="module")
def torch():
    return importlib.import_module("torch")


@pytest.mark.parametrize("ours, theirs, p, q", PAIRS, ids=[pair[0] for pair in PAIRS])
def test_torch_agrees(torch, ours, theirs, p, q):
    family, other = getattr(klsym, ours), getattr(torch.distributions, theirs)
    expected = torch.distributions.kl_divergence(
        *(other(*(torch.tensor(value, dtype=torch.float64) for value in values)) for values in (p, q))
    )
    assert klsym.kl(family, family).compile("numpy")(*p, *q) == pytest.approx(float(expected), rel=1e-12)


def test_torch_agrees_on_probability_vectors(torch):
    p, q = np.array([0.1, 0.2, 0.7]), np.array([0.3, 0.3, 0.4])
    categorical = torch.distributions.Categorical
    expected = torch.distributions.kl_divergence(*(categorical(probs=torch.from_numpy(v)) for v in (p, q)))
    assert float(klsym.kl(p, q)) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("library", peers_arrays.LIBRARIES)
def test_pairs_of_arrays_are_those_of_the_readme(library):
    """Asked, a library answers as the README's table says, and its answers are klsym's."""
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8").splitlines()
    start = next(n for n, line in enumerate(readme) if line.startswith("| pair of one family"))
    heading = [cell.strip() for cell in readme[start].split("|")]
    place = next(n for n, cell in enumerate(heading) if cell.startswith(library))
    rows = [[cell.strip() for cell in line.split("|")] for line in readme[start + 2 :][: len(peers_arrays.MEMBERS)]]
    try:
        found = dict(peers_arrays.answers(library))
    except ImportError:
        pytest.skip(f"{library} is not installed")
    assert found == {cells[1]: cells[place].replace("-", "") for cells in rows}


@pytest.mark.parametrize(
    "form, theirs",
    [("covariance", "covariance_matrix"), ("precision", "precision_matrix"), ("scale_tril", "scale_tril")],
)
def test_torch_differentiates_by_matrices_as_we_do(torch, form, theirs):
    """Symmetrised by a symmetric matrix; by a triangular factor torch has entries above the diagonal too."""
    rng = np.random.default_rng(0)
    halves = np.tril(rng.standard_normal((2, 3, 3)), -1) + 2 * np.eye(3)
    matrices = halves if form == "scale_tril" else [(half @ half.T + (half @ half.T).T) / 2 for half in halves]
    arguments = [rng.standard_normal(3), matrices[0], rng.standard_normal(3), matrices[1]]
    tensors = [torch.tensor(x, requires_grad=True) for x in arguments]
    normal = torch.distributions.MultivariateNormal
    value = torch.distributions.kl_divergence(*(normal(m, **{theirs: s}) for m, s in (tensors[:2], tensors[2:])))
    value.backward()
    family = klsym.MultivariateNormal
    found = klsym.kl(family("a", **{form: "A"}), family("b", **{form: "B"})).compile(gradient=True)(*arguments)
    for tensor, slope in zip(tensors, found[1:], strict=True):
        expected = tensor.grad.numpy()
        assert slope == pytest.approx(
            np.tril(expected) if form == "scale_tril" and slope.ndim == 2 else expected, rel=1e-12, abs=1e-12
        )
