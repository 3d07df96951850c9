"""Every text that a visitor reads, in every language."""

import ast
import pathlib
import string

import msgspec
import pytest

from edge import problems, words

EDGE = pathlib.Path(words.__file__).parent


def _flat(said: words.Words) -> dict[str, str]:
    sections = {**msgspec.structs.asdict(said), "page": msgspec.structs.asdict(said.page)}
    del sections["code"]
    return {f"{section}.{key}": text for section, texts in sections.items() for key, text in texts.items()}


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_five_languages_are_there() -> None:
    assert set(words.KNOWN) >= {"en", "de", "fr", "es", "pt"}
    assert {file.stem for file in (EDGE / "words").glob("*.toml")} == set(words.KNOWN)


@pytest.mark.parametrize("code", sorted(words.KNOWN))
def test_same_keys_and_placeholders_everywhere(code: str) -> None:
    english, other = _flat(words.ENGLISH), _flat(words.KNOWN[code])
    assert other.keys() == english.keys()
    assert {key: _placeholders(text) for key, text in other.items()} == {
        key: _placeholders(text) for key, text in english.items()
    }
    assert all(text.strip() == text and text for text in other.values())


@pytest.mark.parametrize("code", sorted(set(words.KNOWN) - {"en"}))
def test_nothing_was_left_in_english(code: str) -> None:
    # Words that two languages share.
    same = {"page.contact"}
    english = _flat(words.ENGLISH)
    assert {key for key, text in _flat(words.KNOWN[code]).items() if text == english[key]} <= same


def test_every_problem_has_a_title() -> None:
    assert problems.KINDS.keys() == words.ENGLISH.title.keys()


def test_unknown_language_is_english_and_a_region_is_its_language() -> None:
    assert words.of("tlh") is words.ENGLISH
    assert words.of("") is words.ENGLISH
    assert words.of("de-AT").code == "de"
    assert words.of("pt-BR").code == "pt"


def test_browsers_order_is_followed() -> None:
    assert words.preferred("tlh, fr-CA;q=0.8, de;q=0.9, en;q=0.1") == "de"
    assert words.preferred("es-MX,es;q=0.9") == "es"
    for odd in ("", "*", "de;q=x", ",,;q=", "x" * 5_000):
        assert words.preferred(odd) == "en"


def test_language_is_added_by_a_file(tmp_path: pathlib.Path) -> None:
    (tmp_path / "he.toml").write_text((EDGE / "words/en.toml").read_text("utf-8").replace("Thank you", "תודה"), "utf-8")
    (tmp_path / "note.txt").write_text("not a language")
    found = words.load(tmp_path)
    assert found.keys() == {"he"}
    assert (found["he"].page.thanks, found["he"].direction) == ("תודה", "rtl")
    assert words.of("de").direction == "ltr"


def test_language_that_lacks_a_text_is_told_at_the_start(tmp_path: pathlib.Path) -> None:
    english = (EDGE / "words/en.toml").read_text("utf-8")
    (tmp_path / "he.toml").write_text(english.replace('send = "Send"\n', ""), "utf-8")
    with pytest.raises(msgspec.ValidationError, match="send"):
        words.load(tmp_path)


def test_text_keeps_its_language_open_until_it_is_said() -> None:
    text = words.text("too_many_fields", limit=200)
    assert text == "A submission may hold 200 fields."
    # It passes through an exception, as a str of its own does.
    assert words.of("de").say(str(ValueError(text))) == "Eine Sendung darf 200 Felder haben."
    assert words.of("de").say("Said by somebody else") == "Said by somebody else"
    with pytest.raises(KeyError):
        words.text("no such text")


def test_every_detail_is_said_somewhere_and_every_one_said_is_there() -> None:
    said = {
        node.args[0].value
        for file in EDGE.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func) == "words.text"
        and isinstance(node.args[0], ast.Constant)
    }
    assert said == words.ENGLISH.detail.keys()


# What only the office's own pages and scripts read.
_ENGLISH_ONLY = {"live.py"}
_RAISED = {"Problem": 1, "Unreadable": 1, "Malformed": 0}


def test_no_sender_is_told_a_sentence_that_is_in_no_language_file() -> None:
    """Details are `words.text(…)`, or a name that holds one; never a sentence in the code."""
    found = []
    for file in sorted(EDGE.glob("*.py")):
        if file.name in _ENGLISH_ONLY:
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                place = _RAISED.get(name)
                if place is not None and len(node.args) > place and _is_sentence(node.args[place]):
                    found.append(f"{file.name}:{node.lineno}")
            elif (
                isinstance(node, ast.Assign)
                and getattr(node.targets[0], "id", "") == "detail"
                and _is_sentence(node.value)
            ):
                found.append(f"{file.name}:{node.lineno}")
    assert found == []


def _is_sentence(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
