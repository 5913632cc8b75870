"""Pairs of two families that are audited, and where they meet: parameters at which P and Q are one distribution."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import pi, sqrt
from typing import Any

Meeting = Mapping[str, float | Callable[[Mapping[str, Any]], Any]]

# (P, Q): {parameter: its value where they meet}, in an order in which each value can be computed.
MEETINGS: dict[tuple[str, str], Meeting] = {
    ("Gamma", "Exponential"): {"alpha_p": 1.0, "rate_q": lambda v: v["beta_p"]},
    ("Exponential", "Gamma"): {"alpha_q": 1.0, "beta_q": lambda v: v["rate_p"]},
    ("Weibull", "Exponential"): {"k_p": 1.0, "rate_q": lambda v: 1 / v["lam_p"]},
    ("Exponential", "Weibull"): {"k_q": 1.0, "lam_q": lambda v: 1 / v["rate_p"]},
    ("Gamma", "Weibull"): {"alpha_p": 1.0, "k_q": 1.0, "lam_q": lambda v: 1 / v["beta_p"]},
    ("Weibull", "Gamma"): {"k_p": 1.0, "alpha_q": 1.0, "beta_q": lambda v: 1 / v["lam_p"]},
    ("Gamma", "ChiSquared"): {"beta_p": 0.5, "nu_q": lambda v: 2 * v["alpha_p"]},
    ("ChiSquared", "Gamma"): {"alpha_q": lambda v: v["nu_p"] / 2, "beta_q": 0.5},
    ("ChiSquared", "Exponential"): {"nu_p": 2.0, "rate_q": 0.5},
    ("Exponential", "ChiSquared"): {"rate_p": 0.5, "nu_q": 2.0},
    ("Chi", "Rayleigh"): {"nu_p": 2.0, "sigma_q": 1.0},
    ("Rayleigh", "Chi"): {"sigma_p": 1.0, "nu_q": 2.0},
    ("Maxwell", "Chi"): {"a_p": 1.0, "nu_q": 3.0},
    ("Chi", "Maxwell"): {"nu_p": 3.0, "a_q": 1.0},
    ("HalfNormal", "Chi"): {"sigma_p": 1.0, "nu_q": 1.0},
    ("Chi", "HalfNormal"): {"nu_p": 1.0, "sigma_q": 1.0},
    ("Weibull", "Rayleigh"): {"k_p": 2.0, "sigma_q": lambda v: v["lam_p"] / sqrt(2)},
    ("Rayleigh", "Weibull"): {"k_q": 2.0, "lam_q": lambda v: v["sigma_p"] * sqrt(2)},
    ("Nakagami", "Rayleigh"): {"m_p": 1.0, "omega_p": lambda v: 2 * v["sigma_q"] ** 2},
    ("Nakagami", "HalfNormal"): {"m_p": 0.5, "omega_p": lambda v: v["sigma_q"] ** 2},
    ("Maxwell", "Nakagami"): {"m_q": 1.5, "omega_q": lambda v: 3 * v["a_p"] ** 2},
    ("Nakagami", "Weibull"): {"m_p": 1.0, "k_q": 2.0, "omega_p": lambda v: v["lam_q"] ** 2},
    ("GeneralizedGamma", "Gamma"): {
        "p_p": 1.0,
        "alpha_q": lambda v: v["d_p"],
        "beta_q": lambda v: 1 / v["a_p"],
    },
    ("Gamma", "GeneralizedGamma"): {
        "p_q": 1.0,
        "d_q": lambda v: v["alpha_p"],
        "a_q": lambda v: 1 / v["beta_p"],
    },
    ("GeneralizedGamma", "Weibull"): {
        "d_p": lambda v: v["p_p"],
        "k_q": lambda v: v["p_p"],
        "lam_q": lambda v: v["a_p"],
    },
    ("Weibull", "GeneralizedGamma"): {
        "a_q": lambda v: v["lam_p"],
        "d_q": lambda v: v["k_p"],
        "p_q": lambda v: v["k_p"],
    },
    ("InverseGamma", "ScaledInverseChiSquared"): {
        "nu_q": lambda v: 2 * v["alpha_p"],
        "tau2_q": lambda v: v["beta_p"] / v["alpha_p"],
    },
    ("ScaledInverseChiSquared", "InverseGamma"): {
        "alpha_q": lambda v: v["nu_p"] / 2,
        "beta_q": lambda v: v["nu_p"] * v["tau2_p"] / 2,
    },
    ("Levy", "InverseGamma"): {"alpha_q": 0.5, "beta_q": lambda v: v["c_p"] / 2},
    ("InverseGamma", "Levy"): {"alpha_p": 0.5, "c_q": lambda v: 2 * v["beta_p"]},
    ("InverseGamma", "Frechet"): {"alpha_p": 1.0, "alpha_q": 1.0, "s_q": lambda v: v["beta_p"]},
    ("Frechet", "InverseGamma"): {"alpha_p": 1.0, "alpha_q": 1.0, "beta_q": lambda v: v["s_p"]},
    ("Laplace", "AsymmetricLaplace"): {"mu_q": lambda v: v["mu_p"], "kappa_q": 1.0, "lam_q": lambda v: 1 / v["b_p"]},
    ("AsymmetricLaplace", "Laplace"): {"mu_q": lambda v: v["mu_p"], "kappa_p": 1.0, "b_q": lambda v: 1 / v["lam_p"]},
    ("GeneralizedNormal", "Normal"): {
        "beta_p": 2.0,
        "mu_q": lambda v: v["mu_p"],
        "sigma_q": lambda v: v["alpha_p"] / sqrt(2),
    },
    ("GeneralizedNormal", "Laplace"): {"beta_p": 1.0, "mu_q": lambda v: v["mu_p"], "b_q": lambda v: v["alpha_p"]},
    ("Cauchy", "StudentT"): {"nu_q": 1.0, "mu_q": lambda v: v["x0_p"], "sigma_q": lambda v: v["gamma_p"]},
    ("Beta", "PowerFunction"): {"beta_p": 1.0, "alpha_q": lambda v: v["alpha_p"]},
    ("PowerFunction", "Beta"): {"alpha_q": lambda v: v["alpha_p"], "beta_q": 1.0},
    ("Kumaraswamy", "PowerFunction"): {"b_p": 1.0, "alpha_q": lambda v: v["a_p"]},
    ("Beta", "ContinuousBernoulli"): {"alpha_p": 1.0, "beta_p": 1.0, "lam_q": 0.5},
    ("Bernoulli", "Binomial"): {"n_q": 1.0, "p_q": lambda v: v["p_p"]},
    ("FisherF", "BetaPrime"): {
        "d2_p": lambda v: v["d1_p"],
        "alpha_q": lambda v: v["d1_p"] / 2,
        "beta_q": lambda v: v["d1_p"] / 2,
    },
    ("VonMises", "CircularUniform"): {"kappa_p": 0.0},
    ("WrappedCauchy", "CircularUniform"): {"rho_p": 0.0},
    ("WrappedCauchy", "VonMises"): {"rho_p": 0.0, "kappa_q": 0.0},
    ("Uniform", "CircularUniform"): {"a_p": -pi, "b_p": pi},
    # These do not meet.
    ("Normal", "Laplace"): {},
    ("Laplace", "Normal"): {},
    ("Normal", "Gumbel"): {},
    ("Exponential", "Normal"): {},
    ("Gamma", "Normal"): {},
    ("Gamma", "LogNormal"): {},
    ("Gamma", "InverseGamma"): {},
    ("InverseGamma", "Exponential"): {},
    ("Gamma", "Rayleigh"): {},
    ("Exponential", "Lindley"): {},
    ("Beta", "Gamma"): {},
    ("Uniform", "Normal"): {},
    ("Bernoulli", "Poisson"): {},
}
