"""Array formulas in torch and JAX, and the files generated of them, beside evaluation in many digits."""

from __future__ import annotations

import pickle
import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest

from klsym import Categorical, Dirichlet, MultivariateNormal, ParameterError, UnderivableError, Wishart, jeffreys, kl
from klsym.cli import main

FORMS = {
    "covariance": kl(MultivariateNormal, MultivariateNormal),
    "precision": kl(MultivariateNormal("m", precision="A"), MultivariateNormal("n", precision="B")),
    "scale_tril": kl(MultivariateNormal("m", scale_tril="A"), MultivariateNormal("n", scale_tril="B")),
    "diagonal": kl(MultivariateNormal("m", diagonal="A"), MultivariateNormal("n", diagonal="B")),
    "dirichlet": kl(Dirichlet, Dirichlet),
    "probabilities": kl(Categorical, Categorical),
    "logits": kl(Categorical(logits="a"), Categorical(logits="b")),
}


def some_slow(names, *those):
    """The names as parameters, those marked slow."""
    return [pytest.param(name, marks=pytest.mark.slow if name in those else ()) for name in names]


def drawn(form, rng, batch=(2,), k=2):
    """Arguments of one side."""
    mu, free = rng.normal(size=(*batch, k)), 0.4 * rng.normal(size=(*batch, k, k))
    if form == "dirichlet":
        return [rng.uniform(0.3, 6, (*batch, k))]
    if form == "probabilities":
        shares = np.floor(rng.dirichlet(np.full(k, 2.0), batch) * 2**20) + 1
        shares[..., -1] = 2**20 - shares[..., :-1].sum(-1)
        return [shares / 2**20]
    if form == "logits":
        return [mu]
    if form == "diagonal":
        return [mu, rng.uniform(0.5, 2, (*batch, k))]
    if form == "scale_tril":
        return [mu, np.tril(free, -1) + rng.uniform(0.5, 2, (*batch, 1, k)) * np.eye(k)]
    whole = free @ free.swapaxes(-1, -2) + np.eye(k)
    return [mu, (whole + whole.swapaxes(-1, -2)) / 2]


def members(form, near, **sizes):
    """Arguments of P and Q, Q near P or anywhere."""
    rng = np.random.default_rng(1)
    p, q = drawn(form, rng, **sizes), drawn(form, rng, **sizes)
    return [*p, *(a + (2.0**-24 if near else 1.0) * (b - a) for a, b in zip(p, q, strict=True))]


def evaluated(form, arguments):
    names = [str(s) for s in FORMS[form].parameters]
    count = len(arguments[0])
    at = [dict(zip(names, (a[k] for a in arguments), strict=True)) for k in range(count)]
    return np.array([float(FORMS[form].evaluate(20, **point)) for point in at])


@pytest.fixture(scope="module")
def torch():
    return import_module("torch")


@pytest.mark.peers
@pytest.mark.parametrize("near", [False, True], ids=["far", "near"])
@pytest.mark.parametrize("form", FORMS)
def test_tensors(torch, form, near):
    f, arguments = FORMS[form].compile("torch"), members(form, near)
    expected, slopes = evaluated(form, arguments), FORMS[form].compile(gradient=True)(*arguments)[1:]
    for function in (f, f.pure):
        x = [torch.tensor(a, requires_grad=True) for a in arguments]
        value = function(*x)
        assert np.allclose(value.detach().numpy(), expected, rtol=2e-14, atol=0)
        for found, slope in zip(torch.autograd.grad(value.sum(), x), slopes, strict=True):
            assert np.abs(found.numpy() - slope).max() <= 1e-13 * np.abs(slope).max()
    single = f(*(torch.tensor(a, dtype=torch.float32) for a in arguments))
    assert single.dtype == torch.float32
    if not near and form not in ("covariance", "precision", "probabilities"):
        assert np.allclose(single.numpy(), expected, rtol=1e-4)


@pytest.mark.peers
@pytest.mark.parametrize("form", some_slow(FORMS, "covariance", "precision"))
def test_first_and_second_derivatives_of_tensors(torch, form):
    f = FORMS[form].compile("torch")

    def inside(x):
        """Free arrays as members: symmetric matrices, factors, probabilities."""
        if form in ("covariance", "precision"):
            return [(a + a.mT) / 2 if a.ndim > 2 else a for a in x]
        if form == "probabilities":
            return [a / a.sum(-1, keepdim=True) for a in x]
        return [a.tril() if a.ndim > 2 else a for a in x]

    x = [torch.tensor(a, requires_grad=True) for a in members(form, False)]
    x[-1] = x[-1].detach()[:1].requires_grad_()  # a batch that broadcasts
    assert torch.autograd.gradcheck(lambda *x: f(*inside(x)), x, fast_mode=True)
    assert torch.autograd.gradgradcheck(lambda *x: f(*inside(x)), x, atol=1e-5, rtol=1e-3, fast_mode=True)
    same = [a.detach().requires_grad_() for a in [*x[: len(x) // 2], *x[: len(x) // 2]]]
    assert all(not slope.any() for slope in torch.autograd.grad(f(*same).sum(), same))


@pytest.mark.peers
def test_vmap_names_and_domains_of_tensors(torch):
    f, x = FORMS["covariance"].compile("torch"), [torch.tensor(a) for a in members("covariance", False, batch=(4,))]
    slopes = torch.func.vmap(torch.func.grad(f, argnums=3), (0, 0, None, 0))(x[0], x[1], x[2][0], x[3])
    y = x[3].clone().requires_grad_()
    assert torch.allclose(slopes, torch.autograd.grad(f(x[0], x[1], x[2][0], y).sum(), y)[0], rtol=1e-12)
    assert f(*x[:3], Sigma_q=x[3]).shape == (4,) and torch.equal(pickle.loads(pickle.dumps(f))(*x), f(*x))
    assert f(x[0], -x[1], x[2], x[3]).isnan().all() and f.pure(x[0], -x[1], x[2], x[3]).isnan().all()
    with pytest.raises(ParameterError, match="Sigma_p"):
        f(x[0], -x[1], x[2], x[3], check=True)
    with pytest.raises(ParameterError, match="leave out gradient"):
        FORMS["covariance"].compile("torch", gradient=True)
    bits = jeffreys(Dirichlet, Dirichlet, base=2)
    p, q = (torch.tensor(a, requires_grad=True) for a in members("dirichlet", False))
    assert torch.allclose(bits.compile("torch")(p, q), bits.compile("torch").pure(p, q), rtol=1e-13)


@pytest.mark.peers
def test_a_family_without_a_portable_kernel_is_differentiable_once(torch):
    f, s = kl(Wishart, Wishart).compile("torch"), torch.eye(2).double()
    x = [torch.tensor(4.0).double(), 2 * s, torch.tensor(5.0).double(), s]
    x = [a.requires_grad_() for a in x]
    assert torch.autograd.gradcheck(lambda a, b, c, d: f(a, (b + b.mT) / 2, c, (d + d.mT) / 2), x)
    with pytest.raises(NotImplementedError, match="no kernel"):
        f.pure(*x)


@pytest.mark.peers
def test_jax():
    jax = import_module("jax")
    f, arguments = FORMS["logits"].compile("jax"), members("logits", True)
    with jax.enable_x64(True):
        assert np.allclose(jax.jit(f)(*arguments), evaluated("logits", arguments), rtol=2e-14, atol=0)
        found = np.asarray(jax.vmap(jax.grad(f, argnums=1))(*arguments))
    slope = FORMS["logits"].compile(gradient=True)(*arguments)[2]
    assert np.abs(found - slope).max() <= 1e-13 * np.abs(slope).max()


@pytest.mark.slow
@pytest.mark.peers
@pytest.mark.parametrize("form", ["scale_tril", "logits"])
def test_jax_by_either_way_and_twice(form):
    jax = import_module("jax")
    f, arguments = FORMS[form].compile("jax"), members(form, True)
    expected, slopes = evaluated(form, arguments), FORMS[form].compile(gradient=True)(*arguments)[1:]
    with jax.enable_x64(True):
        for function in (f, f.pure):
            assert np.allclose(jax.jit(function)(*arguments), expected, rtol=2e-14, atol=0)
            found = jax.jit(jax.vmap(jax.grad(function, argnums=1)))(*arguments)
            assert np.abs(found - slopes[1]).max() <= 1e-13 * np.abs(slopes[1]).max()
        whole = jax.vmap(jax.hessian(f, argnums=0))(*arguments)
        assert np.allclose(whole, jax.vmap(jax.hessian(f.pure, argnums=0))(*arguments), rtol=1e-12)
    far = [a.astype(np.float32) for a in members(form, False)]
    for function in (f, f.pure):
        assert jax.vmap(function)(*far).dtype == np.float32
        assert np.allclose(jax.vmap(function)(*far), FORMS[form].compile()(*far), rtol=1e-6)


def ran_alone(source, call, tmp_path):
    """What the call prints after the file's self check, where klsym is not to be found."""
    file = tmp_path / "generated.py"
    file.write_text(source, encoding="utf-8")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import generated as g; g.self_check(); {call}"
    code += "; assert 'klsym' not in sys.modules"
    ran = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    return [float(x) for x in ran.stdout.split()]


def check_generated(form, target, tmp_path):
    source, arguments = FORMS[form].generate(target), [a[:1] for a in members(form, True)]
    assert max(map(len, source.splitlines())) <= 150 and "found off by up to" in source
    made = {"torch": "g.torch.tensor({}, dtype=g.torch.float64)", "jax": "g.jnp.array({})", "numpy": "{}"}[target]
    name = next(line for line in source.splitlines() if line.startswith("def kl_"))[4:].partition("(")[0]
    setup = "g.jax.config.update('jax_enable_x64', True); " if target == "jax" else ""
    given = ", ".join(made.format(a.tolist()) for a in arguments)
    (found,) = ran_alone(source, f"{setup}print(float(g.{name}({given})[0]))", tmp_path)
    assert found == pytest.approx(evaluated(form, arguments)[0], rel=2e-14)


@pytest.mark.parametrize("form", ["covariance", "dirichlet", "logits"])
def test_generated_numpy_runs_alone(form, tmp_path):
    check_generated(form, "numpy", tmp_path)


@pytest.mark.peers
@pytest.mark.parametrize("form, target", [("dirichlet", "torch")])
def test_generated_files_run_alone(form, target, tmp_path):
    check_generated(form, target, tmp_path)


@pytest.mark.slow
@pytest.mark.peers
@pytest.mark.parametrize("target", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("form", FORMS)
def test_every_generated_file_runs_alone(form, target, tmp_path):
    check_generated(form, target, tmp_path)


def test_bound_numbers_and_what_is_not_generated(tmp_path):
    source = kl(Dirichlet("a"), Dirichlet([1.0, 2.0, 3.5])).generate()
    (found,) = ran_alone(source, "print(float(g.kl_dirichlet([2.0, 1.0, 0.5])))", tmp_path)
    expected = kl(Dirichlet("a"), Dirichlet([1.0, 2.0, 3.5])).evaluate(a=[2.0, 1.0, 0.5])
    assert found == pytest.approx(float(expected), rel=1e-14)
    with pytest.raises(UnderivableError, match="MultivariateNormal"):
        kl(Wishart, Wishart).generate("torch")
    with pytest.raises(UnderivableError, match="take numpy, torch or jax"):
        kl(Dirichlet, Dirichlet).generate("c")


def test_the_command_generates_for_torch(capsys):
    assert main(["generate", "multivariatenormal", "multivariatenormal", "--target", "torch"]) == 0
    out = capsys.readouterr().out
    compile(out, "generated.py", "exec")
    assert "def kl_multivariatenormal(" in out and "It needs torch only." in out
