"""NumPy source of the primitives that SciPy lacks: what a program uses of it is copied into the generated module.

Every function takes float64 arrays or scalars and broadcasts. Outside its domain it gives NaN or nonsense,
never an exception; the caller masks it and silences floating-point warnings.
"""

import numpy as np
from scipy import special

# B_2k / (2k (2k - 1)), k = 1, ..., 8: Stirling's series, DLMF 5.11.1.
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)

# B_2k / (2k)!, k = 1, ..., 8: the Euler-Maclaurin formula, DLMF 2.10.1.
_EULER_MACLAURIN = (
    1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160,
    -691 / 1307674368000, 1 / 74724249600, -3617 / 10670622842880000,
)  # fmt: skip


def _choose(condition, yes, no, *arguments):
    """yes(*arguments) where the condition holds and no(*arguments) elsewhere, each computed only there."""
    condition, *arguments = np.broadcast_arrays(condition, *arguments)
    result = np.empty(condition.shape)
    for where, function in ((condition, yes), (~condition, no)):
        if where.any():
            result[where] = function(*(argument[where] for argument in arguments))
    return result


def _gamma_increment(a, x):
    """(f, g) with Gamma(a + x)/Gamma(a) = exp(f)/g for a > 0 and complex x, Re(a + x) > 0 (Stirling at a + 8)."""
    z = a + 8.0
    u, v = 1.0 / (z + x), 1.0 / z
    u_square, v_square, high, low = u * u, v * v, 0.0, 0.0
    for c in reversed(_STIRLING):
        high = high * u_square + c
        low = low * v_square + c
    divisor = 1.0
    for i in range(8):
        divisor = divisor * (1.0 + x * (1.0 / (a + i)))
    return (z - 0.5 + x) * np.log1p(x * v) + x * (np.log(z) - 1.0) + high * u - low * v, divisor


def _zeta_derivative(n, s):
    """The nth derivative of zeta at s > 1: nine terms, and the Euler-Maclaurin formula (DLMF 25.2.8) for the rest."""
    total = sum((-np.log(k)) ** n * np.exp(-s * np.log(k)) for k in range(2, 10))
    # The rest is 10^-s (10/(s - 1) + p(s)): its derivatives by Leibniz' rule.
    p = np.polynomial.Polynomial([0.5])
    rising = np.polynomial.Polynomial([0.0, 1.0])
    for k, c in enumerate(_EULER_MACLAURIN):
        p = p + c * 10.0 ** (-1 - 2 * k) * rising
        rising = rising * np.polynomial.Polynomial.fromroots([-2.0 * k - 1, -2.0 * k - 2])
    for m in range(n + 1):
        inner = 10.0 * (-1.0) ** m * special.factorial(m) / (s - 1.0) ** (m + 1) + p.deriv(m)(s)
        total = total + special.comb(n, m) * (-np.log(10.0)) ** (n - m) * np.exp(-s * np.log(10.0)) * inner
    return total


def _exp_e1_far(z):
    """exp(z) E_1(z) for z >= 50 by its asymptotic series, DLMF 6.12.1."""
    series = 1.0
    for k in range(22, 0, -1):
        series = 1.0 - k / z * series
    return series / z


def _exp_e1(z):
    """exp(z) E_1(z) for z > 0."""
    return _choose(z < 50.0, lambda x: np.exp(x) * special.exp1(x), _exp_e1_far, z)


def _dilog(x):
    """Li_2(x) for x <= 1: sum x^k/k^2 near 0 (DLMF 25.12.1), Spence's function elsewhere."""
    k = np.arange(1.0, 16.0)
    near = np.polynomial.polynomial.polyval(np.where(abs(x) < 0.1, x, 0.0), np.append(0.0, 1.0 / k**2))
    return np.where(abs(x) < 0.1, near, special.spence(1.0 - x))


def _ive(nu, z):
    """exp(-z) I_nu(z); SciPy is ten times faster at the orders 0 and 1."""
    fast = {0: special.i0e, 1: special.i1e}
    return fast[nu](z) if isinstance(nu, int) and nu in fast else special.ive(nu, z)


def _reach(fall, width):
    """A distance at which the exponent has fallen by 40 or more: 40, in a scale that grows from `width`."""
    distance = 6.0 * width
    for _ in range(200):
        short = fall(distance) < 40.0
        if not np.any(short):
            break
        distance = np.where(short, 1.25 * distance, distance)
    return distance


def _mesh(start, stop, width):
    """The nodes of a trapezoidal sum from start to stop, with its step: as fine as an integrand of that width needs.

    An integrand that decays in |Im t| < pi/2 has an error of exp(-pi^2/step) (Trefethen and Weideman, SIAM Review
    56, 2014); one that is a narrower bell, of exp(-2 (pi width/step)^2).
    """
    count = np.max(np.nan_to_num((stop - start) / np.minimum(0.2, 0.42 * width), nan=1.0, posinf=1.0), initial=1.0)
    count = int(min(count, 4000.0)) + 1
    step = (stop - start) / count
    return (start + step * k for k in range(count + 1)), step


def _log_unimodal(exponent, fall, peak, width):
    """log of the integral of exp(exponent(t)) over the real line, for an exponent with one peak.

    `fall(d)` is by how much the exponent at peak + d lies under the peak.
    """
    start = peak - _reach(lambda d: fall(-d), width)
    nodes, step = _mesh(start, peak + _reach(fall, width), width)
    return exponent + np.log(step * sum(np.exp(-fall(t - peak)) for t in nodes))


def _bessel_k_sums(nu, z):
    """log(e^z K_nu(z)) and its derivatives, the first two, by nu > 0 (DLMF 10.32.9, int exp(-z cosh t + nu t) dt/2)."""
    c = np.hypot(nu, z)
    peak, width = np.arcsinh(nu / z), 1.0 / np.sqrt(c)

    def fall(d):
        return 2.0 * c * np.sinh(0.5 * d) ** 2 + nu * (np.sinh(d) - d)

    start = np.maximum(peak - _reach(lambda d: fall(-d), width), 0.0)
    nodes, step = _mesh(start, peak + _reach(fall, width), width)
    norm, moment, square, weight = 0.0, 0.0, 0.0, 0.5
    for t in nodes:
        bell = weight * np.exp(-fall(t - peak))
        both = 1.0 + np.exp(-2.0 * nu * t)
        norm = norm + bell * both
        moment = moment - bell * t * np.expm1(-2.0 * nu * t)
        square = square + bell * t * t * both
        weight = 1.0
    mean = moment / norm
    return nu * peak - nu * nu / (c + z) + np.log(0.5 * step * norm), mean, square / norm - mean * mean


def _log_kve(nu, z):
    """log(e^z K_nu(z)) for z > 0: by SciPy, and by quadrature where that leaves the range of floating point."""
    value = special.kve(nu, z)
    lost = ~((value > 0.0) & (value < np.inf)) & (z > 0.0) & (z < np.inf)
    if not np.any(lost):
        return np.log(value)
    return np.where(lost, _bessel_k_sums(np.where(lost, abs(nu), 1.0), np.where(lost, z, 1.0))[0], np.log(value))


def _bessel_k_order(nu, z):
    """d/dnu log K_nu(z) for z > 0 (DLMF 10.32.9)."""
    return np.sign(nu) * _bessel_k_sums(abs(nu), z)[1]


def _bessel_k_order_slope(nu, z):
    """d^2/dnu^2 log K_nu(z) for z > 0."""
    return _bessel_k_sums(abs(nu), z)[2]


def _log_tricomi_u(a, b, z):
    """log U(a, b, z) for a > 0 and z > 0: DLMF 13.4.4 with t = e^u, by the trapezoidal rule."""
    h = b - 1.0 - z
    root = np.sqrt(h * h + 4.0 * a * z)
    t = np.where(h > 0, (h + root) / (2.0 * z), 2.0 * a / (root - h))  # the peak: a + (b - 1 - z) t = z t^2
    c = b - a - 1.0
    width = 1.0 / np.sqrt(np.maximum(z * t - c * t / (1.0 + t) ** 2, 0.25))

    def fall(d):
        growth = np.expm1(d)
        return z * t * growth - a * d - c * np.log1p(t / (1.0 + t) * growth)

    top = a * np.log(t) - z * t + c * np.log1p(t) - special.gammaln(a)
    return _log_unimodal(top, fall, np.log(t), width)


def _log_parabolic_u(a, z):
    """log(exp(z^2/4) U(a, z)) for a > -1/2: DLMF 12.5.1 with t = e^(u/2), by the trapezoidal rule."""
    s = a + 0.5
    root = np.sqrt(z * z + 4.0 * s)
    t = np.where(z < 0, 0.5 * (root - z), 2.0 * s / (root + z))  # the peak: t^2 + z t = s
    width = 2.0 / np.sqrt(2.0 * t * t + z * t)

    def fall(d):
        growth = np.expm1(0.5 * d)
        return s * (growth - 0.5 * d) + 0.5 * (t * growth) ** 2

    top = s * np.log(t) - 0.5 * t * t - z * t - special.gammaln(s) - np.log(2.0)
    return _log_unimodal(top, fall, 2.0 * np.log(t), width)


def _kummer(a, b, z):
    """M(a, b, z) for b > a > 0; below 0 by Kummer's transformation, DLMF 13.2.39."""
    return np.where(z < 0, np.exp(np.minimum(z, 0.0)) * special.hyp1f1(b - a, b, abs(z)), special.hyp1f1(a, b, abs(z)))


def _gamma_log_moment(a, x):
    """2F2(a, a; a + 1, a + 1; -x) = a^2 int_0^oo u exp(-a u - x e^-u) du for a > 0, with u = e^v."""
    low = np.log(np.maximum(x / a, 1.0))
    high = low + 1.0 + 4.0 / a
    for _ in range(50):  # the peak: u (a - x e^-u) = 2
        u = 0.5 * (low + high)
        left = u * (a - x * np.exp(-u)) < 2.0
        low, high = np.where(left, u, low), np.where(left, high, u)
    bell = x * np.exp(-u)
    width = np.minimum(1.0 / np.sqrt(2.0 + bell * u * u), 0.45 / u)

    def fall(d):
        growth = u * np.expm1(d)
        return a * growth - 2.0 * d + bell * np.expm1(-growth)

    return a * a * np.exp(_log_unimodal(2.0 * np.log(u) - a * u - bell, fall, np.log(u), width))


def _mellin_line(c, triples, residue, weight):
    """The integral of core.mellin with a factor of the integrand, whose residue at 0 is given.

    The line of the Mellin-Barnes integral runs half-way between 0 and the next pole: to the right for the smaller
    c, else to the left, where the residue comes out. With t = sigma sinh(w) along it the poles
    stay pi/2 away, and the trapezoidal rule converges exponentially.
    """
    mean = log_c = np.log(c)
    left, right = -1.0, 1.0
    for a, alpha, e in triples:
        mean = mean + e * alpha * special.digamma(a)
        pole = np.where(e > 0, -a / alpha, np.inf)
        right = np.where((pole > 0) & (pole < right), pole, right)
        left = np.where((pole < 0) & (pole > left), pole, left)
    sigma = 0.5 * np.where(mean > 0, left, right)
    step = np.arcsinh(14.0 / abs(sigma)) / 48
    total = 0.0
    for k in range(49):
        s = sigma * (1.0 + 1j * np.sinh(step * k))
        exponent, divisor = s * log_c, s * np.sin(np.pi * s)
        for a, alpha, e in triples:
            f, g = _gamma_increment(a, alpha * s)
            exponent = exponent + e * f
            divisor = divisor * g if e > 0 else divisor / g
        size = (0.5 if k == 0 else 1.0) * np.cosh(step * k)
        total = total + (np.exp(exponent) / divisor * weight(s)).real * size
    return np.where(mean > 0, residue, 0.0) + total * abs(sigma) * step


def _log1p_mellin(c, *triples):
    """E log(1 + c Y), E[Y^s] = prod_i (Gamma(a_i + alpha_i s)/Gamma(a_i))^e_i with numbers e_i = 1 or -1."""
    triples = list(zip(triples[0::3], triples[1::3], triples[2::3], strict=True))
    residue = np.log(c)
    for a, alpha, e in triples:
        residue = residue + e * alpha * special.digamma(a)
    return _mellin_line(c, triples, residue, lambda s: 1.0)


def _log1p_mellin_slope(n, c, *triples):
    """Its derivative by argument n: by c, a_i or alpha_i."""
    triples = list(zip(triples[0::3], triples[1::3], triples[2::3], strict=True))
    if n == 0:
        return _mellin_line(c, triples, 1.0 / c, lambda s: s / c)
    a, alpha, e = triples[(n - 1) // 3]
    start = special.digamma(a)
    if n % 3 == 1:
        weight = lambda s: e * (special.digamma(a + alpha * s) - start)  # noqa: E731
        return _mellin_line(c, triples, e * alpha * special.zeta(2.0, a), weight)
    return _mellin_line(c, triples, e * start, lambda s: e * s * special.digamma(a + alpha * s))
