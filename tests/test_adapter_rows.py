"""Every row of every table of other libraries' distributions: its log density beside the one that its library has."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import sympy as sp
import sympy.stats
from scipy import stats

from klsym.adapters.example import example, makers
from klsym.adapters.reading import Reading, names_of
from klsym.arrays.walk import walk
from klsym.core.family import Distribution, exact

MATRIX = [[2, 0.5], [0.5, 1]]


@dataclass(frozen=True)
class Home:
    """How the distributions of a library are made and asked.

    `members` makes the distributions of a row, one for each way of giving its parameters; `log_density` is theirs, and
    `digits` what it is good for.
    """

    members: Callable[[str], list[Any]]
    log_density: Callable[[Any, Any], Any]
    plain: Callable[[Any], Any] = np.asarray
    digits: float = 1e-9


# SciPy: what a distribution is made with, where 0.6, 1.3, ... are no parameters of it.
SHAPES: dict[str, tuple[Any, ...]] = {
    "betabinom": (5, 0.6, 1.3),
    "binom": (5, 0.4),
    "erlang": (3,),
    "geninvgauss": (-0.4, 1.3),
    "hypergeom": (12, 5, 4),
    "nbinom": (2.5, 0.4),
    "poisson": (2.5,),
    "randint": (2, 7),
    "zipf": (2.5,),
    "dirichlet": ([0.6, 1.3, 2.0],),
    "invwishart": (3.5, MATRIX),
    "matrix_normal": ([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], MATRIX, np.diag([1.0, 2.0, 3.0])),
    "multinomial": (5, [0.2, 0.3, 0.5]),
    "multivariate_normal": ([0.1, 0.2], MATRIX),
    "wishart": (3.5, MATRIX),
}
MODERN: dict[str, dict[str, Any]] = {
    "Binomial": {"n": 5, "p": 0.4},
    "Logistic": {},
    "Normal": {"mu": 1.0, "sigma": 2.0},
    "Uniform": {"a": 1.0, "b": 3.0},
}


# What SciPy does not make a class of the new infrastructure of.
UNMADE = {"hypergeom"}


def of_scipy(row: str) -> list[Any]:
    """The frozen distribution, moved where it can be, and in the new infrastructure, where arithmetic moves it."""
    if row in MODERN:
        if not hasattr(stats, row):
            pytest.skip("SciPy's new infrastructure is not there")
        d = getattr(stats, row)(**MODERN[row])
        return [d] if row == "Binomial" else moved(d)
    name = row.removesuffix("_frozen")
    made, table = getattr(stats, name), import_module("klsym.adapters.scipy")
    arguments = SHAPES.get(name) or tuple(0.6 + 0.7 * k for k in range(made.numargs))
    moves: list[dict[str, Any]] = [{}]
    if row in table.CIRCULAR:
        moves += [{"loc": 0.5}]
    if row in table.DISCRETE:
        moves += [{"loc": 2}]
    if row in table.CONTINUOUS:
        moves += [{"loc": 0.7, "scale": 1.8}]
    frozen = [made(*arguments, **move) for move in moves]
    if hasattr(stats, "make_distribution") and row in {*table.CONTINUOUS, *table.DISCRETE} - UNMADE:
        names = (made.shapes or "").replace(" ", "").split(",")
        new = stats.make_distribution(made)(**dict(zip(names, arguments, strict=False)))
        frozen += moved(new) if row in table.CONTINUOUS else [new]
    return frozen


def moved(d: Any) -> list[Any]:
    """It, and what arithmetic makes of it."""
    return [d, 3 * d + 1, 1 - 2 * d]


def density_of_scipy(d: Any, x: Any) -> float:
    """Of the mass there, if there is one: the new infrastructure has both functions for all."""
    mass = d.logpmf(x) if hasattr(d, "logpmf") else -math.inf
    return mass if mass > -math.inf else d.logpdf(x)


# SymPy: the same, where multiples of 3/20 from 12/20 and integers 4 are none.
VARIABLES: dict[str, tuple[Any, ...]] = {
    "Arcsin": (-1, 2),
    "Chi": (3,),
    "ChiSquared": (3,),
    "Die": (6,),
    "FDistribution": (3, 5),
    "Hypergeometric": (12, 5, 4),
    "MatrixNormal": ([[0, 1]], [[3]], [[2, 1], [1, 2]]),
    "Multinomial": (3, sp.Rational(1, 4), sp.Rational(3, 4)),
    "MultivariateBeta": (sp.Rational(3, 2), 2),
    "MultivariateNormal": ([0, 1], [[2, 1], [1, 2]]),
    "Triangular": (0, 3, 1),
    "Wishart": (3, [[2, 1], [1, 2]]),
    "Zeta": (sp.Rational(5, 2),),
}
REST = {"m": 0, "mu": 0, "minimum": False, "a": 0, "b": 1, "succ": 1, "fail": 0}


def of_sympy(row: str) -> list[Any]:
    """The random variable."""
    if row in VARIABLES:
        return [getattr(sympy.stats, row)("X", *VARIABLES[row])]
    modules = [import_module(f"sympy.stats.{kind}_types") for kind in ("crv", "drv", "frv")]
    (kind,) = (vars(m)[f"{row}Distribution"] for m in modules if f"{row}Distribution" in vars(m))
    integers = {s.name: s.is_integer for s in import_module("klsym.adapters.sympy").ROWS[row].symbols}
    arguments = [
        (4 if integers[n] else sp.Rational(12 + 3 * k, 20)) if n in integers else REST[n]
        for k, n in enumerate(kind._argnames)
    ]
    return [getattr(sympy.stats, row)("X", *arguments)]


def density_of_sympy(variable: Any, x: Any) -> float:
    density = sympy.stats.density(variable)
    if np.ndim(x) == 2:
        found = density(sp.Matrix(x))
    elif np.ndim(x) == 1:
        found = density(*map(sp.nsimplify, x))
    else:
        x = sp.Integer(x) if x == int(x) else exact(x, "x")
        found = density[x] if isinstance(density, dict) else density(x)
    return math.log(sp.N(found.doit()))


# torch and the libraries on JAX: classes of which the rows' are bases, and what they are made with.
SUBCLASSES = {
    ("tfp", "MultivariateNormalLinearOperator"): (
        "MultivariateNormalDiagPlusLowRank",
        {"loc": [0.4, 0.6], "scale_diag": [1.0, 2.0], "scale_perturb_factor": [[0.5], [1.0]]},
    ),
    ("distrax", "MultivariateNormalFromBijector"): (
        "MultivariateNormalDiagPlusLowRank",
        {"loc": [0.4, 0.6], "scale_diag": [1.0, 2.0], "scale_u_matrix": [[0.5], [1.0]]},
    ),
}


def of_classes(library: str, module: str, array: Callable[[Any], Any]) -> Callable[[str], list[Any]]:
    """Members of a library's classes, made by the names in each of a row's laws."""
    table, made = import_module(f"klsym.adapters.{library}").LIBRARY, import_module(module)

    def members(row: str) -> list[Any]:
        if (library, row) in SUBCLASSES:
            name, arguments = SUBCLASSES[library, row]
            return [getattr(made, name)(**{key: array(value) for key, value in arguments.items()})]
        return [example(table, getattr(made, row), row, False, array, law) for law in makers(table, row)]

    return members


def torch_home() -> Home:
    torch = import_module("torch")

    def array(value: Any) -> Any:
        return torch.tensor(value, dtype=torch.float64)

    members = of_classes("torch", "torch.distributions", array)
    return Home(members, lambda d, x: d.log_prob(array(x)), import_module("klsym.adapters.autograd").array, 1e-6)


def jax_home(library: str, module: str) -> Home:
    jnp = import_module("jax.numpy")
    members = of_classes(library, module, jnp.asarray)
    return Home(members, lambda d, x: d.log_prob(jnp.asarray(x)), digits=1e-6)


HOMES: dict[str, Callable[[], Home]] = {
    "scipy": lambda: Home(of_scipy, density_of_scipy),
    "sympy": lambda: Home(of_sympy, density_of_sympy, lambda x: np.array(getattr(x, "tolist", lambda: x)(), float)),
    "torch": torch_home,
    "numpyro": lambda: jax_home("numpyro", "numpyro.distributions"),
    "tfp": lambda: jax_home("tfp", "tensorflow_probability.substrates.jax.distributions"),
    "distrax": lambda: jax_home("distrax", "distrax"),
}
ROWS = [
    pytest.param(library, row, id=f"{library}-{row}", marks=[pytest.mark.peers] * (library not in ("scipy", "sympy")))
    for library in HOMES
    for row in import_module(f"klsym.adapters.{library}").LIBRARY.rows
]


@pytest.fixture(autouse=True)
def doubles(request):
    """JAX in doubles."""
    if "numpyro" not in request.node.name and "tfp" not in request.node.name and "distrax" not in request.node.name:
        yield
        return
    config = import_module("jax").config
    before = config.jax_enable_x64
    config.update("jax_enable_x64", True)
    yield
    config.update("jax_enable_x64", before)


@pytest.mark.filterwarnings("ignore:Singular sample detected")  # torch says so of every Wishart of float df
@pytest.mark.parametrize("library, row", ROWS)
def test_rows_have_the_densities_of_their_classes(library, row):
    table, home = import_module(f"klsym.adapters.{library}").LIBRARY, HOMES[library]()
    laws = table.rows[row] if isinstance(table.rows[row], tuple) else (table.rows[row],)
    unread = set(laws)
    for d in home.members(row):
        for reading in table.read(d):
            unread -= {law for law in laws if set(names_of(law)) <= set(names_of(reading.law))}
            values = {name: home.plain(value) for name, value in reading.values.items()}
            compared = 0
            for ours, theirs in outcomes(reading, values, one_hot=len(getattr(d, "event_shape", ())) > 0):
                expected = float(np.squeeze(home.log_density(d, theirs)))
                assert log_density(reading.law, values, ours) == pytest.approx(expected, rel=home.digits, abs=1e-8)
                compared += 1
            assert compared > 1
    assert not unread


def log_density(law: Any, values: dict[str, Any], x: Any) -> float:
    """klsym's log density at an outcome, at the numbers that the library has."""
    if isinstance(law, Distribution):
        numbers = {s: exact(float(values[s.name]), s.name) for s in law.symbols}
        return float(law.log_density(exact(float(x), "x")).xreplace(numbers).evalf(20))
    at: dict[Any, Any] = {law.variable: np.asarray(x, dtype=float)}
    for parameter, value in zip(law.family.parameters, law.values, strict=True):
        if str(value) in values:
            array = np.asarray(values[str(value)], dtype=float)
            at[value] = array.reshape(array.shape[: parameter.axes])  # a vector of SymPy's has a second axis
            at |= dict(zip(parameter.dimensions, array.shape, strict=False))
    return float(np.squeeze(walk(law.log_density(), at)))


def outcomes(reading: Reading, values: dict[str, Any], one_hot: bool) -> Iterator[tuple[Any, Any]]:
    """Outcomes as klsym has them and as the library has them, spread over the support."""
    law = reading.law
    if isinstance(law, Distribution):
        numbers = {s: sp.Float(float(values[s.name])) for s in law.symbols}
        low, high = (float(end.xreplace(numbers)) for end in (law.support.lower, law.support.upper))
        low = low if low > -math.inf else min(high - 3, -1.0)
        steps = (0, 1, 2) if law.family.discrete else (0.3, 0.6, 0.9)
        width = 1 if law.family.discrete else min(high - low, 3)
        yield from ((x, x) for x in (low + width * step for step in steps) if x <= high)
        return
    kind, sizes = law.outcome.name, [n for value in values.values() for n in np.shape(value)] or [2]
    if kind == "categories":
        two = "two" in values
        yield from ((x + 1, np.eye(sizes[0])[x] if one_hot and not two else x) for x in range(sizes[0]))
    elif kind == "counts":
        (total,) = (int(value) for name, value in values.items() if name in ("n", "total_count"))
        rest = [0] * (sizes[0] - 2)
        yield from ([([total - x, x, *rest], x if "two" in values else [total - x, x, *rest]) for x in range(2)])
    elif kind == "simplex":
        raw = np.arange(1.0, sizes[0] + 1), np.ones(sizes[0])
        yield from ((x / x.sum(), x / x.sum()) for x in raw)
    elif kind == "vectors":
        yield from ((x, x) for x in (np.arange(sizes[0]) - 0.25, np.full(sizes[0], 0.5)))
    elif kind == "matrices":
        shape = next(value.shape for value in values.values())
        yield from ((x, x) for x in (np.zeros(shape), np.arange(float(np.prod(shape))).reshape(shape) / 4))
    else:
        assert kind == "positive definite"
        yield from ((x, x) for x in (np.array(MATRIX, dtype=float), np.eye(2)))
