"""The benchmark runs, with and without peers, and the formulas of the peers are the divergences that klsym derives."""

from __future__ import annotations

import importlib.util
import json
import math

import numpy as np
import pytest
from scipy.stats import multivariate_t

from klsym import kl
from klsym.bench import divergences, laws, peers, run, samples, tensors
from klsym.cli import main
from klsym.families import catalog


@pytest.mark.parametrize("family", run.TARGETS)
def test_textbook_formulas_are_the_divergence(family):
    arrays = run.columns(family, 20, near=False)
    expected = kl(catalog[family], catalog[family]).compile("numpy")(*arrays)
    for peer in (peers.numpy, peers.scipy):
        call = peer(family, arrays)
        if call is not None:
            with np.errstate(over="ignore"):
                assert call() == pytest.approx(expected, rel=1e-8)


@pytest.mark.peers
@pytest.mark.parametrize("family", run.TARGETS)
@pytest.mark.parametrize("peer", ["torch", "numpyro"])
def test_peers_agree(family, peer):
    pytest.importorskip(peer)
    arrays = run.columns(family, 20, near=False)
    expected = kl(catalog[family], catalog[family]).compile("numpy")(*arrays)
    # The same divergence, not the same digits: jax.scipy.special.betaln is off by 1e-9, and Beta's terms cancel.
    assert np.asarray(getattr(peers, peer)(family, arrays)()) == pytest.approx(expected, rel=1e-5)


def test_runs_without_peers(monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr(peers, "find_spec", lambda name: None if name in ("torch", "numpyro") else find(name))
    monkeypatch.setattr(run, "TARGETS", {"Exponential": 1.0, "Normal": 1.0})
    assert main(["bench", "--count", "1000", "--repeats", "1", "--brief"]) == 0
    text = capsys.readouterr().out
    assert "Not installed, so left out: torch, numpyro jit" in text and "klsym numpy" in text


def test_json(monkeypatch, capsys):
    monkeypatch.setattr(run, "TARGETS", {"Exponential": 1.0})
    monkeypatch.setattr(peers, "PEERS", {"NumPy": peers.PEERS["NumPy"]})
    assert main(["bench", "--count", "1000", "--repeats", "1", "--brief", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [race["near"] for race in document["races"]] == [False, True]
    assert all(ns > 0 for race in document["races"] for ns in race["ns"].values())


SLICE = ("kl", "renyi 1/2", "hellinger", "entropy", "wasserstein")


def divergence_rows(only=SLICE):
    return list(divergences.rows(1, only))


def test_divergences_beside_their_definitions():
    found = [row for row in divergence_rows() if row["library"] in ("klsym", "scipy")]
    assert {row["input"] for row in found} == {"everyday", "near", "zeros", "samples"}
    assert max(row["error"] for row in found if row["library"] == "klsym") <= 4
    lost = [row for row in found if row["error"] > 1e5]
    assert [(row["call"], row["input"]) for row in lost] == [("scipy.stats.entropy", "near")]
    assert "klsym: 13 of 13 values within 16 eps" in divergences.text(found)


def test_vectors_sum_to_one_and_have_samples():
    for given in divergences.inputs():
        assert [math.fsum(side) for side in (given.p, given.q)] == [1, 1]
        samples = given.samples()
        if given.name != "near":
            assert (np.bincount(samples[0], minlength=len(given.p)) / len(samples[0]) == given.p).all()
    assert samples is not None


def test_transport_beside_scipy():
    found = divergence_rows(("wasserstein of laws", "wasserstein"))
    assert {"klsym", "scipy"} <= {row["library"] for row in found}
    assert max(row["error"] for row in found) <= 16


@pytest.mark.peers
def test_divergences_of_other_libraries():
    pytest.importorskip("dit")
    pytest.importorskip("divergence")
    found = [row for row in divergence_rows() if row["value"] is not None and row["input"] != "near"]
    assert {row["library"] for row in found} == set(divergences.LIBRARIES)
    assert all(row["error"] <= 16 and row["ns"] > 0 for row in found)
    text = divergences.text(divergence_rows(("kl",)))
    assert "takes samples; none have these frequencies" in text and "dit.divergences.pmf.relative_entropy" in text


def test_command_of_divergences(monkeypatch, capsys):
    monkeypatch.setattr(divergences, "FUNCTIONS", {"kl": divergences.FUNCTIONS["kl"]})
    assert main(["bench", "--divergences", "--repeats", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {row["function"] for row in rows} == {"kl", "wasserstein"}


STACKS = [pytest.param(n, marks=[pytest.mark.peers] * (n != "c")) for n in tensors.STACKS]


@pytest.mark.parametrize("stack", STACKS)
def test_stacks_and_their_like_compute_the_same(stack):
    if not tensors.STACKS[stack].present:
        pytest.skip("not installed")
    ours, theirs = (
        np.asarray(call())
        for name, call in tensors.STACKS[stack].calls("Normal", run.columns("Normal", 20, near=False), False).items()
        if name != "klsym pure"
    )
    assert ours == pytest.approx(theirs, rel=1e-9)
    row = tensors.race(stack, "Exponential", False, 100, 1)
    assert row["ratio"] == pytest.approx(row["ns"][tensors.STACKS[stack].beside] / row["ns"]["klsym"])


def test_near_parameters_are_near():
    p, q = run.columns("Exponential", 100, near=True)
    assert (np.abs(q / p - 1) <= 1.1e-8).all() and (p != q).any()


def test_samples(capsys):
    command = ["bench", "--samples", "--dimensions", "1", "--sizes", "30", "--repeats", "2", "--json"]
    assert main(command) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {row["case"] for row in rows} == {name for name, case in samples.CASES.items() if 1 in case.dimensions}
    # The truths, from other formulas.
    truths = {row["case"]: row["truth"] for row in rows}
    assert truths["kl, exponential, wider"] == pytest.approx(np.log(1.5) + 1 / 1.5 - 1)
    assert truths["entropy, normal"] == pytest.approx(np.log(2 * np.pi * np.e) / 2)
    assert truths["kl, normal, wider"] == pytest.approx(np.log(1.5) + 1 / 4.5 - 0.5)
    for row in rows:
        assert all(len(values) == 2 for values in row["values"].values())
        assert row["values"]["klsym"] == row["values"]["klsym, number alone"]
    assert "covers" in samples.text(rows, 2)


@pytest.mark.parametrize("name, nu, scale", [("kl, student 5, round", 5, 1.4), ("kl, student 3, round", 3, 1.5)])
def test_truth_of_round_students(name, nu, scale):
    (x, _), zero = laws.CASES[name].draw(np.random.default_rng(0), 100_000, 2), np.zeros(2)
    p, q = (multivariate_t(zero, s**2 * np.eye(2), nu).logpdf(x) for s in (1, scale))
    assert abs(laws.CASES[name].truth(2) - (p - q).mean()) < 3 * (p - q).std() / 316 < 0.01


@pytest.mark.parametrize("d", [2, 5])
def test_truth_of_correlated_normals(d):
    matrix = 0.7 ** np.abs(np.subtract.outer(np.arange(d), np.arange(d)))
    assert samples.CASES["kl, normal, correlated"].truth(d) == pytest.approx(-np.linalg.slogdet(matrix)[1] / 2)
