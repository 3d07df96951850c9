"""`consult site new`: a client's site from the template in sites/."""

import json
import re
import shutil
import subprocess
from pathlib import Path

from consult.machine import local

SITES = local.ROOT / "sites"
TAKEN = {"shared-ui", "template", "node_modules"}
SLUG = re.compile(r"[a-z][a-z0-9-]{0,48}[a-z0-9]")
FORM_KEY = re.compile(r"frm_[A-Za-z0-9]{22}")
COLOUR = re.compile(r"#[0-9a-f]{6}")
LEFT_OUT = shutil.ignore_patterns("dist", ".astro", "node_modules")

# What the template says in the places that every site says itself.
NAME, KEY, EDGE = '"Your site name"', '"frm_ReplaceThisFormKey0000"', 'edgeUrl: "http://127.0.0.1:8787"'
INK, PAPER = "#1e3a5f", "#f7f9fc"


class CannotMake(Exception):
    """The site cannot be made; the text says why. Nothing was left behind."""


def new(slug: str, *, name: str, form_key: str, edge_url: str, ink: str, paper: str, sites: Path = SITES) -> Path:
    """Copy the template to `sites/<slug>` with its own name, form, edge and colours; return the folder.

    `ink` and `paper` are #rrggbb; every other colour derives from them. An empty value keeps the template's.
    Raise CannotMake.
    """
    folder = sites / slug
    _refuse(slug, folder, form_key, ink, paper)
    replacements = {
        "package.json": {'"@sites/template"': f'"@sites/{slug}"'},
        "src/site.ts": {
            NAME: json.dumps(name or slug.replace("-", " ").title(), ensure_ascii=False),
            KEY: json.dumps(form_key) if form_key else KEY,
            EDGE: f"edgeUrl: {json.dumps(edge_url)}" if edge_url else EDGE,
        },
        "src/theme.css": {INK: ink or INK, PAPER: paper or PAPER},
        "public/favicon.svg": {INK: ink or INK, PAPER: paper or PAPER},
    }
    # Made beside its place and moved there: half a site never counts.
    stage = sites / f".{slug}.new"
    shutil.rmtree(stage, ignore_errors=True)
    try:
        shutil.copytree(sites / "template", stage, ignore=LEFT_OUT)
        for file, pairs in replacements.items():
            _replace(stage / file, pairs)
        stage.rename(folder)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return folder


def _refuse(slug: str, folder: Path, form_key: str, ink: str, paper: str) -> None:
    if not SLUG.fullmatch(slug) or slug in TAKEN:
        raise CannotMake(f"“{slug}” cannot be a site's name: small letters, digits and -, beginning with a letter.")
    if folder.exists():
        raise CannotMake(f"{folder} is there already.")
    if form_key and not FORM_KEY.fullmatch(form_key):
        raise CannotMake(f"“{form_key}” is no form key; it is shown on the form's page in Consult (frm_…).")
    for colour in filter(None, (ink, paper)):
        if not COLOUR.fullmatch(colour):
            raise CannotMake(f"“{colour}” is no colour; write it as #rrggbb in small letters.")


def _replace(file: Path, pairs: dict[str, str]) -> None:
    text = file.read_text(encoding="utf-8")
    for old, new in pairs.items():
        if old not in text:
            raise CannotMake(f"The template has changed: {file.name} says {old} no more.")
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


def add_to_workspace(sites: Path = SITES) -> bool:
    """Write the new folder into npm's lock file, without which `npm ci` refuses; False when there is no npm."""
    if not shutil.which("npm"):
        return False
    subprocess.run(["npm", "install", "--no-progress", "--no-audit", "--no-fund"], cwd=sites, check=True)  # noqa: S607
    return True
