"""Other people's files on their way to a browser or program: always to be saved, never to be run here."""

from collections.abc import Iterable

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

# For bytes of strangers, whatever shows them: no script, no guess at another type.
HARMLESS = {"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff"}


def attachment(content: Iterable[bytes], *, name: str, media_type: str, size: int) -> StreamingHttpResponse:
    """Answer with a file of `size` bytes, in chunks. `name` can stand in a header (intake's rules.clean_file_name)."""
    headers = {
        **HARMLESS,
        "Content-Length": str(size),
        "Content-Disposition": str(content_disposition_header(True, name)),
        "Cache-Control": "private, no-store",
    }
    return StreamingHttpResponse(content, content_type=media_type, headers=headers)
