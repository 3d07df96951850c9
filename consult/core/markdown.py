"""Markdown to HTML that is safe to show: CommonMark by a library, and a sanitiser over what comes of it."""

import functools

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

# Pictures would be fetched from wherever somebody says: they are links until they are files of the agency's own.
TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "s", "code", "pre", "blockquote"),
    *("ul", "ol", "li", "a", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_STEPS = {"[ ] ": "☐ ", "[x] ": "☑ ", "[X] ": "☑ "}


@functools.cache
def _parser() -> MarkdownIt:
    # Raw HTML is text; a heading of a description never stands above the page's own.
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True})
    return parser.enable(["table", "strikethrough"]).disable("image")


def to_html(text: str) -> SafeString:
    """Return Markdown as HTML without anything that runs, loads or styles; links lead out without a referrer."""
    if not text.strip():
        return mark_safe("")
    parser = _parser()
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
        if token.type == "inline" and token.children and token.children[0].type == "text":
            first = token.children[0]
            if (box := first.content[:4]) in _STEPS:
                first.content = _STEPS[box] + first.content[4:]
    made = parser.renderer.render(tokens, parser.options, {})
    clean = nh3.clean(
        made,
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(clean)  # noqa: S308 (sanitised in the line above)
