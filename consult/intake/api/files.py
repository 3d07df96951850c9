"""Visitors' files: their bytes. What else is known of them is told with their submission."""

from uuid import UUID

from django.http import Http404, HttpRequest, StreamingHttpResponse

from consult.accounts import queries as accounts
from consult.core import api, downloads, files
from consult.intake import queries, rules

router = api.Router(tags=["Files"])

TYPES = sorted({*rules.HARMLESS_TYPES, api.MEDIA_TYPE})


@router.get(
    "/{uuid:file_id}", response={200: None}, openapi_extra=api.gives_bytes(*TYPES), summary="Download a visitor's file"
)
def download_file(request: HttpRequest, file_id: UUID) -> StreamingHttpResponse:
    """As an attachment. What a browser could run comes as `application/octet-stream`, whatever it is."""
    here = accounts.permit(request, "records.read")
    found = queries.file(here.agency_id, file_id)
    if found is None:
        raise Http404
    content = files.read(found.location)
    return downloads.attachment(content, name=found.name, media_type=found.shown_type, size=found.size)
