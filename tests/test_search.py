"""The kept choices: each makes a form that is the closed form, and is what the search finds."""

import json
from pathlib import Path

import pytest

from klsym import kl
from klsym.families import catalog
from klsym.lower import lower, search, structure

CHOICES = Path(search.__file__).with_name("choices.json")


@pytest.fixture
def seen(monkeypatch):
    """seen(family) lowers its KL and gives each closed form met: (name, shape, value, choice, form)."""

    def run(family, kept):
        found, one = [], search.best

        def best(value, pairs, ends, errors):
            key = search.shape_key(value, pairs, ends)
            choice = search.chosen().get(key) if kept else search.search(value, pairs, ends, errors)
            form = None if choice is None else search.form(choice, value, pairs, ends)
            found.append((f"{family.name}", key, value, choice, form))
            return form if not kept else one(value, pairs, ends, errors)

        monkeypatch.setattr("klsym.lower.closed.best", best)
        derivation = kl(family, family).derivation
        if any(case.kind == "closed" for case in derivation.cases):
            lower(derivation)
        return found

    return run


@pytest.mark.parametrize("family", catalog.values(), ids=lambda family: family.name)
def test_a_kept_choice_makes_the_closed_form(family, seen):
    for _, key, value, _, form in seen(family, kept=True):
        assert key in search.chosen(), "run pytest tests/test_search.py -m slow --update-golden"
        assert form is None or structure.vanishes(form.sum - value)


@pytest.mark.slow
def test_choices_are_what_the_search_finds(seen, request):
    found = {key: (name, choice) for family in catalog.values() for name, key, _, choice, _ in seen(family, False)}
    rows = [
        json.dumps({"shape": key, "for": name, "choice": choice}, separators=(", ", ": "))
        for key, (name, choice) in sorted(found.items(), key=lambda item: item[1][0])
    ]
    text = "[\n" + ",\n".join(rows) + "\n]\n"
    if request.config.getoption("--update-golden"):
        CHOICES.write_text(text, encoding="utf-8")
    assert text == CHOICES.read_text(encoding="utf-8")
