"""What is done alike with contacts, companies and deals: notes and labels."""

from collections.abc import Callable
from typing import Literal
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from consult.accounts import queries as accounts
from consult.crm import services
from consult.crm.views import companies, contacts, deals

Place = Literal["contact", "company", "deal"]
PAGES: dict[Place, Callable[..., HttpResponse]] = {
    "contact": contacts.contact_page,
    "company": companies.company_page,
    "deal": deals.deal_page,
}
MISSING = (services.NoSuchContact, services.NoSuchCompany, services.NoSuchDeal)


@require_POST
def add_note(request: HttpRequest, place: Place, id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    # Postgres text holds no NUL.
    body = request.POST.get("body", "").replace("\0", "�")
    try:
        services.add_note(agency_id=here.agency_id, place=place, id=id, body=body, by=here.member_id)
    except MISSING as error:
        raise Http404 from error
    except services.EmptyNote:
        return PAGES[place](request, id, status=422, note_error=_("The note is empty."), note_body=body)
    return redirect(f"crm:{place}_detail", here.slug, id)


@require_POST
def set_labels(request: HttpRequest, place: Place, id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    typed = request.POST.get("labels", "").replace("\0", "")
    try:
        services.set_labels(agency_id=here.agency_id, place=place, id=id, names=typed.split(","), by=here.member_id)
    except MISSING as error:
        raise Http404 from error
    except ValueError:
        wrong = _("At most 20 labels, each of at most 50 characters.")
        return PAGES[place](request, id, status=422, label_error=wrong, labels_typed=typed)
    return redirect(f"crm:{place}_detail", here.slug, id)
