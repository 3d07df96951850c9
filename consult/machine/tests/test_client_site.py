"""A new client's site from the template."""

import json
import shutil
from pathlib import Path

import pytest

from consult.machine import client_site

KEY = "frm_AbcdefghijKlmnopqrstu0"


@pytest.fixture
def sites(tmp_path: Path) -> Path:
    shutil.copytree(client_site.SITES / "template", tmp_path / "template", ignore=client_site.LEFT_OUT)
    return tmp_path


def new(sites: Path, slug: str = "book-shop", **changes: str) -> Path:
    given = {"name": "", "form_key": "", "edge_url": "", "ink": "", "paper": ""} | changes
    return client_site.new(slug, sites=sites, **given)


def test_it_says_its_own_name_form_edge_and_colours(sites: Path) -> None:
    folder = new(
        sites, name='Ann\'s "Books"', form_key=KEY, edge_url="https://in.example", ink="#102030", paper="#fefefe"
    )
    assert folder == sites / "book-shop"
    assert json.loads((folder / "package.json").read_text())["name"] == "@sites/book-shop"
    said = (folder / "src" / "site.ts").read_text()
    assert 'name: "Ann\'s \\"Books\\""' in said
    assert KEY in said
    assert 'edgeUrl: "https://in.example"' in said
    theme = (folder / "src" / "theme.css").read_text() + (folder / "public" / "favicon.svg").read_text()
    assert "#102030" in theme
    assert client_site.INK not in theme
    assert client_site.PAPER not in theme


def test_the_name_comes_from_the_slug(sites: Path) -> None:
    assert 'name: "Book Shop"' in (new(sites) / "src" / "site.ts").read_text()


def test_it_takes_nothing_that_was_built(sites: Path) -> None:
    (sites / "template" / "dist").mkdir()
    assert not (new(sites) / "dist").exists()


@pytest.mark.parametrize("slug", ["", "Book", "../up", "a", "shop-", "template", "shared-ui", "node_modules", "a/b"])
def test_a_bad_slug_is_refused(sites: Path, slug: str) -> None:
    before = sorted(sites.iterdir())
    with pytest.raises(client_site.CannotMake):
        new(sites, slug)
    assert sorted(sites.iterdir()) == before


@pytest.mark.parametrize("bad", [{"form_key": "frm_short"}, {"ink": "red"}, {"paper": "#FFF"}])
def test_bad_values_are_refused(sites: Path, bad: dict[str, str]) -> None:
    with pytest.raises(client_site.CannotMake):
        new(sites, **bad)
    assert not (sites / "book-shop").exists()


def test_an_existing_site_is_left_alone(sites: Path) -> None:
    site = new(sites) / "src" / "site.ts"
    site.write_text("mine")
    with pytest.raises(client_site.CannotMake, match="there already"):
        new(sites)
    assert site.read_text() == "mine"


def test_a_changed_template_leaves_no_half_site(sites: Path) -> None:
    (sites / "template" / "src" / "site.ts").write_text("something else")
    with pytest.raises(client_site.CannotMake, match="template has changed"):
        new(sites)
    assert [folder.name for folder in sites.iterdir()] == ["template"]
