"""Compiled formulas of arrays: those with a kernel are right next to P = Q, where the closed form cancels."""

import numpy as np
import pytest

from klsym import Categorical, Dirichlet, MultivariateNormal, kl
from klsym.array_code import KERNELS, kernel_of

GENERATOR = np.random.default_rng(4)
FACTOR = np.tril(GENERATOR.uniform(-1, 1, (3, 3))) + 3 * np.eye(3)
COVARIANCE = FACTOR @ FACTOR.T
COVARIANCE = (COVARIANCE + COVARIANCE.T) / 2
MEAN, LIST = GENERATOR.uniform(-1, 1, 3), GENERATOR.uniform(0.5, 3, 4)

# A formula of generic members, the arrays of P, and those of Q next to them.
ROWS = {
    "gaussian.kl_covariance": (MultivariateNormal, {}, (MEAN, COVARIANCE), (MEAN + 1e-9, COVARIANCE * (1 + 1e-9))),
    "gaussian.kl_precision": (
        MultivariateNormal, {"precision": "A"}, (MEAN, COVARIANCE), (MEAN + 1e-9, COVARIANCE * (1 + 1e-9)),
    ),
    "gaussian.kl_tril": (
        MultivariateNormal, {"scale_tril": "A"}, (MEAN, FACTOR), (MEAN + 1e-9, FACTOR * (1 + 1e-9)),
    ),
    "dirichlet.kl": (Dirichlet, {}, (LIST,), (LIST + 1e-8,)),
    "logits.kl": (Categorical, {"logits": "a"}, (LIST,), (LIST * (1 + 1e-8),)),
}  # fmt: skip


def formula(family, form, means=("mu", "nu")):
    if not form:
        return kl(family, family)
    ((name, symbol),) = form.items()
    means = [(mean,) for mean in means] if family is MultivariateNormal else ((), ())
    return kl(family(*means[0], **{name: symbol}), family(*means[1], **{name: f"{symbol}2"}))


@pytest.mark.parametrize("place", KERNELS.values())
def test_a_kernel_is_right_next_to_equality(place):
    family, form, p, q = ROWS[place]
    compiled = formula(family, form).compile()
    assert kernel_of(compiled.cases[0].value, tuple(symbol for symbol, _ in compiled.parameters)) is not None
    got = float(compiled(*p, *q))
    (name,) = form or (None,)
    members = [family(*x) if name is None else family(*x[:-1], **{name: x[-1]}) for x in (p, q)]
    exact = float(kl(*members).evaluate(digits=20))
    assert 0 < exact < 1e-12 and abs(got / exact - 1) < 16 * 2**-52


@pytest.mark.parametrize("form", ["covariance", "precision", "scale_tril"])
def test_a_kernel_is_found_whatever_the_names_are(form):
    for names in (("a", "b"), ("b", "a")):
        for symbol in "AZ":
            compiled = formula(MultivariateNormal, {form: symbol}, names).compile()
            assert kernel_of(compiled.cases[0].value, tuple(s for s, _ in compiled.parameters)) is not None


def test_batches_broadcast_and_invalid_arrays_are_nan():
    f = kl(Dirichlet, Dirichlet).compile()
    values = f(np.stack([LIST, LIST, -LIST]), LIST)
    assert values.shape == (3,) and not values[:2].any() and np.isnan(values[2])


def test_logits_of_minus_infinity_are_classes_without_mass():
    f = kl(Categorical(logits="a"), Categorical(logits="b")).compile()
    inf = np.inf
    assert f([0, -inf], [0, 0]) == pytest.approx(np.log(2), rel=1e-15)
    assert f([0, 0], [0, -inf]) == inf
    assert np.isnan([f([-inf, -inf], [0, 0]), f([0, inf], [0, 0])]).all()
