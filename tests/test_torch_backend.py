"""The torch backend: values, first and second derivatives, types and transforms, and the stand-alone file."""

import ast
import copy
import inspect
import pickle
import subprocess
import sys

import numpy as np
import pytest

import klsym
from klsym import (
    Bernoulli,
    Exponential,
    Gamma,
    Laplace,
    Normal,
    ParameterError,
    Poisson,
    StudentT,
    UnderivableError,
    kl,
)
from klsym.backends import library
from klsym.backends.torch import SPELLING, TORCH
from klsym.core.primitive import PRIMITIVES, boolean
from klsym.core.program import Line, Output, Program, run
from klsym.core.tangent import tangent

from test_primitives import called, draw, exactly, rounded  # isort: skip

POINT = (1.5, 2.0, 3.25, 0.75)


def test_source_needs_torch_to_run_only():
    source = kl(Gamma, Gamma).generate("torch")
    assert max(map(len, source.splitlines())) <= 120
    imported = [n for n in ast.walk(ast.parse(source)) if isinstance(n, (ast.Import, ast.ImportFrom))]
    assert {n.module if isinstance(n, ast.ImportFrom) else n.names[0].name for n in imported} <= {
        "fractions", "math", "torch"
    }  # fmt: skip
    assert "0.1.0" in source and "alpha_p must lie in (0, oo)." in source and "bound" in source


def test_a_primitive_that_torch_lacks_is_named():
    with pytest.raises(UnderivableError, match="log1p_mellin"):
        kl(StudentT, StudentT).generate("torch")
    with pytest.raises(ParameterError, match="leave out `gradient`"):
        kl(Normal, Normal).generate("torch", gradient=True)


def test_no_torch_is_said(monkeypatch):
    monkeypatch.setattr("klsym.backends.torch.find_spec", lambda name: None)
    with pytest.raises(UnderivableError, match="pip install"):
        kl(Normal, Normal).compile("torch")


@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_other_generated_files_check_themselves(target, tmp_path):
    if target == "numba":
        pytest.importorskip("numba")
    source = kl(Gamma, Gamma).generate(target)
    assert alone(tmp_path, source).startswith("at most ")
    if target == "numba":
        return
    broken = source.replace("_KNOWN = (\n    (\n        (4.331,", "_KNOWN = (\n    (\n        (4.332,")
    assert broken != source and "units of 2^-52 off" in alone(tmp_path, broken, status=1)


def alone(tmp_path, source, status=0):
    """What the file prints in an interpreter that cannot find klsym."""
    file = tmp_path / "generated.py"
    file.write_text(source, encoding="utf-8")
    code = f"import sys; sys.modules['klsym'] = None; import runpy; runpy.run_path({str(file)!r}, run_name='__main__')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == status, ran.stderr
    return ran.stdout + ran.stderr


# Moves of every primitive whose derivative has a rule, beside differences of its spec.
RULES = sorted(name for name in PRIMITIVES if name in tangent.__globals__["_PARTIALS"] and not name.endswith("_sum"))


@pytest.mark.parametrize("name", RULES)
def test_tangents_are_derivatives(name):
    import random

    from klsym.backends import load

    primitive, generator = PRIMITIVES[name], random.Random(name)
    for _ in range(3):
        values = [rounded(draw(generator, interval)) for interval in primitive.typical]
        whole = [isinstance(interval[0], int) for interval in primitive.typical]
        names = [f"c{k}" if w else f"a{k}" for k, w in enumerate(whole)]
        constants = [Line(n, "constant", (), str(v)) for n, v, w in zip(names, values, whole, strict=True) if w]
        moving = [n for n, w in zip(names, whole, strict=True) if not w]
        program = Program("f", tuple(moving), (*constants, *called(primitive, names, "y")), (Output("y"),))
        try:
            moved = tangent(program, moving, program.outputs)
        except UnderivableError:
            assert name in ("bessel_k_order",)
            return
        if name == "zeta_derivative" or any(line.primitive not in PRIMITIVES for line in moved.lines):
            continue
        moves = [generator.uniform(-1, 1) for _ in moving]
        point = [float(v) for v, w in zip(values, whole, strict=True) if not w]
        found = float(load(moved, "numpy", second_pass=False)(*point, *moves))
        f, h = load(program, "exact"), 1e-6 * min(1.0, *(abs(x) for x in point))
        ends = [f(*(x + s * h * m for x, m in zip(point, moves, strict=True))) for s in (-1.0, 1.0)]
        slope, size = (float(ends[1]) - float(ends[0])) / (2 * h), abs(float(ends[0]))
        assert found == pytest.approx(slope, rel=2e-4, abs=1e-7 + 4e-10 * size / h * 1e-6), (name, point, moves)


def test_a_branch_that_is_not_taken_moves_nothing():
    lines = (
        Line("zero", "constant", (), "0"), Line("below", "le", ("x", "zero")), Line("log", "log", ("x",)),
        Line("y", "select", ("below", "zero", "log")),
    )  # fmt: skip
    moved = tangent(Program("f", ("x",), lines, (Output("y"),)), ["x"], (Output("y"),))
    arithmetic = {
        "constant": float, "le": lambda a, b: a <= b, "select": lambda c, a, b: a if c else b,
        "log": lambda x: float("nan"), "div": lambda a, b: float("nan"), "mul": lambda a, b: a * b,
    }  # fmt: skip
    assert run(moved, {"x": 0.0, "move1": 1.0}, arithmetic) == 0.0


def test_at_a_kink_the_slope_is_that_of_the_piece_ahead():
    """y = x where x >= 0 and 3 x elsewhere: both pieces hold at 0, and what moves down leaves the first."""
    lines = (
        Line("zero", "constant", (), "0"), Line("above", "le", ("zero", "x")), Line("three", "constant", (), "3"),
        Line("steep", "mul", ("three", "x")), Line("y", "select", ("above", "x", "steep")),
    )  # fmt: skip
    moved = tangent(Program("f", ("x",), lines, (Output("y"),)), ["x"], (Output("y"),))
    arithmetic = {
        "constant": float, "le": lambda a, b: a <= b, "lt": lambda a, b: a < b, "eq": lambda a, b: a == b,
        "and": lambda a, b: a and b, "or": lambda a, b: a or b,
        "select": lambda c, a, b: a if c else b, "mul": lambda a, b: a * b,
    }  # fmt: skip
    assert [run(moved, {"x": 0.0, "move1": by}, arithmetic) for by in (2.0, -2.0)] == [2.0, -6.0]


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


def tensors(torch, values, **options):
    return [torch.tensor(v, dtype=torch.float64, requires_grad=True, **options) for v in values]


@pytest.mark.peers
@pytest.mark.parametrize("name", sorted(set(SPELLING) - {"variadic"}))
def test_spellings_beside_the_specs(torch, name):
    import random

    import mpmath as mp

    from klsym.backends import load

    primitive, generator = PRIMITIVES[name], random.Random(name)
    if boolean in primitive.typical or primitive.rest_of or name in ("lt", "le", "eq"):
        return
    worst = 0.0
    for _ in range(12):
        values = [rounded(draw(generator, interval)) for interval in primitive.typical]
        whole = [isinstance(interval[0], int) for interval in primitive.typical]
        if name == "ive":
            values[0] = min(values[0], 2)
        names = [f"c{k}" if w else f"a{k}" for k, w in enumerate(whole)]
        constants = [Line(n, "constant", (), str(v)) for n, v, w in zip(names, values, whole, strict=True) if w]
        arguments = tuple(n for n, w in zip(names, whole, strict=True) if not w)
        program = Program("f", arguments, (*constants, *called(primitive, names, "y")), (Output("y"),))
        point = [float(v) for v, w in zip(values, whole, strict=True) if not w]
        found = load(program, "torch").pure(*tensors(torch, point)).item()
        gaps = [exactly(values[j]) - exactly(values[i]) for i, j in primitive.gaps]
        with mp.workdps(40):
            true = mp.mpf(primitive.spec(*map(exactly, values), *gaps).evalf(40))
            worst = max(worst, float(abs(found - true) / abs(true)) * 2**52 if true else abs(found))
    assert worst <= {
        "erfc": 100,
        "erfcx": 20,
        "gamma_p": 400,
        "gamma_q": 400,
        "tan": 40,
        "polygamma": 40,
        "digamma": 40,
    }.get(name, 12)


@pytest.mark.peers
@pytest.mark.parametrize("family", [Normal, Laplace, Gamma, Bernoulli], ids=lambda f: f.name)
@pytest.mark.parametrize("way", ["compiled", "pure"])
def test_derivatives_beside_differences(torch, family, way):
    f = kl(family, family).compile("torch")
    f = f if way == "compiled" else f.pure
    half = POINT[: len(family.parameters)] if family is not Bernoulli else (0.3,)
    far = [*half, *(POINT[2 : 2 + len(half)] if family is not Bernoulli else (0.8,))]
    for values in (far, [*half, *half]):
        x = tensors(torch, [[v] for v in values])
        assert torch.autograd.gradcheck(f, x, atol=1e-5) and torch.autograd.gradgradcheck(f, x, atol=1e-4, rtol=1e-3)


@pytest.mark.peers
def test_derivatives_are_as_fine_as_asked_for(torch):
    """The derivative by alpha_q, psi(alpha_q) - psi(alpha_p) + log(beta_p/beta_q), passes through 0 between these."""
    f = kl(Gamma, Gamma).compile("torch")
    true, worst = kl(Gamma, Gamma).compile("exact", gradient=True), {}
    for name, g in {"usual": f, "fine": f.within(16)}.items():
        errors = []
        for alpha in np.linspace(7.7, 7.72, 50):
            x = tensors(torch, (5.0, 2.0, alpha, 3.2))
            (found,) = torch.autograd.grad(g(*x), x[2])
            right = true(5.0, 2.0, alpha, 3.2).alpha_q
            errors.append(abs(found.item() - right) / abs(right) * 2**52)
        worst[name] = max(errors)
    assert worst["fine"] <= 16 < worst["usual"] < 2**20


@pytest.mark.peers
def test_second_derivatives_where_two_pieces_meet(torch):
    """The information that AsymmetricLaplace(mu, lam, kappa) has of mu is lam^2."""
    f, x = kl(klsym.AsymmetricLaplace, klsym.AsymmetricLaplace).compile("torch"), tensors(torch, (0.3, 1.2, 0.8) * 2)
    bent = torch.autograd.functional.hessian(f, tuple(x))
    assert [bent[i][j].item() for i in (0, 3) for j in (0, 3)] == pytest.approx([1.44, -1.44, -1.44, 1.44])


@pytest.mark.peers
def test_broadcasting_sums_derivatives(torch):
    f = kl(Gamma, Gamma).compile("torch")
    x = [
        torch.rand(3, 1).double() + 1,
        torch.rand(2).double() + 1,
        torch.tensor(2.0).double(),
        torch.rand(4, 1, 2).double() + 1,
    ]
    for a in x:
        a.requires_grad_()
    assert f(*x).shape == (4, 3, 2)
    assert torch.autograd.gradcheck(f, x) and torch.autograd.gradgradcheck(f.pure, x)


@pytest.mark.peers
def test_near_each_other_all_digits_stay(torch):
    f, other = kl(Gamma, Gamma).compile("torch"), kl(Gamma, Gamma).compile("exact")
    x = tensors(torch, (5.0, 2.0, 5.0 + 1e-8, 2.0))
    for g in (f, f.pure):
        value = g(*x)
        assert abs(value.item() / float(other(5.0, 2.0, 5.0 + 1e-8, 2.0)) - 1) < 10 * 2**-52
        slope = torch.autograd.grad(value, x[2])[0].item()
        assert slope == pytest.approx(1e-8 * 0.2213229557371153, rel=1e-7)  # trigamma(5) times the gap
        same = tensors(torch, (5.0, 2.0, 5.0, 2.0))
        assert all(s.item() == 0.0 for s in torch.autograd.grad(g(*same), same))


@pytest.mark.peers
def test_what_where_hides_has_no_derivative(torch):
    f = kl(Exponential, Exponential).compile("torch")
    for g in (f, f.pure, torch.compile(f, backend="eager", fullgraph=True)):
        rate = torch.tensor([1.0, -1.0, 2.0], dtype=torch.float64, requires_grad=True)
        value = g(rate, 2.0)
        assert value.isnan().tolist() == [False, True, False]
        torch.where(rate > 0, value, 0.0).sum().backward()
        assert rate.grad.isfinite().all() and rate.grad[1] == 0.0 and rate.grad[0] != 0.0


@pytest.mark.peers
def test_types_follow_torch(torch):
    f = kl(Gamma, Gamma).compile("torch")
    single = [torch.tensor([v, v], dtype=torch.float32, requires_grad=True) for v in POINT]
    expected = kl(Gamma, Gamma).compile("numpy")(*(np.float32(v) for v in POINT))
    for g in (f, f.pure):
        value = g(*single)
        assert value.dtype == torch.float32 and value[0].item() == expected
        assert torch.autograd.grad(value.sum(), single)[0].dtype == torch.float32
        assert g(single[0], 2.0, torch.tensor(3.25, dtype=torch.float64), 1).dtype == torch.float32
        assert g(single[0].half(), 2.0, 3.25, 0.75).dtype == torch.float16
        assert g(*POINT).dtype == torch.get_default_dtype()
        assert g(np.array([1.5, 1.5]), *POINT[1:]).dtype == torch.float64
    counts = kl(Poisson, Poisson).compile("torch")
    assert counts(torch.tensor([3]), torch.tensor([4.0])).dtype == torch.float32
    with pytest.raises(TypeError, match="real numbers"):
        f(torch.tensor(1j), 2.0, 3.0, 4.0)


@pytest.mark.peers
def test_counts_have_no_derivative(torch):
    f = kl(klsym.Binomial, klsym.Binomial).subs(n_q="n_p").compile("torch")
    n, p, q = torch.tensor(7.0).double(), *tensors(torch, (0.3, 0.6))
    f(n, p, q).backward()
    assert p.grad is not None and n.grad is None
    n.requires_grad_()
    assert torch.autograd.grad(f(n, p, q), [n], allow_unused=True) == (None,)


@pytest.mark.peers
def test_transforms(torch):
    f = kl(Gamma, Gamma).compile("torch")
    x = [torch.rand(6).double() + 1 for _ in range(4)]
    func = torch.func
    for g in (f, f.pure):
        assert torch.equal(func.vmap(g)(*x), g(*x))
        assert torch.equal(
            func.vmap(g, in_dims=(0, None, None, 0))(x[0], 2.0, x[2], x[3]), g(x[0][:, None], 2.0, x[2], x[3][:, None])
        )
        slopes = func.vmap(func.grad(g, argnums=(0, 3)))(*x)
        y = [a.clone().requires_grad_() for a in x]
        expected = torch.autograd.grad(g(*y).sum(), [y[0], y[3]])
        assert all(torch.allclose(a, b, rtol=1e-14) for a, b in zip(slopes, expected, strict=True))
        bent = func.jacrev(func.jacrev(lambda a, g=g: g(a[0], a[1], 2.0, 3.0)))(torch.tensor([1.5, 2.5]).double())
        assert torch.allclose(bent, bent.T) and (torch.linalg.eigvalsh(bent) > 0).all()


@pytest.mark.peers
def test_torch_compile_traces_the_whole(torch):
    f = kl(Gamma, Gamma).compile("torch")
    traced = torch.compile(f, backend="aot_eager", fullgraph=True)
    x = [(torch.rand(6).double() + 1).requires_grad_() for _ in range(4)]
    value = traced(*x)
    assert torch.allclose(value, f(*x), rtol=1e-14)
    for a, b in zip(torch.autograd.grad(value.sum(), x), torch.autograd.grad(f(*x).sum(), x), strict=True):
        assert torch.allclose(a, b, rtol=1e-13)
    with torch.no_grad():
        assert torch.allclose(traced(*x), f(*x), rtol=1e-14)


@pytest.mark.peers
def test_it_is_a_function_like_the_others(torch):
    f = kl(Gamma, Gamma).compile("torch", second_pass=False)
    assert repr(f) == "kl_gamma_gamma(alpha_p, beta_p, alpha_q, beta_q)"
    assert list(inspect.signature(f).parameters) == ["alpha_p", "beta_p", "alpha_q", "beta_q", "check"]
    assert "Derivatives" in f.__doc__ and f.backend == "torch"
    for g in (pickle.loads(pickle.dumps(f)), copy.deepcopy(f), pickle.loads(pickle.dumps(f.pure))):
        assert g(*POINT) == f(*POINT) and not g.second_pass
    assert f(beta_p=2.0, alpha_p=1.5, alpha_q=3.25, beta_q=0.75) == f(*POINT)
    with pytest.raises(ParameterError, match=r"alpha_p must lie in \(0, oo\)"):
        f(torch.tensor([1.0, -1.0]), 2.0, 3.25, 0.75, check=True)
    with pytest.raises(TypeError, match="missing a required argument"):
        f(1.0)
    with pytest.raises(ParameterError, match="no report"):
        kl(Gamma, Gamma).compile("torch", report=True)


@pytest.mark.peers
def test_what_torch_lacks_is_computed_on_the_cpu(torch):
    f = kl(klsym.HalfCauchy, klsym.HalfCauchy).compile("torch")
    x = tensors(torch, (1.0, 2.5))
    value = f(*x)
    outputs = kl(klsym.HalfCauchy, klsym.HalfCauchy).compile("numpy", gradient=True)(1.0, 2.5)
    assert value.item() == pytest.approx(outputs[0], rel=1e-15) and value > 0
    assert torch.autograd.grad(value, x[1])[0].item() == pytest.approx(outputs[2], rel=1e-7)
    with pytest.raises(NotImplementedError, match="torch has no log1p_mellin"):
        f.pure(*x)
    assert TORCH.missing(f.program)


@pytest.mark.peers
@pytest.mark.parametrize(
    "pair", [(Normal, Normal), (Gamma, klsym.Weibull), (Poisson, Poisson)], ids=lambda p: p[1].name
)
def test_generated_files_check_themselves(torch, pair, tmp_path):
    source = kl(*pair).generate("torch")
    assert alone(tmp_path, source).startswith("at most ")


def test_the_library_defines_what_it_uses():
    """Every kernel's machine function has torch's form."""
    names = set(library.torch_library())
    for name in library.kernels():
        texts = library.needed(library.torch_library(), [f"_{name}"])
        used = {
            n.func.id
            for t in texts
            for n in ast.walk(ast.parse(t))
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
        }
        assert {u for u in used if u.startswith("_")} <= names
