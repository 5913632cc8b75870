"""Upper bounds of KL(f || g) of mixtures f = sum pi_a f_a and g = sum omega_b g_b.

All but the last are the log-sum inequality for some phi and psi with sum_b phi_ab = pi_a, sum_a psi_ab <= omega_b:

    KL(f || g) <= sum_ab phi_ab (log(phi_ab/psi_ab) + KL(f_a || g_b)).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment, linprog
from scipy.special import logsumexp

from .bounds import Bound, outward
from .pairs import Gauss, log_products

ITERATIONS = 200
Plan = tuple[np.ndarray, np.ndarray]


def log_sum(plan: Plan, kl: np.ndarray) -> float:
    """The bound of a plan (phi, psi)."""
    phi, psi = plan
    used = phi > 0
    if (psi[used] <= 0).any():
        return np.inf
    logs = phi[used] * np.log(phi[used] / psi[used])
    # What phi and psi miss of the weights by rounding counts like the rounding of a term.
    return outward(np.concatenate([logs, phi[used] * kl[used]]), 1) + 8 * phi.size * 2.0**-52 * float(abs(logs).max())


def convexity(pi: np.ndarray, omega: np.ndarray, kl: np.ndarray) -> Plan | None:
    """phi = psi: the coupling of the weights with the least mean divergence; a permutation where all are equal."""
    finite = np.isfinite(kl)
    if len(pi) == len(omega) and (pi == pi[0]).all() and (omega == pi[0]).all():
        return _permuted(np.where(finite, kl, np.inf), pi, omega)
    cost = np.where(finite, kl, 0.0).ravel()
    rows, columns = np.kron(np.eye(len(pi)), np.ones(len(omega))), np.kron(np.ones(len(pi)), np.eye(len(omega)))
    limits = [(0, None if f else 0) for f in finite.ravel()]
    found = linprog(cost, A_eq=np.vstack([rows, columns]), b_eq=np.concatenate([pi, omega]), bounds=limits)
    return _scaled(np.maximum(found.x, 0).reshape(kl.shape), pi, omega) if found.status == 0 else None


def matched_pairs(pi: np.ndarray, omega: np.ndarray, kl: np.ndarray) -> Plan | None:
    """Each component of P with one of Q of its own, so that the sum of pi_a (KL + log(pi_a/omega_b)) is least."""
    if len(pi) > len(omega):
        return None
    return _permuted(pi[:, None] * (kl + np.log(pi[:, None] / omega[None])), pi, omega)


def _permuted(cost: np.ndarray, pi: np.ndarray, omega: np.ndarray) -> Plan | None:
    try:
        rows, columns = linear_sum_assignment(cost)
    except ValueError:  # no pairing is finite
        return None
    phi, psi = np.zeros(cost.shape), np.zeros(cost.shape)
    phi[rows, columns], psi[rows, columns] = pi[rows], omega[columns]
    return phi, psi


def _scaled(plan: np.ndarray, pi: np.ndarray, omega: np.ndarray) -> Plan | None:
    """phi with the rows' sums and psi with the columns', both nearly the plan: it may miss them."""
    rows, columns = plan.sum(1, keepdims=True), plan.sum(0, keepdims=True)
    if (rows <= 0).any() or (columns <= 0).any():
        return None
    return plan * (pi[:, None] / rows), plan * (omega[None] / columns)


def steps(start: Plan, pi: np.ndarray, omega: np.ndarray, kl: np.ndarray, count: int = ITERATIONS) -> list[Plan]:
    """The variational iteration from a plan: phi for fixed psi, then psi for fixed phi; the bound never rises."""
    weight = np.exp(-(kl - kl.min(1, keepdims=True)))
    plans = [start]
    for _ in range(count):
        phi = plans[-1][1] * weight
        phi = phi * (pi[:, None] / phi.sum(1, keepdims=True))
        totals = phi.sum(0, keepdims=True)
        psi = np.where(totals > 0, phi * (omega[None] / np.where(totals > 0, totals, 1)), 0.0)
        plans.append((phi, psi))
        if np.abs(phi - plans[-2][0]).max() < 1e-12:
            break
    return plans


def variational(pi: np.ndarray, omega: np.ndarray, kl: np.ndarray) -> float:
    """The least bound that the iteration reaches from the product of the weights and from the other plans."""
    starts = [(pi[:, None] * omega[None], pi[:, None] * omega[None])]
    near = [plan for plan in (convexity(pi, omega, kl), matched_pairs(pi, omega, kl)) if plan is not None]
    # A plan with zeros stays on them: it is opened a little towards the product.
    mixed = [(0.9 * phi + 0.1 * starts[0][0], 0.9 * psi + 0.1 * starts[0][1]) for phi, psi in near]
    if not np.isfinite(kl).any(1).all():
        return np.inf
    ends = [steps(start, pi, omega, kl)[-1] for start in (*starts, *mixed)]
    return min(log_sum(plan, kl) for plan in (*ends, *near))


def jensen(pi: np.ndarray, omega: np.ndarray, kl: np.ndarray, entropies: np.ndarray, f: Gauss) -> float:
    """E_a[log f] <= log sum_c pi_c int f_a f_c by Jensen, and E_a[log g] >= log sum_b omega_b exp(E_a[log g_b])."""
    above = logsumexp(log_products(f, f) + np.log(pi), axis=1)
    below = logsumexp(np.log(omega) - kl, axis=1) - entropies
    return outward([pi * above, -pi * below], 1, f.condition)


PLANS = (
    ("convexity", convexity, "Cover and Thomas, Elements of Information Theory, 2.7.2"),
    ("matched pairs", matched_pairs, "Goldberger, Gordon, Greenspan, ICCV 2003"),
)


def uppers(pi: np.ndarray, omega: np.ndarray, kl: np.ndarray, entropies: Any, f: Gauss | None) -> list[Bound]:
    """Every upper bound that the divergences of the components allow."""
    found = []
    for name, choose, source in PLANS:
        plan = choose(pi, omega, kl)
        if plan is not None:
            found.append(Bound(name, log_sum(plan, kl), source))
    found.append(Bound("variational", variational(pi, omega, kl), "Hershey and Olsen, ICASSP 2007"))
    if f is not None:
        value = jensen(pi, omega, kl, entropies, f)
        found.append(Bound("products of densities", value, "Durrieu, Thiran, Kelly, ICASSP 2012"))
    return [b for b in found if b.value < np.inf]
