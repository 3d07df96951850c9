"""Saved views: a member's own, or shared with everybody."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from consult.accounts import queries as accounts
from consult.inbox import forms, services


@require_POST
def save_view(request: HttpRequest) -> HttpResponse:
    """Keep the filters that the list shows. Who may only read keeps them for themselves."""
    here = accounts.permit(request, "records.read")
    if here.member_id is None:
        raise PermissionDenied("A token of the agency is nobody who could keep a view.")
    shared = bool(request.POST.get("shared"))
    if shared:
        accounts.permit(request, "records.write")
    filters = forms.filters(forms.as_query(request.POST))
    name = request.POST.get("name", "").replace("\0", "")
    try:
        services.save_view(agency_id=here.agency_id, name=name, filters=filters, shared=shared, by=here.member_id)
        messages.success(request, _("The view is kept as “%(name)s”.") % {"name": name.strip()})
    except services.NoName:
        messages.error(request, _("Not kept: a view needs a name of at most 60 letters."))
    except services.TooLong:
        messages.error(request, _("Not kept: what is searched for is too long for a view."))
    return _list(here.slug, filters.query())


@require_POST
def delete_view(request: HttpRequest, view_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    try:
        name, query, _shared = services.delete_view(agency_id=here.agency_id, view_id=view_id, by=here.member_id)
    except services.NoSuchView as error:
        raise Http404 from error
    messages.success(
        request, _("“%(name)s” is forgotten. What it showed is still shown; keep it to have it back.") % {"name": name}
    )
    return _list(here.slug, forms.filters(QueryDict(query)).query())


def _list(slug: str, query: str) -> HttpResponse:
    return redirect(f"{reverse('inbox:enquiry_list', args=[slug])}?{query}")
