"""What visitors read, in the form's language: one file per language in edge/words/, the same keys in each.

Texts for people are spoken late, when it is known whose language to use: `text` makes one that carries its key.
"""

import importlib.resources
import tomllib
from importlib.resources.abc import Traversable

import msgspec

DEFAULT = "en"
# Scripts that run from right to left, by the languages that are written in them.
_RIGHT_TO_LEFT = {"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"}


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    contact: str
    needed: str
    choose: str
    leave_empty: str
    send: str
    send_again: str
    thanks: str
    stored: str
    stored_site: str
    receipt: str
    receipt_hint: str
    kept_whole: str
    kept_first: str
    kept_browser: str
    files_again: str
    fallback: str
    fallback_site: str
    help_number: str
    back: str
    back_site: str


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`title` goes by a problem's code; `field` by a field error's code; `detail` by the key given to `text`."""

    page: Page
    field: dict[str, str]
    title: dict[str, str]
    detail: dict[str, str]
    code: str = ""

    @property
    def direction(self) -> str:
        """As HTML's `dir` has it."""
        return "rtl" if self.code.partition("-")[0] in _RIGHT_TO_LEFT else "ltr"

    def say(self, said: str) -> str:
        """A `Text` in this language; any other string as it is."""
        return self.detail[said.key].format(**said.parts) if isinstance(said, Text) else said

    def fault(self, code: str, **parts: object) -> str:
        """What is wrong with a field, by the error's code."""
        return self.field[code].format(**parts)


class Text(str):
    """The English of a detail that can still be said in another language. Made by `text`."""

    __slots__ = ("key", "parts")
    key: str
    parts: dict[str, object]

    def __str__(self) -> str:  # as an exception's only argument it comes back as it went in
        return self


def text(key: str, **parts: object) -> Text:
    """The detail with this key; `parts` fill its {placeholders}. Raises KeyError when there is no such text."""
    found = Text(ENGLISH.detail[key].format(**parts))
    found.key, found.parts = key, parts
    return found


def load(folder: Traversable) -> dict[str, Words]:
    """Every language of a folder by its code. Raises msgspec.ValidationError for a file that lacks a part."""
    found = {}
    for file in folder.iterdir():
        code, _, ending = file.name.rpartition(".")
        if ending == "toml":
            content = tomllib.loads(file.read_text("utf-8"))
            found[code] = msgspec.convert({**content, "code": code}, Words)
    return found


KNOWN = load(importlib.resources.files("edge").joinpath("words"))
ENGLISH = KNOWN[DEFAULT]


def of(language: str) -> Words:
    """By a tag of BCP 47; what is not known by its region is looked for without it, and is English at last."""
    return KNOWN.get(language) or KNOWN.get(language.lower().partition("-")[0]) or ENGLISH


def preferred(accepted: str) -> str:
    """The best of an Accept-Language header, for pages that belong to no form."""
    ranked = []
    for position, part in enumerate(accepted[:200].split(",")):
        tag, _, quality = part.partition(";q=")
        try:
            ranked.append((-float(quality or 1), position, tag.strip().lower()))
        except ValueError:
            continue
    for _quality, _position, tag in sorted(ranked):
        if tag in KNOWN or tag.partition("-")[0] in KNOWN:
            return of(tag).code
    return DEFAULT
