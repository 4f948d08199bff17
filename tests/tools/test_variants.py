"""A variant is found by its name, wherever it stands, and says how it is imported and what its folder is called."""

from pathlib import Path

import pytest

from shared.lab.variants import COMPARED, EXAMPLES, ROOT, VariantError, groups, missing, named


@pytest.mark.parametrize("home", [COMPARED, EXAMPLES])
def test_a_variant_is_found_by_its_name(home: str) -> None:
    """Each variant with a group stands where its place says, in the package of that name."""
    assert groups(home=home)
    for name in groups(home=home):
        variant = named(name)[0]
        assert (variant.label, variant.place) == (name, f"{home}/{name}")
        assert variant.folder == ROOT / variant.place
        assert variant.package == variant.place.replace("/", ".")


def test_an_example_is_not_compared() -> None:
    """What stands among the examples is run when it is named, and is in no table of the four."""
    assert not groups().keys() & groups(home=EXAMPLES).keys()


@pytest.mark.parametrize("path", ["fastapi_asyncio/", f"{ROOT}/variants/fastapi_asyncio", "../variants/fastapi_asyncio"])
def test_a_path_is_no_name(path: str) -> None:
    """A path may lead to a variant's folder, and yet nothing could be imported by it."""
    with pytest.raises(VariantError, match="There is no variant"):
        named(path)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    """Without such a folder there is no variant; and a package that is not installed is named, for an example as well."""
    with pytest.raises(VariantError, match="There is no variant nobody"):
        named("nobody")
    folder = tmp_path / EXAMPLES / "mine"
    folder.mkdir(parents=True)
    (folder / "serve.py").write_text("", encoding="utf-8")
    with pytest.raises(VariantError, match=f"{EXAMPLES}/mine/serve.py has no LOOPS"):
        named("mine", tmp_path)
    (tmp_path / "pyproject.toml").write_text("[dependency-groups]\nmine = ['not-installed-anywhere']\n", encoding="utf-8")
    assert missing("mine", tmp_path) == ["not-installed-anywhere"]
