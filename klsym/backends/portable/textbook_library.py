"""The textbook forms, up to constants, for torch and JAX to differentiate twice.

A second derivative does not vanish at P = Q, where it is the Fisher information: there nothing cancels in that of a
textbook form, as it does in its value. Distributions outside the domains do not come here.
"""


def _textbook_tril(mu_p, l_p, mu_q, l_q):
    """log det L_q - log det L_p + (|L_q^-1 L_p|^2 + |L_q^-1 (mu_p - mu_q)|^2)/2"""
    logarithms = _ln(l_q.diagonal(0, -2, -1)) - _ln(l_p.diagonal(0, -2, -1))
    return logarithms.sum(-1) + 0.5 * (_squares(_solve(l_q, _lower(l_p))) + _squares(_standardised(l_q, mu_p, mu_q)))


def _textbook_covariance(mu_p, s_p, mu_q, s_q):
    return _textbook_tril(mu_p, _cholesky(s_p), mu_q, _cholesky(s_q))


def _textbook_precision(mu_p, t_p, mu_q, t_q):
    """log det L_p - log det L_q + (|L_p^-1 L_q|^2 + |L_q^T (mu_p - mu_q)|^2)/2 for T = L L^T"""
    l_p, l_q = _cholesky(t_p), _cholesky(t_q)
    return _textbook_tril(mu_p, l_q, mu_p, l_p) + 0.5 * _squares(l_q.swapaxes(-1, -2) @ (mu_p - mu_q)[..., None])


def _textbook_diagonal(mu_p, d_p, mu_q, d_q):
    return 0.5 * (_ln(d_q) - _ln(d_p) + (d_p + (mu_p - mu_q) ** 2) / d_q).sum(-1)


def _textbook_dirichlet(p, q):
    p_0, q_0 = p.sum(-1), q.sum(-1)
    terms = _log_gamma(q) - _log_gamma(p) + (p - q) * (_psi(p) - _psi(p_0[..., None]))
    return _log_gamma(p_0) - _log_gamma(q_0) + terms.sum(-1)


def _textbook_probabilities(p, q):
    return (p * (_ln(p) - _ln(q)) - p + q).sum(-1)


def _textbook_logits(a, b):
    logarithm, other = a - _log_sum(a), b - _log_sum(b)
    present = a > -math.inf
    gap = _select(present, logarithm, 0.0) - _select(present, other, 0.0)
    return (_exponential(logarithm) * gap).sum(-1)
