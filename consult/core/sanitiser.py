"""Makes a stranger's HTML harmless. A program of its own, started by core/markup.py: it imports nothing of ours.

It reads {"html", "remote", "pictures"} as JSON and writes {"html", "blocked"}: how many pictures from elsewhere are
left out. Deeply nested HTML takes its parser time that grows with the square of its length; then it is killed, and
nobody waits for it.
"""

import json
import re
import resource
import sys
from urllib.parse import unquote

import nh3

SECONDS, BYTES = 3, 1024 * 1024 * 1024
TAGS = (nh3.ALLOWED_TAGS - {"area", "map", "base", "link", "meta", "form", "style"}) | {"font"}
# Left out with all that is in them.
WITH_CONTENT = {
    "embed",
    "iframe",
    "math",
    "noembed",
    "noframes",
    "noscript",
    "object",
    "script",
    "select",
    "style",
    "svg",
    "template",
    "textarea",
    "title",
    "xmp",
}
CELL = {"align", "bgcolor", "colspan", "height", "rowspan", "valign", "width"}
ATTRIBUTES = {
    "*": {"align", "dir", "lang", "style", "title"},
    "a": {"href"},
    "font": {"color", "face", "size"},
    "img": {"alt", "height", "src", "width"},
    "ol": {"start", "type"},
    "table": {"bgcolor", "border", "cellpadding", "cellspacing", "width"},
    "td": CELL,
    "th": CELL,
    "tr": {"bgcolor", "valign"},
}
# What makes text look as it was meant; nothing that loads, moves out of its place or lies over something else.
STYLES = {
    "background-color",
    "border",
    "border-bottom",
    "border-collapse",
    "border-color",
    "border-left",
    "border-radius",
    "border-right",
    "border-spacing",
    "border-style",
    "border-top",
    "border-width",
    "color",
    "font",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "height",
    "letter-spacing",
    "line-height",
    "list-style-type",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-width",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "text-align",
    "text-decoration",
    "text-indent",
    "text-transform",
    "vertical-align",
    "white-space",
    "width",
}
# Functions that load something.
LOADS = re.compile(r"(url|image|image-set|cross-fade|src|element|expression|attr|var|env)\s*\(|@|/\*", re.IGNORECASE)
PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*")
LINK = re.compile(r"(https?://|mailto:|tel:)", re.IGNORECASE)
REMOTE = re.compile(r"https?://", re.IGNORECASE)


def clean(html: str, *, remote: bool, pictures: dict[str, str]) -> tuple[str, int]:
    """Return harmless HTML, and how many pictures from elsewhere are left out of it.

    `remote`: leave those in. `pictures`: data: addresses of the mail's own, by their content ids.
    """
    blocked = 0

    def value_of(tag: str, name: str, value: str) -> str | None:
        nonlocal blocked
        text = value.strip()
        if name == "style":
            # An escape could spell any of them.
            return None if "\\" in text else ";".join(each for each in text.split(";") if not LOADS.search(each))
        if name == "href":
            return value if LINK.match(text) else None
        if name == "src" and tag == "img":
            if text[:4].lower() == "cid:":
                return pictures.get(unquote(text[4:]))
            if REMOTE.match(text) and not remote:
                blocked += 1
                return None
            return value if REMOTE.match(text) or PICTURE.fullmatch(text) else None
        return value

    cleaned = nh3.clean(
        html,
        tags=TAGS,
        clean_content_tags=WITH_CONTENT,
        attributes=ATTRIBUTES,
        attribute_filter=value_of,
        filter_style_properties=STYLES,
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}, "img": {"referrerpolicy": "no-referrer"}},
    )
    return cleaned, blocked


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    said = json.load(sys.stdin.buffer)
    html, blocked = clean(said["html"], remote=said["remote"], pictures=said["pictures"])
    json.dump({"html": html, "blocked": blocked}, sys.stdout)


if __name__ == "__main__":
    main()
