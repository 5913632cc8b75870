"""The kept choices: each makes a form that is the closed form, and is what the search finds."""

import json
from itertools import permutations
from pathlib import Path

import pytest

from klsym import kl, renyi
from klsym.common import generals
from klsym.core.domain import Domain
from klsym.families import array_catalog, catalog
from klsym.lower import lower, search, structure

JOINTS = [f for f in array_catalog().values() if f.factors and all(isinstance(p.domain, Domain) for p in f.parameters)]
CHOICES = Path(search.__file__).with_name("choices.json")


# Families whose members between two are of no use, for which a form of the integral is kept, for every order at once.
ORDERED = ("Beta", "Geometric", "Gompertz", "Laplace", "LogitNormal", "Pareto", "VonMises")


class Every:
    """It has every shape."""

    def __contains__(self, _):
        return True


def of_any_order(p, q):
    return renyi(p, q, "alpha")


@pytest.fixture
def seen(monkeypatch):
    """seen(p, q) lowers their divergence and gives each closed form met: (name, shape, value, choice, form)."""
    searched = {}

    def run(p, q, kept, divergence=kl):
        found, one = [], search.best
        derivation = divergence(p, q).derivation
        wholes = generals(derivation)
        if not any(case.kind == "closed" for case in derivation.cases) or (p != q and not wholes):
            return found
        name = p.name if p == q else wholes[0][0].p.family.name

        def best(value, pairs, ends, errors):
            key = search.shape_key(value, pairs, ends)
            if kept:
                choice = search.chosen().get(key)
            elif key in searched:
                choice = searched[key]
            else:
                choice = searched[key] = search.search(value, pairs, ends, errors)
            form = None if choice is None else search.form(choice, value, pairs, ends)
            found.append((name, key, value, choice, form))
            return form if not kept else one(value, pairs, ends, errors)

        monkeypatch.setattr("klsym.lower.closed.best", best)
        if not kept:
            monkeypatch.setattr("klsym.lower.closed.chosen", Every)
        lower(derivation, generals=wholes)
        return found

    return run


@pytest.mark.parametrize("family", [*catalog.values(), *JOINTS], ids=lambda family: family.name)
def test_a_kept_choice_makes_the_closed_form(family, seen):
    checked = set()
    for other in [family] if family in JOINTS else catalog.values():
        for _, key, value, _, form in seen(family, other, kept=True):
            assert key in search.chosen(), "run pytest tests/test_search.py -m slow --update-golden"
            assert form is None or key in checked or structure.vanishes(form.sum - value)
            checked.add(key)


@pytest.mark.parametrize("name", ORDERED[::4])
def test_a_kept_choice_makes_the_integral(name, seen):
    found = seen(catalog[name], catalog[name], kept=True, divergence=of_any_order)
    assert found
    for _, key, value, _, form in found:
        assert key in search.chosen() and form is not None
        assert structure.vanishes(form.sum - value)


@pytest.mark.slow
def test_choices_are_what_the_search_finds(seen, request):
    found = {}
    for p, q in [*permutations(catalog.values(), 2), *((p, p) for p in [*catalog.values(), *JOINTS])]:
        found |= {key: (name, choice) for name, key, _, choice, _ in seen(p, q, kept=False)}
    for name in ORDERED:
        found |= {
            k: (n, c) for n, k, _, c, _ in seen(catalog[name], catalog[name], kept=False, divergence=of_any_order)
        }
    rows = [
        json.dumps({"shape": key, "for": name, "choice": choice}, separators=(", ", ": "))
        for key, (name, choice) in sorted(found.items(), key=lambda item: item[1][0])
    ]
    text = "[\n" + ",\n".join(rows) + "\n]\n"
    if request.config.getoption("--update-golden"):
        CHOICES.write_text(text, encoding="utf-8")
    assert text == CHOICES.read_text(encoding="utf-8")
