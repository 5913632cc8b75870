"""Estimates from data beside closed forms, exact expectations by enumeration, and counts done by hand."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.special import digamma, gammaln
from scipy.stats import differential_entropy

import klsym
from klsym import gaussian, vectors
from klsym.bench import laws
from klsym.core.errors import ParameterError
from klsym.samples import nearest, neighbours
from klsym.samples.counts import METHODS
from klsym.samples.ratios import k3
from klsym.samples.tails import pareto_index

P, Q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])


def tables(p, n):
    """All counts of n outcomes, and their probabilities."""
    for c in itertools.product(range(n + 1), repeat=len(p)):
        if sum(c) == n:
            c = np.array(c)
            yield c, math.exp(gammaln(n + 1) - gammaln(c + 1).sum() + (c * np.log(p)).sum())


def expected(n, m, **options):
    """The expectation of an estimate of kl by enumeration."""
    return sum(
        a * b * float(klsym.estimate_counts(x, y, level=None, **options))
        for x, a in tables(P, n)
        for y, b in tables(Q, m)
    )


def tail(p, first):
    """sum over v >= first of (1 - p)^v/v, what a series for -log p leaves out."""
    v = np.arange(first, 2000)[:, None]
    return np.power(1 - p, v) / v


def test_zhang_has_the_bias_of_a_series_cut_off():
    n, m = 5, 6
    bias = float((P * tail(P, n).sum(0)).sum() - (P * tail(Q, m + 1).sum(0)).sum())
    truth = float((P * np.log(P / Q)).sum())
    assert expected(n, m, method="zhang") == pytest.approx(truth + bias, abs=1e-12)


@pytest.mark.parametrize("method, order", [("plugin", 1), ("miller-madow", 2), ("jackknife", 2), ("zhang", 3)])
def test_bias_of_the_entropy_falls_as_it_should(method, order):
    truth = -float((P * np.log(P)).sum())
    bias = [
        sum(w * float(klsym.estimate_counts(c, method=method, level=None)) for c, w in tables(P, n)) - truth
        for n in (15, 30)
    ]
    assert abs(bias[1]) < abs(bias[0]) * 2.0 ** -(order - 0.35)


def test_jackknife_is_what_leaving_out_gives():
    x, y = [3, 1, 2], [2, 2, 4]

    def plugin(a, b):
        return float(klsym.estimate_counts(a, b, method="plugin", level=None))

    def mean(side):
        total = 0.0
        for i, times in enumerate((x, y)[side]):
            left = [list(x), list(y)]
            left[side][i] -= 1
            total += times * plugin(*left)
        return total / sum((x, y)[side])

    value = plugin(x, y)
    by_hand = value + 5 * (value - mean(0)) + 7 * (value - mean(1))
    assert float(klsym.estimate_counts(x, y, method="jackknife")) == pytest.approx(by_hand, rel=1e-12)


def test_grassberger_of_small_counts():
    # G_1 = -gamma - log 2, G_2 = 2 + G_1, G_3 = G_2 (physics/0307138, equations 30 and 31)
    g1 = -np.euler_gamma - math.log(2)
    by_hand = math.log(6) - (1 * g1 + 2 * (2 + g1) + 3 * (2 + g1)) / 6
    assert float(klsym.estimate_counts([1, 2, 3], method="grassberger")) == pytest.approx(by_hand, rel=1e-13)


def test_dirichlet_is_the_posterior_mean():
    # One outcome seen in either of two categories, uniform prior: E[p log p] with Beta integrals.
    found = klsym.estimate_counts([1, 0], method="dirichlet", prior="laplace")
    assert float(found) == pytest.approx(digamma(4) - (2 * digamma(3) + digamma(2)) / 3)
    low, high = found.interval
    # The law of the entropy there by Monte Carlo, of another generator.
    p = np.random.default_rng(7).beta(2, 1, 200_000)
    h = -(p * np.log(p) + (1 - p) * np.log1p(-p))
    assert np.mean((h > low) & (h < high)) == pytest.approx(0.95, abs=0.02)


def test_information_and_js_of_counts():
    table = np.array([[30, 10], [10, 30]])
    truth = vectors.mutual_information(table / 80)
    found = klsym.estimate_counts(table, quantity="mutual_information", method="plugin", base=2)
    assert float(found) == pytest.approx(truth / math.log(2)) and found.unit == "bits"
    corrected = klsym.estimate_counts(table, quantity="mutual_information")
    assert float(corrected) == pytest.approx(truth - 1 / 160)  # (4 - 2 - 2 + 1)/(2 n)
    apart = klsym.estimate_counts([5, 0], [0, 7], quantity="jensen_shannon", method="plugin")
    assert float(apart) == pytest.approx(math.log(2))


def test_bias_of_js_by_enumeration():
    mixed = (P + Q) / 2
    truth = float((P * np.log(P / mixed)).sum() + (Q * np.log(Q / mixed)).sum()) / 2
    plain, corrected = (
        abs(expected(7, 6, method=m, quantity="jensen_shannon") - truth) for m in ("plugin", "miller-madow")
    )
    assert corrected < plain / 2


def test_zero_counts_say_infinity_and_what_instead():
    found = klsym.estimate_counts([3, 7], [10, 0])
    assert math.isinf(float(found)) and not found.trusted
    assert "never shows" in found.diagnosis and "smooth" in found.alternative
    assert found.to_json()["value"] == "inf" and json.dumps(found.to_json())
    assert math.isfinite(float(klsym.estimate_counts([3, 7], [10, 0], method="dirichlet")))


def test_coverage_of_the_delta_method():
    rng, truth, inside = np.random.default_rng(3), float((P * np.log(P / Q)).sum()), []
    for _ in range(400):
        found = klsym.estimate_counts(rng.multinomial(300, P), rng.multinomial(300, Q))
        inside.append(found.interval[0] <= truth <= found.interval[1])
    assert 0.92 <= np.mean(inside) <= 0.98


@pytest.mark.parametrize("d", [1, 3, 9])
@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize("within", [False, True, "some"])
def test_neighbours_are_those_of_all_distances(d, rounded, within, monkeypatch):
    monkeypatch.setattr(neighbours, "LARGE", 100)
    rng = np.random.default_rng(d)
    points, queries = rng.normal(size=(150, d)), rng.normal(size=(90, d)) * 3
    if rounded:
        points, queries = np.round(points), np.round(queries)
    places = np.arange(0, len(points), 1 if within is True or d == 1 else 4) if within else None
    queries = points[places] if within else queries
    all_of = cdist(queries, points)
    if within:
        all_of[np.arange(len(places)), places] = np.inf
    distances, indices = neighbours.nearest(points, queries, [2, 6, 7], places, 6)
    ordered = np.sort(all_of, axis=1)
    assert distances == pytest.approx(ordered[:, [1, 5, 6]], abs=1e-12)
    assert np.sort(np.take_along_axis(all_of, indices, 1), axis=1) == pytest.approx(ordered[:, :6], abs=1e-12)
    assert all(len(set(row)) == 6 for row in indices)


def test_nearest_neighbours_by_hand():
    # rho = (1, 1, 2, 2) to the others of x, nu = (2, 1, 1, 1/2) to y; Wang, Kulkarni, Verdu (2009), equation 5
    x, y = [0.0, 1.0, 3.0, 5.0], [2.0, -3.0, 5.5]
    by_hand = (math.log(2) + math.log(1) + math.log(1 / 2) + math.log(0.5 / 2)) / 4
    found = klsym.estimate(x, y, k=1, start="flat")
    assert float(found) == pytest.approx(by_hand + digamma(4) - digamma(4), abs=1e-14)


@pytest.mark.parametrize("d, scale", [(1, 2.0), (2, 1.5), (5, 1.5), (20, 1.2)])
def test_kl_of_normals(d, scale):
    rng = np.random.default_rng(d)
    x, y = rng.normal(size=(1000, d)), scale * rng.normal(size=(1000, d))
    truth = d * float(klsym.kl(klsym.Normal(0, 1), klsym.Normal(0, scale)))
    found = klsym.estimate(x, y)
    assert abs(float(found) - truth) < 4 * found.standard_error
    if found.interval is None:
        assert "no interval" in found.diagnosis


def rms(of, truth, repeats):
    return math.sqrt(np.mean([(float(of(np.random.default_rng(seed))) - truth) ** 2 for seed in range(repeats)]))


# Laws by which no threshold was chosen, and how much nearer than the k nearest alone the estimate comes at least.
FAR_FROM_NORMAL = [
    ("kl, gamma", 10, 0.6),
    ("kl, logistic", 20, 0.6),
    ("kl, student 3, round", 10, 0.3),
    ("kl, weibull", 10, 0.6),
    ("kl, parabolas", 20, 0.4),
]


@pytest.mark.parametrize("name, d, share", FAR_FROM_NORMAL)
def test_maps_make_laws_nearer_to_normal(name, d, share):
    case = laws.CASES[name]
    assert case.held
    found, flat = (
        rms(lambda rng: klsym.estimate(*case.draw(rng, 100, d), level=None, start=start), case.truth(d), 12)  # noqa: B023
        for start in ("auto", "flat")
    )
    assert found < share * flat


def test_a_map_of_both_samples_is_no_part_of_the_divergence():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 3)), 1.5 * rng.normal(size=(300, 3))
    before, after = klsym.estimate(x, y), klsym.estimate(np.exp(2 * x), np.exp(2 * y))
    assert float(after) == pytest.approx(float(before), abs=0.5 * before.standard_error)
    assert "normal scores" in after.diagnosis and "normal scores" not in before.diagnosis


@pytest.mark.parametrize("d", [2, 5])
def test_the_slope_of_a_map_is_part_of_the_entropy(d):
    x = np.random.default_rng(0).normal(size=(2000, d))
    found, truth = klsym.estimate(np.exp(x)), d * math.log(2 * math.pi * math.e) / 2
    assert "normal scores" in found.diagnosis and abs(float(found) - truth) < 4 * found.standard_error < 0.5


def test_margins_with_two_modes_have_a_map_of_their_own():
    case = laws.CASES["kl, two modes"]
    x, y = case.draw(np.random.default_rng(0), 1000, 20)
    found = klsym.estimate(x, y)
    assert "own margins of 1 columns of x" in found.diagnosis
    assert abs(float(found) - case.truth(20)) < 0.15 < abs(float(klsym.estimate(x, y, start="normal")) - case.truth(20))


def test_of_many_outcomes_some_ask_and_a_normal_law_guesses_the_rest(monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2000, 5)), 1.5 * rng.normal(size=(2000, 5))
    whole = klsym.estimate(x, y)
    monkeypatch.setattr(nearest, "MOST", 300)
    some, alone = klsym.estimate(x, y, k=10), klsym.estimate(x[:300], y, k=10)
    assert float(some) != float(whole) and abs(float(some) - float(whole)) < 2 * whole.standard_error
    # Far less than of 300 outcomes alone, as what they differ by the normal laws know.
    assert whole.standard_error < some.standard_error < 0.8 * alone.standard_error


def test_spacings_of_a_flat_density_have_no_bias():
    found = [float(klsym.estimate(np.random.default_rng(seed).random(40))) for seed in range(400)]
    # At the ends a spacing leaves out what lies beyond the outcome: less than 1/n of the whole.
    assert abs(np.mean(found)) < 4 * np.std(found) / 20


@pytest.mark.parametrize("name", ["entropy, gumbel", "entropy, beta", "entropy, logistic"])
@pytest.mark.parametrize("n", [20, 100, 2000])
def test_spacings_beside_scipy(name, n):
    case = laws.CASES[name]
    found, theirs = (
        rms(lambda rng: of(case.draw(rng, n, 1)[0]), case.truth(1), 100)  # noqa: B023
        for of in (klsym.estimate, lambda x: differential_entropy(x[:, 0]))
    )
    assert case.held and found < theirs


def test_interval_of_spacings_covers():
    truth, inside = 1 + np.euler_gamma, []
    for seed in range(300):
        found = klsym.estimate(np.random.default_rng(seed).gumbel(size=600))
        if found.interval:
            inside.append(found.interval[0] <= truth <= found.interval[1])
    assert len(inside) > 200 and 0.92 <= np.mean(inside) <= 0.98


def test_interval_in_a_plane_covers():
    case, inside = laws.CASES["kl, gumbel"], []
    for seed in range(40):
        found = klsym.estimate(*case.draw(np.random.default_rng(seed), 1000, 2))
        if found.interval:
            inside.append(found.interval[0] <= case.truth(2) <= found.interval[1])
    assert len(inside) > 20 and np.mean(inside) > 0.9


def test_entropy_of_a_sample():
    x = np.random.default_rng(0).exponential(size=5000)
    found = klsym.estimate(x)
    assert abs(float(found) - 1) < 4 * found.standard_error and found.quantity == "entropy"


def test_interval_of_neighbours_covers():
    rng, inside = np.random.default_rng(1), []
    truth = math.log(2) - 3 / 8
    for _ in range(150):
        found = klsym.estimate(rng.normal(size=400), 2 * rng.normal(size=400))
        if found.interval:
            inside.append(found.interval[0] <= truth <= found.interval[1])
    assert len(inside) > 75 and np.mean(inside) >= 0.92


def test_atoms_and_ties():
    # Two atoms of shares (3/4, 1/4) and (1/2, 1/2) among numbers: counts take over.
    rng = np.random.default_rng(0)
    x, y = (rng.random(4000) < 0.25).astype(float), (rng.random(4000) < 0.5).astype(float)
    found = klsym.estimate(x, y, method="nearest")
    truth = float(klsym.kl([0.75, 0.25], [0.5, 0.5]))
    assert abs(float(found) - truth) < 0.03 and "by counts" in found.diagnosis
    alone = klsym.estimate(x, rng.normal(size=4000), method="nearest")
    assert math.isinf(float(alone)) and "atom" in alone.diagnosis and not alone.trusted


@pytest.mark.parametrize("method", ["ksg1", "ksg2"])
def test_information_of_a_normal_pair(method):
    rng = np.random.default_rng(0)
    x = rng.normal(size=3000)
    y = 0.6 * x + 0.8 * rng.normal(size=3000)
    found = klsym.estimate(x, y, quantity="mutual_information", method=method)
    truth = gaussian.mutual_information([[1, 0.6], [0.6, 1]], 0, 1)
    assert found.interval[0] < truth < found.interval[1]


def test_information_of_duplicates_is_that_of_their_table():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 3, 3000)
    y = np.where(rng.random(3000) < 0.5, x, rng.integers(0, 3, 3000))
    by_counts = klsym.estimate(x, y, quantity="mutual_information")
    by_neighbours = klsym.estimate(x.astype(float), y, quantity="mutual_information", method="ksg1")
    assert by_counts.method == "miller-madow"
    assert float(by_neighbours) == pytest.approx(float(by_counts), abs=0.003)


def test_k3_in_float32_beside_high_precision():
    l = np.float32([0, 1e-30, -1e-19, 3e-7, -0.4999, 0.5001, 5, -80])  # noqa: E741
    import mpmath as mp

    with mp.workdps(120):
        exact = np.array([float(mp.expm1(mp.mpf(float(v))) - mp.mpf(float(v))) for v in l])
    found = k3(l)
    assert found.dtype == np.float32 and (found >= 0).all()
    normal = exact > 1e-37
    assert np.abs(found[normal] / exact[normal] - 1).max() < 4e-7


@pytest.mark.parametrize("method", ["k1", "k2", "k3"])
def test_log_ratios_estimate_what_they_say(method):
    rng, shift = np.random.default_rng(0), 0.3
    x = rng.normal(size=50_000)
    found = klsym.estimate_log_ratios(shift * x - shift**2 / 2, method=method)
    kl = shift**2 / 2
    mean = {"k1": kl, "k2": (shift**2 + shift**4 / 4) / 2, "k3": kl}[method]
    variance = {"k1": shift**2, "k2": (2 * shift**4 + shift**6) / 4, "k3": math.exp(shift**2) - 1 - shift**2}[method]
    assert abs(float(found) - mean) < 4 * found.standard_error
    assert found.standard_error**2 * 50_000 == pytest.approx(variance, rel=0.1)
    assert found.trusted == (method != "k2")


def test_weights_make_other_draws_do():
    rng = np.random.default_rng(0)
    r = 1.5 * rng.normal(size=50_000)
    weights = np.exp(-r * r / 2 + r * r / 4.5)
    found = klsym.estimate_log_ratios(0.3 * r - 0.045, method="k1", weights=7 * weights)
    assert abs(float(found) - 0.045) < 4 * found.standard_error < 0.02


def test_a_tail_without_variance_is_said():
    # q is wider than p twice over: exp(l) has the tail of p/r at draws from r, of index above a half.
    rng = np.random.default_rng(0)
    x = rng.standard_cauchy(20_000)
    found = klsym.estimate_log_ratios(-np.abs(x), method="k1")
    assert not found.trusted and "variance may not exist" in found.diagnosis + "".join(
        ["variance may not exist"] * ("mean may not exist" in found.diagnosis)
    )
    assert found.interval is None


@pytest.mark.parametrize("k", [0.2, 0.7, 1.2])
def test_pareto_index_of_pareto_draws(k):
    u = np.random.default_rng(0).random(4000)
    assert pareto_index((u**-k - 1) / k) == pytest.approx(k, abs=0.08)


def test_chunks_and_merging_are_as_good_as_all_at_once(tmp_path):
    rng = np.random.default_rng(0)
    l, w = rng.normal(size=30_000) - 1e3, rng.random(30_000)  # noqa: E741
    whole = klsym.estimate_log_ratios(l, method="k1", weights=w)
    np.save(tmp_path / "l.npy", l)
    mapped = np.load(tmp_path / "l.npy", mmap_mode="r")
    streams = [klsym.LogRatios("k1") for _ in range(3)]
    for i in range(0, 30_000, 1000):
        streams[i % 3].update(mapped[i : i + 1000], w[i : i + 1000])
    for other in streams[1:]:
        streams[0].merge(other)
    merged = streams[0].result()
    assert float(merged) == pytest.approx(float(whole), rel=1e-14)
    assert merged.standard_error == pytest.approx(whole.standard_error, rel=1e-10)
    by_hand = math.sqrt((w**2 * (-l - (w * -l).sum() / w.sum()) ** 2).sum()) / w.sum()
    assert merged.standard_error == pytest.approx(by_hand, rel=1e-4)
    assert merged.diagnosis == whole.diagnosis


def test_counts_of_streams_merge():
    one, two = klsym.Tally(), klsym.Tally()
    one.update(["a", "b"], ["a", "b", "b"])
    two.update([], ["a"])
    two.update(["b", "b"])
    one.merge(two)
    assert float(one.result(method="plugin")) == pytest.approx(float(klsym.kl([0.25, 0.75], [0.5, 0.5])))


def test_smoothing_of_words_is_kneser_and_neys():
    # Bigrams "a b" twice, "a c" once, "b c" once, D = 1/2: worked by hand.
    counts = np.zeros((3, 3))
    counts[0, 1], counts[0, 2], counts[1, 2] = 2, 1, 1
    p = klsym.smooth(counts, "kneser-ney", strength=0.5)
    # Contexts each word follows: a 0, b 1, c 2; less 1/2 each, and what that leaves, 1/3, spread over three words.
    shorter = np.array([0, 0.5, 1.5]) / 3 + (1 / 3) / 3
    assert p[0] == pytest.approx((np.array([0, 1.5, 0.5]) + 1.0 * shorter) / 3)
    assert p[2] == pytest.approx(shorter)
    assert p.sum(axis=-1) == pytest.approx(np.ones(3))


def test_noise_lowers_the_divergence():
    p, q = [40, 0, 3, 9], [1, 20, 10, 9]
    before = float(klsym.kl(p, [c + 1e-9 for c in q], normalize=True))
    moved = [float(klsym.kl(*(klsym.smooth(c, "noise", strength=s) for c in (p, q)))) for s in (0.3, 1, 3)]
    assert before > moved[0] > moved[1] > moved[2] > 0
    assert klsym.smooth([1, 2, 3], "noise", strength=1e-3) == pytest.approx(np.array([1, 2, 3]) / 6)
    (middle,) = np.eye(61)[[30]]
    spread = klsym.smooth(middle, "noise", strength=1)
    assert (spread > 0).all() and (spread == spread[::-1]).all()


ONE = np.arange(50.0)
BAD = {
    "empty": (lambda: klsym.estimate([], []), "0 outcomes|type"),
    "one outcome": (lambda: klsym.estimate([1.5], [2.5]), "needs at least 3"),
    "nan": (lambda: klsym.estimate([1.0, math.nan, 2.0], ONE), "row 1, column 0"),
    "infinite": (lambda: klsym.estimate(ONE, [1.0, math.inf, 2.0]), "y has inf"),
    "dimensions": (lambda: klsym.estimate(np.ones((9, 2)) * ONE[:9, None], np.ones((9, 3))), "2 columns and y has 3"),
    "constant": (lambda: klsym.estimate(np.full(50, 2.5), ONE), "constant in column 0"),
    "in a plane": (lambda: klsym.estimate(np.c_[ONE, ONE, ONE], np.c_[ONE, ONE, ONE]), "linear function"),
    "ragged": (lambda: klsym.estimate([[1.0], [1.0, 2.0]], ONE), "ragged"),
    "large k": (lambda: klsym.estimate(ONE, ONE[:6] + 0.5, k=9), "smaller k"),
    "not pairs": (lambda: klsym.estimate(ONE, ONE[1:], quantity="mutual_information"), "pairs"),
    "constant pair": (lambda: klsym.estimate(ONE, 0 * ONE, quantity="mutual_information"), "constant"),
    "near name": (lambda: klsym.estimate(ONE, ONE, method="neerest"), "did you mean 'nearest'"),
    "option": (lambda: klsym.estimate(ONE, ONE, corection="zhang"), "no such option"),
    "no counts": (lambda: klsym.estimate_counts([0, 0], [1, 2]), "0 outcomes in all"),
    "fractions": (lambda: klsym.estimate_counts([0.5, 0.5], [1, 2]), "whole numbers"),
    "negative": (lambda: klsym.estimate_counts([-1, 2], [1, 2]), r"p\[0\] is -1"),
    "shapes": (lambda: klsym.estimate_counts([1, 2, 3], [1, 2]), "one place in both"),
    "weights": (lambda: klsym.estimate_log_ratios([0.1, 0.2], weights=[0, 0]), "sum to 0"),
    "negative weight": (lambda: klsym.estimate_log_ratios([0.1, 0.2], weights=[1, -1]), "negative"),
    "no draws": (lambda: klsym.estimate_log_ratios(np.empty(0)), "empty"),
    "nan ratio": (lambda: klsym.estimate_log_ratios([math.nan]), "NaN"),
    "level": (lambda: klsym.estimate(ONE, ONE + 0.5, level=95), "between 0 and 1"),
    "base": (lambda: klsym.estimate(ONE, ONE + 0.5, base=1), "base is 1"),
    "jackknife": (lambda: klsym.estimate_counts([5, 5], [9, 1], method="jackknife"), "seen once"),
    "smooth nothing": (lambda: klsym.smooth([0, 0]), "nothing to smooth"),
    "strength": (lambda: klsym.smooth([1, 0], "label", strength=2), "at most 1"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_says_what_why_and_what_next(name):
    call, says = BAD[name]
    with pytest.raises(ParameterError, match=says):
        call()


def test_one_draw_has_no_standard_error():
    found = klsym.estimate_log_ratios([-0.5], method="k1")
    assert float(found) == 0.5 and found.standard_error is None and found.interval is None


def test_draws_outside_the_support_of_q():
    found = klsym.estimate_log_ratios([-0.5, -math.inf, 0.1])
    assert math.isinf(float(found)) and "Q has no density" in found.diagnosis and not found.trusted


def test_every_answer_is_one_line_and_plain_data():
    for method in METHODS:
        found = klsym.estimate_counts([30, 20, 50], [20, 40, 40], method=method, base=10)
        assert "\n" not in str(found) and "dits" in str(found)
        assert json.loads(json.dumps(found.to_json()))["value"] == float(found)


def test_words_are_counted_and_the_choice_is_said():
    found = klsym.estimate(["a", "b", "a", "a"], ["a", "b", "b", "a"])
    assert "counts" in found.chosen and float(klsym.estimate([0.5, 1.5, 4.0] * 3, np.arange(9) + 0.25)) is not None


def test_log_ratios_beyond_the_doubles():
    """exp(1000) is no double: that is not said to be a place without density of Q."""
    found = klsym.estimate_log_ratios([1000.0, 1.0, -2.0])
    assert found.value == math.inf and "so large that the terms of k3 are no numbers" in found.diagnosis
    assert "k1" in found.alternative
    halves = klsym.LogRatios("k3"), klsym.LogRatios("k3")
    halves[0].update([1.0, -2.0])
    halves[1].update([1000.0])
    halves[0].merge(halves[1])
    assert "1 of 3 log ratios" in halves[0].result().diagnosis
    assert klsym.estimate_log_ratios([1000.0, 1.0, -2.0], method="k1").value == -333
