"""How each library spells what it is asked: tables of templates, and the classes that its adapter has no law for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .call import Quantity

Words = Mapping[str, str]
Functions = Mapping[Quantity, str]


@dataclass(frozen=True)
class Wrapper:
    """What is put around a distribution: the spelling, with the distribution and the arguments by name, and these."""

    spelling: str
    arguments: str = ""


@dataclass(frozen=True)
class Dialect:
    """The spelling of one library.

    `imports` begin a script, `doubles` follow them where the call is in float64. `array` spells floats, `scalar` a
    single one where that differs, `integers` lists of integers and truth values, `counts` integers that are outcomes,
    where these are others; in what has derivatives, `leaf` is put where `{leaf}` stands. `make` spells a distribution
    of the class `kind` in the module `home`. `objects` are classes beyond those of the adapter, by the module that has
    them, with the names of their arguments. `functions` are for distributions that the library has as bare arrays.
    `gradient` follows the value: a dictionary, by `labels`, of the derivatives by the variables `leaves`; a
    `functional` library needs a function of these for it. One that `widens` may answer in float64 whatever it is asked;
    `batches` says of what it takes batches: of everything, of distributions of numbers, or of nothing.
    """

    imports: str
    home: str
    array: str
    integers: str
    quantities: Functions
    gradient: str = ""
    functional: bool = False
    doubles: str = ""
    scalar: str = ""
    counts: str = ""
    leaf: str = ""
    make: str = "{home}.{kind}({arguments})"
    objects: Mapping[str, Words] = field(default_factory=dict)
    functions: Mapping[str, Functions] = field(default_factory=dict)
    wrappers: Mapping[str, Wrapper] = field(default_factory=dict)
    widens: bool = False
    batches: Literal["always", "numbers", "never"] = "always"


JAX_GRADIENT = """\
gradients = jax.grad(lambda *leaves: function(*leaves).sum(), argnums=tuple(range({count})))({leaves})
gradients = dict(zip({labels}, gradients))"""
METHODS: Functions = {"entropy": "p.entropy()", "log_prob": "p.log_prob(at)"}
JAX = "import jax\nimport jax.numpy as jnp\n"
DOUBLES = 'jax.config.update("jax_enable_x64", True)'
VECTOR = "probs"  # the argument of a distribution that is a bare array

TORCH = Dialect(
    imports="import torch",
    home="torch.distributions",
    array="torch.tensor({numbers}, dtype=torch.{dtype}{leaf})",
    leaf=", requires_grad=True",
    integers="torch.tensor({numbers})",
    quantities={"kl": "torch.distributions.kl_divergence(p, q)", **METHODS},
    # Autograd refuses a value that depends on no leaf at all: no derivative, then.
    gradient="""\
leaves = dict(zip({labels}, [{leaves}]))
found = torch.autograd.grad(value.sum(), list(leaves.values()), allow_unused=True) if value.requires_grad else None
gradients = dict(zip(leaves, found or [None] * len(leaves)))""",
    objects={
        "torch.distributions": {
            "GeneralizedPareto": "loc scale concentration",
            "LKJCholesky": "dim concentration",
            "LogisticNormal": "loc scale",
            "MixtureSameFamily": "mixture_distribution component_distribution",
            "OneHotCategoricalStraightThrough": "probs logits",
            "RelaxedBernoulli": "temperature probs logits",
            "RelaxedOneHotCategorical": "temperature probs logits",
            "AbsTransform": "",
            "AffineTransform": "loc scale event_dim",
            "ExpTransform": "",
            "PowerTransform": "exponent",
            "SigmoidTransform": "",
            "SoftplusTransform": "",
            "TanhTransform": "",
        }
    },
    functions={
        "kl_div": {"kl": "torch.nn.functional.kl_div(q.log(), p, reduction='none').sum(-1)"},
        "kl_div_logs": {
            "kl": "torch.nn.functional.kl_div(q.log(), p.log(), reduction='none', log_target=True).sum(-1)"
        },
    },
    wrappers={
        "Expanded": Wrapper("{base}.expand({batch_shape})", "batch_shape"),
        "Independent": Wrapper(
            "torch.distributions.Independent({base}, {reinterpreted_batch_ndims})", "reinterpreted_batch_ndims"
        ),
        "TransformedDistribution": Wrapper(
            "torch.distributions.TransformedDistribution({base}, {transforms})", "transforms"
        ),
    },
)

NUMPYRO = Dialect(
    imports=JAX + "import numpyro.distributions as dist",
    doubles=DOUBLES,
    home="dist",
    array="jnp.array({numbers}, dtype=jnp.{dtype})",
    integers="jnp.array({numbers})",
    quantities={"kl": "dist.kl_divergence(p, q)", **METHODS},
    gradient=JAX_GRADIENT,
    functional=True,
    objects={
        "dist": {
            "BetaNegativeBinomial": "concentration1 concentration0 n",
            "CirculantNormal": "loc covariance_row",
            "Dagum": "concentration sharpness scale",
            "Delta": "v log_density event_dim",
            "DirichletMultinomial": "concentration total_count",
            "DoublyTruncatedPowerLaw": "alpha low high",
            "FoldedDistribution": "base_dist",
            "InverseWishartCholesky": "concentration scale_matrix scale_tril rate_matrix",
            "LKJ": "dimension concentration",
            "LKJCholesky": "dimension concentration",
            "LowerTruncatedPowerLaw": "alpha low",
            "MixtureGeneral": "mixing_distribution component_distributions",
            "MixtureSameFamily": "mixing_distribution component_distribution",
            "MultivariateStudentT": "df loc scale_tril",
            "OrderedLogistic": "predictor cutpoints",
            "ProjectedNormal": "concentration",
            "RelaxedBernoulliLogits": "temperature logits",
            "TruncatedNormal": "loc scale low high",
            "TruncatedCauchy": "loc scale low high",
            "WishartCholesky": "concentration scale_matrix scale_tril rate_matrix",
            "ZeroInflatedPoisson": "gate rate",
            "ZeroInflatedProbs": "base_dist gate",
            "ZeroSumNormal": "scale event_shape",
        },
        "dist.transforms": {
            "AffineTransform": "loc scale",
            "ExpTransform": "",
            "PowerTransform": "exponent",
            "SigmoidTransform": "",
            "SoftplusTransform": "",
        },
    },
    wrappers={
        "Expanded": Wrapper("{base}.expand({batch_shape})", "batch_shape"),
        "ExpandedDistribution": Wrapper("dist.ExpandedDistribution({base}, {batch_shape})", "batch_shape"),
        "Independent": Wrapper("dist.Independent({base}, {reinterpreted_batch_ndims})", "reinterpreted_batch_ndims"),
        "Masked": Wrapper("{base}.mask({mask})", "mask"),
        "TransformedDistribution": Wrapper("dist.TransformedDistribution({base}, {transforms})", "transforms"),
        "TruncatedDistribution": Wrapper("dist.TruncatedDistribution({base}, {low}, {high})", "low high"),
    },
)

TFP_OBJECTS: dict[str, Words] = {
    "tfp.distributions": {
        "CholeskyLKJ": "dimension concentration",
        "Deterministic": "loc",
        "DoublesidedMaxwell": "loc scale",
        "Empirical": "samples",
        "ExponentiallyModifiedGaussian": "loc scale rate",
        "ExpRelaxedOneHotCategorical": "temperature probs logits",
        "FiniteDiscrete": "outcomes probs logits",
        "GeneralizedExtremeValue": "loc scale concentration",
        "GeneralizedPareto": "loc scale concentration",
        "HalfStudentT": "df loc scale",
        "Horseshoe": "scale",
        "JohnsonSU": "skewness tailweight loc scale",
        "LKJ": "dimension concentration",
        "MatrixNormalLinearOperator": "loc scale_row scale_column",
        "MixtureSameFamily": "mixture_distribution components_distribution",
        "MultivariateStudentTLinearOperator": "df loc scale",
        "NormalInverseGaussian": "loc scale tailweight skewness",
        "OrderedLogistic": "cutpoints loc",
        "PERT": "low peak high",
        "PlackettLuce": "scores",
        "PowerSpherical": "mean_direction concentration",
        "ProbitBernoulli": "probits probs",
        "RelaxedBernoulli": "temperature probs logits",
        "RelaxedOneHotCategorical": "temperature probs logits",
        "SinhArcsinh": "loc scale skewness tailweight",
        "SphericalUniform": "dimension",
        "StoppingRatioLogistic": "cutpoints loc",
        "TruncatedCauchy": "loc scale low high",
        "TruncatedNormal": "loc scale low high",
        "VectorDeterministic": "loc",
        "WishartLinearOperator": "df scale",
    },
    "tfp.bijectors": {
        "Exp": "",
        "Scale": "scale",
        "Shift": "shift",
        "Sigmoid": "",
        "Softplus": "",
        "Square": "",
        "Tanh": "",
    },
    "tfp.tf2jax.linalg": {
        "LinearOperatorDiag": "diag",
        "LinearOperatorFullMatrix": "matrix",
        "LinearOperatorLowerTriangular": "tril",
    },
}

TFP = Dialect(
    imports=JAX + "import tensorflow_probability.substrates.jax as tfp",
    doubles=DOUBLES,
    home="tfp.distributions",
    array="jnp.array({numbers}, dtype=jnp.{dtype})",
    integers="jnp.array({numbers})",
    counts="jnp.array({numbers}, dtype=jnp.{dtype})",
    quantities={"kl": "tfp.distributions.kl_divergence(p, q)", **METHODS},
    gradient=JAX_GRADIENT,
    functional=True,
    objects=TFP_OBJECTS,
    wrappers={
        "BatchBroadcast": Wrapper("tfp.distributions.BatchBroadcast({base}, {with_shape})", "with_shape"),
        "BatchReshape": Wrapper("tfp.distributions.BatchReshape({base}, {batch_shape})", "batch_shape"),
        "Independent": Wrapper(
            "tfp.distributions.Independent({base}, {reinterpreted_batch_ndims})", "reinterpreted_batch_ndims"
        ),
        "Masked": Wrapper("tfp.distributions.Masked({base}, {validity_mask})", "validity_mask"),
        "Sample": Wrapper("tfp.distributions.Sample({base}, {sample_shape})", "sample_shape"),
        "TransformedDistribution": Wrapper("tfp.distributions.TransformedDistribution({base}, {bijector})", "bijector"),
    },
)

DISTRAX = Dialect(
    imports=JAX + "import distrax",
    doubles=DOUBLES,
    home="distrax",
    array="jnp.array({numbers}, dtype=jnp.{dtype})",
    integers="jnp.array({numbers})",
    quantities={"kl": "p.kl_divergence(q)", **METHODS},
    gradient=JAX_GRADIENT,
    functional=True,
    objects={
        "distrax": {
            "CategoricalUniform": "low high logits",
            "ClippedNormal": "loc scale minimum maximum",
            "Deterministic": "loc eps",
            "EpsilonGreedy": "preferences epsilon",
            "Greedy": "preferences",
            "LogStddevNormal": "loc log_scale",
            "MixtureOfTwo": "prob_a component_a component_b",
            "MixtureSameFamily": "mixture_distribution components_distribution",
            "MultivariateNormalTri": "loc scale_tri",
            "Softmax": "logits temperature",
            "Block": "bijector ndims",
            "Lambda": "",
            "ScalarAffine": "shift scale",
            "Sigmoid": "",
            "Tanh": "",
        }
    },
    wrappers={
        "Independent": Wrapper("distrax.Independent({base}, {reinterpreted_batch_ndims})", "reinterpreted_batch_ndims"),
        "Transformed": Wrapper("distrax.Transformed({base}, {bijector})", "bijector"),
    },
)

SCIPY = Dialect(
    imports="import numpy\nimport scipy",
    home="scipy.stats",
    array="numpy.array({numbers}, dtype=numpy.{dtype})",
    scalar="numpy.{dtype}({numbers})",
    integers="numpy.array({numbers})",
    quantities={"entropy": "p.entropy()", "log_prob": "(p.logpdf if hasattr(p, 'logpdf') else p.logpmf)(at)"},
    functions={
        "entropy": {"kl": "scipy.stats.entropy(p, q, axis=-1)", "entropy": "scipy.stats.entropy(p, axis=-1)"},
        "rel_entr": {"kl": "scipy.special.rel_entr(p, q).sum(-1)"},
        "kl_div": {"kl": "scipy.special.kl_div(p, q).sum(-1)"},
        "entr": {"entropy": "scipy.special.entr(p).sum(-1)"},
        "jensenshannon": {"jensenshannon": "scipy.spatial.distance.jensenshannon(p, q, axis=-1)"},
    },
    # The parameters of scipy.stats are doubles, and what is computed from them.
    widens=True,
    batches="numbers",
)

SYMPY = Dialect(
    imports="import sympy\nimport sympy.stats",
    home="sympy.stats",
    array="{numbers}",
    integers="{numbers}",
    make='{home}.{kind}("X", {arguments})',
    quantities={
        "entropy": "float(sympy.stats.entropy(p))",
        "log_prob": "float(sympy.log(sympy.stats.density(p)(at)))",
    },
    batches="never",
)


OWN = """\
import copy
import numpy
from {module} import {first}


def answer(*arguments):
    try:
        return {function}(*copy.deepcopy(arguments))
    except (TypeError, ValueError) as error:
        if isinstance(error, ValueError) and "ambiguous" not in str(error):
            raise
        return numpy.vectorize({function}, otypes=[float])(*arguments)
"""


def own(module: str, function: str) -> Dialect:
    """The dialect of somebody's function of P's parameters and then Q's; floats are Python's own, lists are arrays.

    A function that refuses arrays, as what is written with `math` does, gets their elements one by one; it may have
    changed what it was given by then.
    """
    return Dialect(
        imports=OWN.format(module=module, first=function.partition(".")[0], function=function),
        home="",
        array="numpy.array({numbers}, dtype=numpy.{dtype})",
        scalar="{numbers}",
        integers="numpy.array({numbers})",
        make="({values},)",
        quantities={"kl": "answer(*p, *q)", "entropy": "answer(*p)"},
    )


DIALECTS: dict[str, Dialect] = {
    "torch": TORCH,
    "numpyro": NUMPYRO,
    "tfp": TFP,
    "distrax": DISTRAX,
    "scipy": SCIPY,
    "sympy": SYMPY,
}
