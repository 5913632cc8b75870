"""What is generated runs where klsym is not, checks itself, and gives the values of `exact`."""

# pyright: basic
from __future__ import annotations

import re
import shutil
from collections import Counter
from importlib.util import find_spec

import pytest
import round_trip

needs = {"c": shutil.which("cc"), "numba": find_spec("numba"), "array_api": find_spec("array_api_compat")}
TARGETS = [target for target in ("numpy", "numba", "c", "array_api") if needs.get(target, True)]


def checked(targets, count, seed, folder):
    drawn = round_trip.draw(targets, count, seed, folder)
    assert Counter(file.target for file in drawn.files).keys() == set(targets)
    for target, pair, why in drawn.refused:
        assert target in ("numba", "c", "torch", "jax"), (target, pair, why)
        assert re.search(r"(it has|there is) no \w+", why), (target, pair, why)
    found = round_trip.returned(drawn.files)
    assert not [f"{f.file.target} {f.file.pair}: {f.error}" for f in found if f.error]
    return drawn, found


def test_files_without_other_libraries(tmp_path):
    checked(TARGETS, len(TARGETS), 1, tmp_path)


@pytest.mark.peers
def test_files_of_torch_and_jax(tmp_path):
    pytest.importorskip("torch"), pytest.importorskip("jax")
    checked(["torch", "jax"], 4, 1, tmp_path)


@pytest.mark.peers
@pytest.mark.slow
def test_two_hundred_files(tmp_path):
    targets = [*TARGETS, "torch", "jax"]
    checked(targets, 200, 0, tmp_path)
