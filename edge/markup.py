"""HTML by one function that escapes everything that is not itself made by it."""

import html


class Safe(str):
    """Markup made by `element`."""

    __slots__ = ()


_VOID = {"input", "link", "meta", "br"}


def element(name: str, attributes: dict[str, str | bool] | None = None, *children: str) -> Safe:
    """False attributes are left out, True ones stand alone; children are escaped unless they are Safe."""
    told = "".join(
        f" {key}" if value is True else f' {key}="{html.escape(str(value))}"'
        for key, value in (attributes or {}).items()
        if value is not False
    )
    if name in _VOID:
        return Safe(f"<{name}{told}>")
    # A textarea loses the first line break after its tag: one more keeps what was typed.
    lead = "\n" if name == "textarea" else ""
    return Safe(f"<{name}{told}>{lead}{join(*children)}</{name}>")


def join(*children: str) -> Safe:
    return Safe("".join(child if isinstance(child, Safe) else html.escape(child) for child in children))
