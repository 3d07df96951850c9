"""The table of permissions in docs/security.md is the one that the program uses."""

from pathlib import Path

from consult.accounts import rules

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "security.md"
BEGIN, END = "<!-- permissions -->", "<!-- /permissions -->"


def table() -> str:
    """What has to stand between the two marks."""
    scopes = {name: scope for scope, names in rules.SCOPES.items() for name in names}
    lines = [
        f"| permission | lets one | {' | '.join(rules.ROLES)} | scope of tokens |",
        f"|---|---|{'---|' * len(rules.ROLES)}---|",
    ]
    for name, (roles, words) in rules.PERMISSIONS.items():
        marks = " | ".join("yes" if role in roles else "–" for role in rules.ROLES)
        scope = f"`{scopes[name]}`" if name in scopes else "none"
        lines.append(f"| `{name}` | {words} | {marks} | {scope} |")
    return "\n".join(lines)


def test_the_document_says_what_the_program_does() -> None:
    before, _begin, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    stated, _end, _after = rest.partition(END)
    assert before
    assert stated.strip() == table(), f"put this there:\n{table()}"


def test_each_role_may_what_the_next_one_may() -> None:
    for role, below in zip(rules.ROLES, rules.ROLES[1:], strict=False):
        for name, (roles, _words) in rules.PERMISSIONS.items():
            assert role in roles or below not in roles, name
