"""Icons, drawn into the page: no request leaves for them, and their colour follows the text.

An icon is decoration here: whatever uses it carries the words.
"""

import re
from pathlib import Path

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

_SYMBOL = re.compile(r'^<symbol id="([a-z0-9-]+)">(.+)</symbol>$', re.MULTILINE)
_SHAPES = {
    name: SafeString(shape) for name, shape in _SYMBOL.findall(Path(__file__).with_suffix(".svg").read_text("utf-8"))
}
_SVG = (
    '<svg class="icon {}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"'
    ' stroke-linejoin="round" aria-hidden="true" focusable="false">{}</svg>'
)


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """Return the icon of that name, an empty one where there is none; `classes` are added to its own."""
    return format_html(_SVG, classes, _SHAPES.get(name, ""))
