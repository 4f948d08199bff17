"""The closed list of traits, its types, and its probes say the same."""

import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from shared.lab.experiment import Observation
from shared.lab.probes import PROBES
from shared.lab.probes_ending import ENDING_PROBES, HOMELESS_PROBES
from shared.lab.probes_stack import STACK_PROBES
from shared.lab.traits import Shown, by_default, declared, own_doing, strange, wrong
from shared.lab.variants import EXAMPLES, Variant, groups, named
from shared.lesson.character import TRAITS, Character
from tests.stacks.experiments import MINIMAL

ALL = [*groups(), *groups(home=EXAMPLES)]


def test_every_trait_is_typed_and_measured() -> None:
    """Each key has its values in the types, in the same order, and a probe that measures it."""
    types = get_type_hints(Character)
    assert {key: get_args(kind) for key, kind in types.items()} == {key: tuple(trait.values) for key, trait in TRAITS.items()}
    probes = [*PROBES, *STACK_PROBES, *ENDING_PROBES, *HOMELESS_PROBES]
    assert sorted(probes) == sorted(TRAITS)


def test_every_source_is_a_link() -> None:
    """What a value's sources hold can be opened in a browser, and nothing else."""
    links = [link for trait in TRAITS.values() for value in trait.values.values() for link in value.sources.values()]
    assert links
    assert all(re.fullmatch(r"https://[\w.-]+/[\w./#-]+", link) for link in links)


@pytest.mark.parametrize("name", ALL)
def test_every_variant_declares_every_trait(name: str) -> None:
    """A declaration is read without importing it, and is complete."""
    assert declared(named(name)[0]).keys() == TRAITS.keys()


@pytest.mark.parametrize("name", ALL)
def test_every_default_is_one_of_the_values_and_another_than_declared(name: str) -> None:
    """What a stack does by default is stated only where the variant does otherwise."""
    variant = named(name)[0]
    assert all(value in TRAITS[key].values and value != declared(variant)[key] for key, value in by_default(variant).items())


@pytest.mark.parametrize("name", ALL)
def test_every_stack_has_a_minimal_application(name: str) -> None:
    """Without one, nothing would tell what the stack does from what the variant's code does."""
    assert (MINIMAL / "variants" / name / "serve.py").is_file()


def test_a_wrong_statement_is_said(tmp_path: Path) -> None:
    """An unknown key, an unknown value and one that was not seen are each named; a right one is not."""
    variant = Variant("mine", "asyncio", "mine", tmp_path)
    variant.folder.mkdir(parents=True)
    file = variant.folder / "character.py"
    file.write_text("CHARACTER: object = {'gather': 'perhaps', 'taste': 'sweet', 'head': 'refused'}", encoding="utf-8")
    shown = Shown("answered", "HEAD was answered 200", Observation([]))
    assert "taste is declared" in strange(variant)[0].sentence
    assert "gather is declared as 'perhaps'" in strange(variant, "gather")[0].sentence
    assert "'nothing'" in strange(variant, "docs")[0].sentence
    assert "HEAD was answered 200" in wrong(variant, "head", shown)[0].sentence
    assert not strange(variant, "head")
    assert "without our code, with nothing switched on, HEAD was answered 200" in own_doing("head", "refused", shown)[0].sentence
    assert not own_doing("head", "answered", shown, switched=True)
    assert not wrong(variant, "head", Shown("refused", "", Observation([])))
