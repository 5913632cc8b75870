"""A formula as a user meets it: bound numbers, names, closed ends, printing, SymPy and pickling."""

import pickle
from math import comb, log

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from klsym import (
    Bernoulli,
    Binomial,
    Cauchy,
    Gamma,
    Geometric,
    Gumbel,
    InverseGamma,
    Kumaraswamy,
    Lomax,
    Normal,
    Pareto,
    Poisson,
    Uniform,
    VonMises,
    Weibull,
    Zeta,
    density,
    kl,
    wasserstein,
)
from klsym.core.errors import ParameterError, UnderivableError


def test_numbers_names_and_expressions_mix():
    named = (sp.Symbol("mu", real=True), sp.Symbol("sigma", positive=True))
    assert kl(Normal(0, 1), Normal("mu", "sigma")).parameters == named
    s = sp.Symbol("s")
    f = kl(Normal(0, s), Normal(0, s**2))
    assert f.parameters == (s,)
    assert float(f.value.subs(s, 2)) == pytest.approx(float(sp.log(2)) - 3 / 8)


def test_equal_expressions_are_one_parameter():
    s = sp.Symbol("s")
    assert kl(Gamma(s + 1, 2), Gamma(s + 1, 2)).value == 0


def test_assumptions_do_not_cancel_silently():
    with pytest.raises(ParameterError, match="means two things"):
        kl(Normal(sp.Symbol("m"), 1), Normal(sp.Symbol("m", positive=True), 1))
    with pytest.raises(ParameterError, match="means two things"):
        kl(Normal("m", 1), Gamma("m", 1))
    with pytest.raises(ParameterError, match="sigma of Normal is n; it must lie in"):
        kl(Normal(0, sp.Symbol("n", negative=True)), Normal(0, 1))
    with pytest.raises(ParameterError, match="mu of Normal is n; it must lie in"):
        kl(Normal(sp.Symbol("n", imaginary=True), 1), Normal(0, 1))
    with pytest.raises(ParameterError, match="n of Binomial is n; it must lie in"):
        kl(Binomial(sp.Symbol("n", integer=False, real=True), 0.5), Binomial(3, 0.5))


@pytest.mark.parametrize("name", ["x", "y", "z", "t", "u", "k", "E", "P"])
def test_no_name_of_a_parameter_collides_with_the_derivation(name):
    try:
        f = kl(Normal(name, 1), Normal(0, 1))
    except ParameterError:
        return
    (m,) = f.parameters
    assert sp.expand(f.value - m**2 / 2) == 0


def test_share_and_bound_numbers_open_closed_forms():
    assert kl(Lomax, Lomax, share=["lam"]).kind == "closed"
    assert kl(Kumaraswamy, Kumaraswamy).condition == sp.Eq(*sp.symbols("a_p a_q", positive=True))
    assert kl(Kumaraswamy, Kumaraswamy, share=["a"]).condition == sp.true
    assert kl(Binomial(3, "p"), Poisson("lam")).kind == "closed"
    with pytest.raises(ParameterError, match="no parameter 'shape'"):
        kl(Weibull, Weibull, share=["shape"])


def test_cases_of_the_binomial():
    assert [case.kind for case in kl(Binomial, Binomial).cases] == ["closed", "semi-closed", "infinite"]
    assert float(kl(Binomial(4, 0.5), Binomial(3, 0.5))) == float("inf")
    direct = sum(comb(3, k) / 8 * log(2 * comb(3, k) / comb(4, k)) for k in range(4))
    assert float(kl(Binomial(3, 0.5), Binomial(4, 0.5))) == pytest.approx(direct, rel=1e-14)


def test_large_integers_do_not_hang():
    """SymPy works out the gamma function of an integer whatever its size."""
    number = kl(Gamma(10**6, 1), Gamma(10**6 + 1, 1)).evaluate()
    with mp.workdps(40):
        truth = mp.log(10**6) - mp.psi(0, 10**6)
    assert abs(number.value - truth) <= 1e-14 * truth


def test_doubles_are_exact_and_do_not_hang():
    f = kl(InverseGamma(1.2345678901234567, 0.7654321), Gumbel(0.33333333, 1.77777))
    assert str(f.evaluate(digits=25)) == "1.469400937602014669521637"
    assert "0.7654321" in str(f)


def test_digits_and_proof():
    number = kl(Gamma(5, 2), Weibull(1.5, 3)).evaluate(digits=40)
    assert number.proof == "estimate" and len(str(number).replace(".", "").lstrip("0")) == 40
    assert kl(Cauchy(0, 1), Normal(0, 1)).evaluate().proof == "exact"
    with pytest.raises(ParameterError, match="needs numbers for"):
        kl(Gamma, Weibull).evaluate()


def test_no_digit_beyond_the_error():
    number = kl(Poisson(2), Geometric(0.3)).evaluate(digits=30)
    with mp.workdps(60):
        terms = (mp.exp(-2) * mp.mpf(2) ** k / mp.factorial(k) for k in range(120))
        p_q = mp.mpf(0.3)
        reference = mp.fsum(p * (mp.log(p) - mp.log(p_q) - k * mp.log(1 - p_q)) for k, p in enumerate(terms))
        assert abs(number.value - reference) < mp.mpf(10) ** (-number.digits)


def test_closed_ends():
    assert kl(Bernoulli(0), Bernoulli(0.5)).value == sp.log(2)
    assert kl(Bernoulli(1), Bernoulli(1)).value == 0
    assert kl(Bernoulli(0.5), Bernoulli(0)).value == sp.oo
    assert kl(Geometric(1), Geometric(0.5)).value == sp.log(2)
    assert kl(VonMises(0, 0), VonMises(1, 0)).value == 0
    code = kl(Bernoulli, Bernoulli).compile("numpy")
    assert np.array_equal(code([0, 1, 0, 0.5], [0.5, 0.5, 0, 0]), [np.log(2), np.log(2), 0, np.inf])


def test_removable_singularities():
    f = kl(Uniform(0.5, 1), InverseGamma("alpha", 1))
    assert f.kind == "closed"
    from klsym import Frechet

    code = kl(Uniform, Frechet).compile("numpy")
    assert code(0.5, 1, 1, 2) == pytest.approx(code(0.5, 1, 1 + 1e-7, 2), rel=1e-6)


@pytest.mark.parametrize("pair", [(Gamma, Weibull), (Normal, Cauchy), (Pareto, Normal), (Zeta, Geometric)], ids=str)
def test_value_is_plain_sympy(pair):
    f = kl(Pareto, Gamma) if pair[1] is Cauchy else kl(*pair)
    point = {s: sp.Rational(5 + i, 2 + (s.name[0] == "p") * 8) for i, s in enumerate(f.parameters)}
    value = float(f.value.subs(point).evalf())
    arguments = [float(v) for v in point.values()]
    for modules in ("scipy", "mpmath"):
        assert float(sp.lambdify(f.parameters, f.value, modules)(*arguments)) == pytest.approx(value, rel=1e-10)
    if pair[0] is not Zeta:  # SymPy has no derivative of zeta
        assert sp.diff(f.value, f.parameters[0]).evalf(subs=point).is_number


def test_pickle():
    f = kl(Gamma, Weibull)
    again = pickle.loads(pickle.dumps(f))
    assert again.value == f.value and again.steps == f.steps
    g = kl(Normal(0, 0.1), Normal(0, "s"))
    assert pickle.loads(pickle.dumps(g)).value == g.value


def test_density_of_ones_own():
    own = density("x**(a-1)*exp(-x)/gamma(a)", x="x>0", a="a>0")
    assert sp.expand(kl(own(3), Gamma(3, 1)).value) == 0


def test_nothing_to_compile_is_said():
    with pytest.raises(UnderivableError, match="quantiles"):
        wasserstein(Gamma, Normal, order=2).compile()


def test_text():
    text = str(kl(Pareto, Normal))
    assert "closed, if 2 < alpha_p" in text and "infinite, otherwise" in text
    assert r"\psi" in kl(Gamma, Gamma).latex()
    assert kl(Gamma, Gamma)._repr_latex_().startswith("$")
    assert "[tilt]" in kl(Gamma, Gamma).explain()
