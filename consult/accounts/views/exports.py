"""An agency's data: taking all of it along, and having all of it deleted. For its owners."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from consult.accounts import queries, services
from consult.core import files


@require_GET
def agency_data(request: HttpRequest) -> HttpResponse:
    return _page(request, part="#exports" if request.headers.get("HX-Request") else "")


def _page(request: HttpRequest, *, part: str = "", status: int = 200, typed: str = "", error: str = "") -> HttpResponse:
    here = queries.permit(request, "agency.own")
    exports = queries.exports(here.agency_id)
    context = {
        "exports": exports,
        "building": any(each.state in ("waiting", "running") for each in exports),
        "days": services.GRACE.days,
        "name_typed": typed,
        "name_error": error,
    }
    return render(request, f"accounts/agency_data.html{part}", context, status=status)


@require_POST
def start_export(request: HttpRequest) -> HttpResponse:
    here = queries.permit(request, "agency.own")
    services.start_export(agency_id=here.agency_id, by=queries.person_here(here), now=timezone.now())
    messages.success(request, _("The export is being built. You may leave this page; it waits for you here."))
    return redirect("accounts:agency_data", here.slug)


@require_GET
def download_export(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    here = queries.permit(request, "agency.own")
    found = queries.export(here.agency_id, export_id)
    over = found and found.expires_at and found.expires_at <= timezone.now()
    if found is None or found.state != "ready" or over:
        raise Http404
    content = files.read(found.location)
    services.note_download(agency_id=here.agency_id, export_id=export_id, by=here.member_id)
    answer = StreamingHttpResponse(content, content_type="application/zip")
    answer["Content-Length"] = str(found.size)
    name = f"{here.slug}-{found.created_at:%Y-%m-%d}.zip"
    answer["Content-Disposition"] = content_disposition_header(True, name)
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    return answer


@require_POST
def close_agency(request: HttpRequest) -> HttpResponse:
    here = queries.permit(request, "agency.own")
    typed = request.POST.get("name", "")
    try:
        services.close_agency(agency_id=here.agency_id, name=typed, by=queries.person_here(here), now=timezone.now())
    except services.WrongName:
        return _page(request, status=422, typed=typed, error=_("This is not the agency's name."))
    return redirect("accounts:agency_data", here.slug)


@require_POST
def keep_agency(request: HttpRequest) -> HttpResponse:
    here = queries.permit(request, "agency.own")
    services.keep_agency(agency_id=here.agency_id, by=queries.person_here(here))
    messages.success(request, _("The agency stays. Nothing was deleted."))
    return redirect("accounts:agency_data", here.slug)
