"""Compiled formulas of arrays beside textbook formulas in 120 digits: near P = Q, far, and ill conditioned."""

import inspect
import pickle
import subprocess
import sys
from importlib.util import find_spec

import mpmath as mp
import numpy as np
import pytest
from array_reference import DIGITS, LKJ_SIZE, REFERENCES, gauss

from klsym import (
    Categorical,
    Dirichlet,
    MatrixNormal,
    Multinomial,
    MultivariateLogNormal,
    MultivariateNormal,
    ParameterError,
    UnderivableError,
    Wishart,
    jeffreys,
    kl,
    reverse_kl,
    vectors,
)
from klsym.array_code import KERNELS
from klsym.arrays.arithmetic import balls
from klsym.arrays.bounded import bounded
from klsym.arrays.sampling import draw
from klsym.families import array_catalog

EPS = 2.0**-52
GENERATOR = np.random.default_rng(4)
FACTOR = np.tril(GENERATOR.uniform(-1, 1, (3, 3))) + 3 * np.eye(3)
COVARIANCE = FACTOR @ FACTOR.T
COVARIANCE = (COVARIANCE + COVARIANCE.T) / 2
MEAN, LIST = GENERATOR.uniform(-1, 1, 3), GENERATOR.uniform(0.5, 3, 4)
SHARES = np.array([0.5, 0.25, 0.25])

# Semi-closed: their sums and integrals have no textbook formula, no estimate of an error, and no gradient.
SEMI_CLOSED = ("DirichletMultinomial", "MultivariateCauchy")
FORMED = {
    (family.name, "+".join(form.keywords) if form else ""): family.formed(form) if form else family
    for family in array_catalog().values()
    if family.name not in SEMI_CLOSED
    for form in (None, *(f for f in family.forms if f.meaning != f.of))
}


def divergence(family):
    """The formula of two members of the family, of a size where no parameter tells it."""
    formula = kl(family, family)
    return formula.sized(dict.fromkeys(formula.free_sizes, LKJ_SIZE))


def symmetric(x):
    return np.tril(x) + np.tril(x, -1).T


def regular(x):
    return bool((np.linalg.eigvalsh(x) > 0).all())


def moved(parameter, x, gap, rng):
    """The parameter with every entry moved by a relative gap, still in its domain."""
    if parameter.domain.name == "counting number":
        return x
    least = 0 if parameter.domain.name == "positive" else -1  # degrees of freedom have a bound
    found = x * (1 + gap * rng.uniform(least, 1, np.shape(x)))
    if parameter.domain.name == "positive definite matrices":
        found = symmetric(found)
        return found if regular(found) else x
    if parameter.domain.name == "unit vectors":
        return found / np.linalg.norm(found)
    return found / found.sum() if parameter.domain.name == "probability vectors" else found


def ill(parameter, x, rng):
    if parameter.domain.name != "positive definite matrices":
        return x
    turn, _ = np.linalg.qr(rng.standard_normal(x.shape))
    found = symmetric(turn @ np.diag(10.0 ** rng.uniform(-6, 6, len(x))) @ turn.T)
    return found if regular(found) else x


def points(family, kind, rng):
    """Arrays of P and of Q."""
    least = 2 if any(p.domain.name == "unit vectors" for p in family.parameters) else 1
    sizes = {"K": int(rng.integers(2, 6)), "k": int(rng.integers(least, 4)), "m": int(rng.integers(1, 3))}
    p, q = (list(draw(family.member(""), rng, sizes).values()) for _ in range(2))
    gap, only = 10.0 ** rng.uniform(-16, 0), rng.integers(len(p))
    for n, parameter in enumerate(family.parameters):
        if kind == "near":
            q[n] = moved(parameter, p[n], gap, rng)
        elif kind == "one":
            q[n] = moved(parameter, p[n], gap, rng) if n == only else p[n]
        elif kind == "ill":
            p[n], q[n] = (ill(parameter, x, rng) for x in (p[n], q[n]))
        if parameter.domain.name == "counting number":
            q[n] = p[n]
    return p, q


def walked(formula, **options):
    """The compiled formula without its kernels."""
    code = formula.compile(**options)
    code.kernels = ()
    return code


def off(got, reference, arguments):
    """The error in eps."""
    with mp.workdps(DIGITS):
        true = reference(*arguments)
        if abs(true) < mp.mpf(10) ** -90:
            return 0.0 if got == 0 else mp.inf
        return float(abs(got / true - 1) / EPS)


def test_every_family_has_a_reference():
    assert set(REFERENCES) == set(FORMED)


@pytest.mark.parametrize(
    "make",
    [lambda formula: formula.compile(report=True), lambda formula: walked(formula, report=True)],
    ids=["compiled", "walked"],
)
@pytest.mark.parametrize("name", FORMED, ids=lambda name: " ".join(name).strip())
def test_worst_error(name, make):
    family, rng = FORMED[name], np.random.default_rng(1)
    code = make(divergence(family))
    for kind in ("near", "near", "one", "far", "ill"):
        p, q = points(family, kind, rng)
        value, error, second = code(*p, *q)
        found = off(value, REFERENCES[name], (*p, *q))
        assert found <= 16 and found <= error / EPS + 1, (kind, p, q)
        assert not second or error == EPS / 2


@pytest.mark.parametrize("name", SEMI_CLOSED)
def test_semi_closed_code_is_decided_as_evaluate_does(name):
    """The oracle's enumeration and quadrature see to the formula (test_array_families)."""
    family = array_catalog()[name]
    formula, rng = kl(family, family), np.random.default_rng(1)
    code = formula.compile(report=True)
    # Near P = Q an integral takes seconds.
    for kind in ("far",) if name == "MultivariateCauchy" else ("near", "far"):
        p, q = points(family, kind, rng)
        value, error, second = code(*p, *q)
        exact = formula.subs(dict(zip(formula.parameters, (*p, *q), strict=True))).evaluate(20)
        assert value == pytest.approx(float(exact), rel=EPS if second else error) and error <= 4096 * EPS
    with pytest.raises(UnderivableError, match="no rule differentiates"):
        formula.compile(gradient=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMED, ids=lambda name: " ".join(name).strip())
def test_worst_error_of_many(name):
    family, rng = FORMED[name], np.random.default_rng(2)
    code = divergence(family).compile(report=True)
    for kind in ("near", "one", "far", "ill") * 100:
        p, q = points(family, kind, rng)
        value, error, _ = code(*p, *q)
        found = off(value, REFERENCES[name], (*p, *q))
        assert found <= 16 and found <= error / EPS + 1, (kind, p, q)


@pytest.mark.parametrize("forms", [("covariance", "scale_tril"), ("precision", "covariance")])
def test_forms_that_differ_take_the_second_pass(forms):
    (a, b), symbols = forms, {"covariance": COVARIANCE, "scale_tril": FACTOR, "precision": np.linalg.inv(COVARIANCE)}
    symbols["precision"] = symmetric(symbols["precision"])
    f = kl(MultivariateNormal("mu", **{a: "A"}), MultivariateNormal("nu", **{b: "B"})).compile(report=True)
    arguments = (MEAN, symbols[a], MEAN, symbols[b])
    value, _, second = f(*arguments)
    assert second and off(value, gauss(a, b), arguments) <= 1


def test_equal_distributions_are_at_no_distance():
    rng = np.random.default_rng(3)
    for family in FORMED.values():
        p, _ = points(family, "far", rng)
        code = divergence(family).compile(gradient=True)
        assert not any(np.any(part) for part in code(*p, *p))


@pytest.mark.parametrize("place", KERNELS.values())
def test_every_kernel_is_that_of_a_family(place):
    families = [family for family in FORMED.values() if not family.factors]
    found = {kernel.place for family in families for kernel in divergence(family).compile().kernels}
    assert place in found


@pytest.mark.parametrize(
    "make, arguments",
    [
        (lambda: kl(Dirichlet("a", K=4), Dirichlet("b")), (LIST, LIST + 1e-8)),
        (lambda: kl(Dirichlet(LIST), Dirichlet("b")), (LIST + 1e-8,)),
        (
            lambda: kl(MultivariateNormal("mu", "C", k=3), MultivariateNormal),
            (MEAN, COVARIANCE, MEAN + 1e-9, COVARIANCE),
        ),
        (lambda: kl(MultivariateNormal("mu", "C"), MultivariateNormal("nu", "C")), (MEAN, COVARIANCE, MEAN + 1e-9)),
        (
            lambda: kl(MultivariateNormal("b", precision="Z"), MultivariateNormal("a", precision="Z")),
            (MEAN, COVARIANCE, MEAN),
        ),
        (lambda: kl(MultivariateLogNormal, MultivariateLogNormal, base=2), (MEAN, COVARIANCE, MEAN + 1e-9, COVARIANCE)),
        (lambda: kl(Categorical(logits=LIST), Categorical(logits="l")), (LIST * (1 + 1e-8),)),
    ],
)
def test_a_kernel_is_found_whatever_is_bound(make, arguments):
    formula = make()
    code = formula.compile()
    assert code.kernels
    exact = formula.subs(dict(zip(formula.parameters, arguments, strict=True))).evaluate(20)
    assert code(*arguments) == pytest.approx(float(exact), rel=16 * EPS, abs=0)


def test_divergences_of_both_directions_have_both_kernels():
    a, b = LIST, LIST + 1e-6
    forward = kl(Dirichlet, Dirichlet).compile(gradient=True)
    backward = reverse_kl(Dirichlet, Dirichlet).compile(gradient=True)
    both = jeffreys(Dirichlet, Dirichlet).compile(gradient=True)
    assert len(both.kernels) == 2
    there, back = forward(a, b), backward(b, a)
    assert there.value == back.value and (there.alpha_p == back.alpha_q).all()
    assert both(a, b).value == pytest.approx(forward(a, b).value + forward(b, a).value, rel=4 * EPS)
    assert both(a, b).alpha_p == pytest.approx(there.alpha_p + forward(b, a).alpha_q, rel=1e-12)


@pytest.mark.parametrize("name", FORMED, ids=lambda name: " ".join(name).strip())
@pytest.mark.parametrize("kind", ["far", "near"])
def test_derivatives_are_finite_differences(name, kind):
    family = FORMED[name]
    p, q = points(family, kind, np.random.default_rng(5))
    check_slopes(divergence(family), [*p, *q], REFERENCES[name])


def test_derivatives_by_forms_that_differ():
    f = kl(MultivariateNormal("mu", scale_tril="L"), MultivariateNormal("nu", covariance="A"))
    for shift in (1e-3, 1e-9):
        check_slopes(f, [MEAN, FACTOR, MEAN + shift, COVARIANCE], gauss("scale_tril", "covariance"))
        slope = f.compile(gradient=True)(MEAN, FACTOR, MEAN + shift, COVARIANCE).L
        assert not np.triu(slope, 1).any()


def check_slopes(formula, arguments, reference):
    """Derivatives beside finite differences of the reference in 120 digits, along directions within the domains."""
    rng, step = np.random.default_rng(5), mp.mpf(10) ** -40
    found = formula.compile(gradient=True)(*arguments)
    parameters = [(str(s), parameter.domain.name) for s, parameter in formula._domains.items()]
    assert found._fields == ("value", *(name for name, domain in parameters if domain != "counting number"))
    for n, (name, domain) in enumerate(parameters):
        if domain == "counting number":
            continue
        direction, slope = rng.standard_normal(np.shape(arguments[n])), getattr(found, name)
        if domain == "positive definite matrices":
            direction = symmetric(direction)
        elif domain.startswith("lower"):
            direction = np.tril(direction)
        assert np.shape(slope) == np.shape(direction)
        with mp.workdps(DIGITS):
            ends = [reference(*shifted(arguments, n, direction, t)) for t in (step, -step)]
            true = (ends[0] - ends[1]) / (2 * step)
            pairs = zip(np.ravel(slope), np.ravel(direction), strict=True)
            got = mp.fsum(mp.mpf(float(a)) * mp.mpf(float(b)) for a, b in pairs)
            assert abs(got - true) <= 16 * EPS * np.abs(slope).max() * np.abs(direction).sum(), (name, got, true)


def shifted(arguments, n, direction, t):
    """The arguments, the nth of them moved along the direction."""
    whole = [np.array(x, dtype=object) for x in arguments]
    place = whole[n]
    moved = [mp.mpf(float(x)) + t * mp.mpf(float(d)) for x, d in zip(place.ravel(), np.ravel(direction), strict=True)]
    whole[n] = np.array(moved, dtype=object).reshape(place.shape)
    return [x if x.ndim else x.item() for x in whole]


def test_batches_broadcast_and_invalid_arrays_are_nan():
    f = kl(Dirichlet, Dirichlet).compile()
    values = f(np.stack([LIST, LIST, -LIST]), LIST)
    assert values.shape == (3,) and not values[:2].any() and np.isnan(values[2])
    assert np.isnan(f(-LIST, -LIST))
    g = walked(kl(Wishart, Wishart), report=True)
    matrices = np.stack([COVARIANCE, COVARIANCE * (1 + 1e-9), -COVARIANCE, COVARIANCE + np.triu(np.ones((3, 3)), 1)])
    value, error, second = g([[4.0], [1.0]], matrices, 4.0, COVARIANCE)
    assert value.shape == (2, 4) and value[0, 0] == 0 < value[0, 1] < 1e-15
    assert np.isnan(value[0, 2:]).all() and np.isnan(value[1]).all() and np.isnan(error[0, 2])
    assert second.tolist() == [[False, True, False, False], [False] * 4]
    normal = kl(MultivariateNormal, MultivariateNormal).compile()
    assert np.isnan(normal(MEAN, matrices[2:], MEAN, COVARIANCE)).all()
    assert np.isnan(normal(MEAN, -COVARIANCE, MEAN, -COVARIANCE))


def test_infinities():
    code = walked(kl(Categorical, Categorical), gradient=True, report=True)
    (value, by_p, by_q), error, second = code(
        [[0.5, 0.5, 0], [0.5, 0.5, 0], [0, 0.5, 0.5]], [[0.5, 0, 0.5], [0.25, 0.25, 0.5], [0.5, 0.25, 0.25]]
    )
    assert value.tolist() == [np.inf, pytest.approx(np.log(2)), pytest.approx(np.log(2))]
    assert np.isnan(by_p[0]).all() and np.isnan(by_q[0]).all()
    assert by_p[1].tolist() == [pytest.approx(np.log(2)), pytest.approx(np.log(2)), -np.inf]
    assert by_q[2].tolist() == [1, -1, -1]
    assert second.all() and (error.value <= EPS).all()


def test_classes_without_mass_have_logits_of_minus_infinity():
    code, inf = kl(Categorical(logits="l"), Categorical(logits="m")).compile(gradient=True, report=True), np.inf
    for kind in (np.float32, np.float64):
        p = np.array([[0, 1, -inf], [0, 1, 2], [-inf] * 3, [0, 1, -inf]], kind)
        q = np.array([[0, 2, -inf], [0, 1, -inf], [-inf] * 3, [0, 1, -inf]], kind)
        (value, by_p, _), _, second = code(p, q)
        assert value[0] == kind(kl([0.0, 1.0], [0.0, 2.0], logits=True))
        assert value[1] == inf and np.isnan(value[2]) and value[3] == 0 and value.dtype == kind
        assert by_p[0, 2] == 0 and np.isnan(by_p[1:3]).all() and not by_p[3].any() and not second.any()


def test_it_behaves_as_a_ufunc_does():
    f = kl(MatrixNormal("M", "U", "V"), MatrixNormal("W", "A", "B")).compile()
    assert list(inspect.signature(f).parameters) == ["M", "U", "V", "W", "A", "B", "out", "check", "report"]
    assert "U: positive definite matrices (..., k, k)" in f.__doc__ and f.__name__ == "kl_matrixnormal"
    eye, zero = np.eye(2), np.zeros((2, 2))
    assert f(zero, eye, eye, zero + 1, A=eye, B=eye) == 2.0 and isinstance(
        f(zero, eye, eye, zero, eye, eye), np.float64
    )
    out = np.empty(3)
    assert f(zero, eye, eye, zero, eye, np.stack([eye] * 3), out=out) is out and not out.any()
    with pytest.raises(ValueError, match="out has shape"):
        f(zero, eye, eye, zero, eye, eye, out=out)
    with pytest.raises(TypeError, match="missing"):
        f(zero, eye)
    with pytest.raises(TypeError, match="complex"):
        f(zero + 1j, eye, eye, zero, eye, eye)
    with pytest.raises(ParameterError, match=r"B at index 1 is not in the domain: positive definite"):
        f(zero, eye, eye, zero, eye, np.stack([eye, -eye]), check=True)
    with pytest.raises(ParameterError, match="do not broadcast"):
        f(np.zeros((2, 2, 2)), eye, eye, np.zeros((3, 2, 2)), eye, eye)
    with pytest.raises(ParameterError, match="size"):
        f(zero, np.eye(3), eye, zero, eye, eye)
    short = f(*(x.astype(np.float32) for x in (zero, eye, eye, zero + 1e-3, eye, eye)))
    assert short.dtype == np.float32 and short == np.float32(2 * np.float32(1e-3).astype(float) ** 2)


def test_it_can_be_pickled():
    for family in FORMED.values():
        f = divergence(family)
        p, q = points(family, "near", np.random.default_rng(6))
        copies = pickle.loads(pickle.dumps(f)), pickle.loads(pickle.dumps(f.compile(gradient=True, report=True)))
        assert copies[0] == f and str(copies[1](*p, *q)) == str(f.compile(gradient=True, report=True)(*p, *q))


def test_without_a_second_pass_elements_stay_as_they_come():
    arguments = (5.0, COVARIANCE, 5.0, COVARIANCE * (1 + 1e-12))
    value, error, second = walked(kl(Wishart, Wishart), report=True, second_pass=False)(*arguments)
    exact = kl(Wishart, Wishart).compile()(*arguments)
    assert not second and error > 1 and abs(value - exact) <= error * abs(value)


def test_what_is_not_decided_is_nan_and_said(monkeypatch):
    from klsym.backends import balls, multiprecision

    for module in (balls, multiprecision):
        monkeypatch.setattr(module, "LAST", module.FIRST)
    f = walked(kl(Wishart, Wishart), report=True)
    with pytest.warns(UserWarning, match=r"1 of 2 values are not decided"):
        value, error, second = f(5.0, COVARIANCE, [5.0, 9.0], np.stack([np.nextafter(COVARIANCE, 9), 3 * COVARIANCE]))
    assert np.isnan(value[0]) and error[0] == np.inf and not second[0] and value[1] > 0


def test_what_has_rules_in_doubles_and_mpmath_alone_is_decided_by_mpmath(monkeypatch):
    p, q = np.array([0.5, 0.25, 0.25]), np.array([0.5, 0.25 + 2**-30, 0.25 - 2**-30])
    monkeypatch.delitem(bounded.functions, "log")
    if find_spec("flint"):
        monkeypatch.delitem(balls().functions, "log")
    value, error, second = walked(kl(Categorical, Categorical), report=True)(p, q)
    assert second and error == EPS / 2 and off(value, REFERENCES["Categorical", ""], (p, q)) <= 1
    value, error, _ = walked(kl(Categorical, Categorical), report=True, second_pass=False)(p, q)
    assert error == np.inf and value == pytest.approx(0, abs=EPS)


def test_without_the_extras():
    code = (
        "import sys; sys.modules.update(numba=None, llvmlite=None, flint=None)\n"
        "import numpy as np, klsym; f = klsym.kl(klsym.Wishart, klsym.Wishart).compile(gradient=True)\n"
        "found = f(5.0, np.eye(2), 5.0, np.eye(2) * (1 + 2**-40)); print(float(found.value), float(found.V_p[0, 0]))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    value, slope = map(float, ran.stdout.split())
    x = mp.mpf(2) ** -40
    assert value == pytest.approx(float(5 * (mp.log1p(x) - x / (1 + x))), rel=EPS)
    assert slope == pytest.approx(float(5 / (1 + x) - 5) / 2, rel=1e-9)


def test_probabilities_that_sum_to_one_only_to_rounding():
    """The meaning is that of klsym.kl of vectors, near P = Q too; float32 has a rounding of its own."""
    p = np.array([0.1, 0.2, 0.3, 0.4])
    q = (p + 1e-9 * np.array([3, -1, 2, -4])) * (1 + EPS)
    for f in (kl(Categorical, Categorical), kl(Categorical(p), Categorical("q"))):
        code = f.compile()
        got = code(p, q) if len(f.parameters) == 2 else code(q)
        assert got == pytest.approx(vectors.kl(p, q), rel=16 * EPS)
    exact = kl(Categorical(p), Categorical(q)).evaluate(30)
    assert got == pytest.approx(float(exact), rel=16 * EPS) and off(got, REFERENCES["Categorical", ""], (p, q)) <= 16
    trials = kl(Multinomial(7, "p"), Multinomial(7, "q")).compile()
    assert trials(p, q) == pytest.approx(7 * got, rel=16 * EPS)
    mixed = kl(Categorical, Categorical(logits="l"))
    assert mixed.compile()(p, np.log(q) + 1) == pytest.approx(float(exact), rel=1e-5)
    short = p.astype(np.float32)
    value = kl(Categorical, Categorical).compile()(short, short[::-1])
    assert value.dtype == np.float32 and value == pytest.approx(vectors.kl(short, short[::-1]))


def test_weights_are_normalised_where_asked():
    f = kl(Categorical, Categorical)
    code, weights = f.compile(normalize=True, report=True), np.array([[1.0, 1.0], [2.0, 6.0], [0.0, 3.0], [0.0, 0.0]])
    value, _, _ = code(weights, [1.0, 3.0])
    assert value[:3] == pytest.approx(vectors.kl(weights[:3], [1.0, 3.0], normalize=True), rel=4 * EPS)
    assert value[1] == 0 and np.isnan(value[3])
    assert np.isnan(f.compile()(weights[:2], [0.25, 0.75])).all()
    assert float(f.evaluate(normalize=True, p_p=[1, 1], p_q=[1, 3])) == pytest.approx(value[0], rel=EPS)
    with pytest.raises(ParameterError, match="sums to 0"):
        f.evaluate(normalize=True, p_p=[0, 0], p_q=[1, 3])
    slope = f.compile(normalize=True, gradient=True)([1.0, 2.0], [1.0, 3.0]).p_p
    assert slope @ [1.0, 2.0] == pytest.approx(0, abs=EPS)


def test_what_is_nearly_singular_is_decided_exactly():
    near = np.array([[1.0, 1.0], [1.0, 1.0 + EPS]])
    f = walked(kl(Wishart, Wishart), report=True)
    value, _, second = f(4.0, near, 4.0, np.stack([np.eye(2), np.ones((2, 2)), 2 * near]))
    assert np.isnan(value[1]) and second[0] and second[2]
    for k, other in ((0, np.eye(2)), (2, 2 * near)):
        assert off(value[k], REFERENCES["Wishart", ""], (4.0, near, 4.0, other)) <= 1
