"""What the office's scripts never do; the policy stops some of it in the browser as well."""

import re
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[1] / "assets" / "js"
NEVER = {
    "runs text": r"\beval\(|\bnew Function\b|set(Timeout|Interval)\(\s*[\"'`]",
    "writes markup": r"\.(inner|outer)HTML\s*\+?=|document\.write|\.srcdoc\b|createContextualFragment",
    "hears other windows": r"(window|self|globalThis)\.(onmessage|addEventListener\(\s*[\"']message)",
    "writes to other windows": r"(parent|opener|top|contentWindow)\??\.postMessage",
    "writes cookies": r"document\.cookie\s*=",
    "asks other hosts": r"[\"'`]https?://",
}
# (file, what): why.
FOR_A_REASON = {
    ("form-editor.js", "insertAdjacentHTML"): "a copy of the server's own template, with a number in it",
}


def found(text: str) -> list[str]:
    return [what for what, pattern in NEVER.items() if re.search(pattern, text)]


def test_no_script_does_what_none_should() -> None:
    scripts = sorted(SCRIPTS.glob("*.js"))
    assert len(scripts) > 10
    assert {script.name: what for script in scripts if (what := found(script.read_text("utf-8")))} == {}
    inserting = {
        (script.name, "insertAdjacentHTML") for script in scripts if "insertAdjacentHTML" in script.read_text()
    }
    assert inserting == set(FOR_A_REASON)


def test_each_would_be_found() -> None:
    for line, what in (
        ("eval(text)", "runs text"),
        ('setTimeout("go()", 1)', "runs text"),
        ("box.innerHTML = text", "writes markup"),
        ('window.addEventListener("message", hear)', "hears other windows"),
        ("window.opener.postMessage(all, '*')", "writes to other windows"),
        ("document.cookie = 'a=1'", "writes cookies"),
        ('fetch("https://tracker.example/")', "asks other hosts"),
    ):
        assert found(line) == [what], line
    assert found("channel?.postMessage(message); box.textContent = text") == []
