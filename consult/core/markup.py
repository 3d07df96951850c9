"""HTML of strangers, made harmless in a process of its own, and shown where it can do nothing."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from django.http import HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

PROGRAM = Path(__file__).with_name("sanitiser.py")
LONGEST_SECONDS = 4
STYLE = (
    "body{margin:12px;font:15px/1.5 system-ui,sans-serif;color:#1c1917;background:#fff;overflow-wrap:anywhere}"
    "img{max-width:100%;height:auto}table{max-width:100%}pre{white-space:pre-wrap}"
    "blockquote{margin:0 0 0 8px;padding-left:12px;border-left:3px solid #d6d3d1}"
    "a{color:#1d4ed8}.told{margin:0 0 12px;padding:8px 12px;background:#f5f5f4;border-radius:6px;font-size:13px}"
)
PAGE = (
    '<!doctype html><html><head><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>{}</title>'
    "<style>{}</style></head><body>{}</body></html>"
)


class TooHard(Exception):
    """It took too long, or too much memory, to make it harmless."""


@dataclasses.dataclass(frozen=True)
class Cleaned:
    """Harmless HTML. `blocked`: how many pictures from elsewhere are left out."""

    html: str
    blocked: int


def clean(html: str, *, remote: bool = False, pictures: Mapping[str, str] | None = None) -> Cleaned:
    """Return what may be shown of some HTML. Raise TooHard within LONGEST_SECONDS.

    `remote`: pictures from elsewhere stay. `pictures`: data: addresses of the mail's own, by content id.
    """
    said = json.dumps({"html": html, "remote": remote, "pictures": dict(pictures or {})}).encode()
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(PROGRAM)], input=said, capture_output=True, timeout=LONGEST_SECONDS, check=True
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        raise TooHard from None
    return Cleaned(**json.loads(done.stdout))


def shown(html: str, *, title: str, remote: bool) -> HttpResponse:
    """Answer with cleaned HTML as a page of its own: no script, no form, no origin, and nobody is asked for anything.

    `remote`: pictures from elsewhere are asked for, without saying who asks.
    """
    body: SafeString = mark_safe(html)  # noqa: S308 (cleaned)
    response = HttpResponse(format_html(PAGE, title, mark_safe(STYLE), body))  # noqa: S308 (a constant)
    response["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; "
        f"img-src data:{' https: http:' if remote else ''}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
    )
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["Referrer-Policy"] = "no-referrer"
    return response
