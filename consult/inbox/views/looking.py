"""Who else has an enquiry open: pages say every fifteen seconds that they are there, and are told who else is."""

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from consult.accounts import queries as accounts
from consult.inbox import queries, services


@require_POST
def look_at_enquiry(request: HttpRequest, number: int) -> HttpResponse:
    here = accounts.here(request)
    doing = request.POST.get("doing", "looking")
    if doing not in services.DOINGS:
        raise BadRequest(_("There is no such thing to do."))
    enquiry_id = queries.enquiry_id(here.agency_id, number)
    if enquiry_id is None:
        raise Http404
    others = services.look_at_enquiry(
        agency_id=here.agency_id, enquiry_id=enquiry_id, member_id=here.member_id, doing=doing
    )
    return render(request, "inbox/looking.html", {"others": others, "looking_url": request.path})
