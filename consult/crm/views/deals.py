"""Pages of deals: the board, the list, and each of them."""

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consult.accounts import queries as accounts
from consult.crm import forms, queries, services
from consult.crm.views import asked, lines

STATUSES = ("open", "won", "lost")


@require_GET
def deal_board(request: HttpRequest) -> HttpResponse:
    here = accounts.here(request)
    stage_id = asked.id(request, "stage")
    if stage_id and "after" in request.GET:
        below = queries.board_below(
            here.agency_id, stage_id, owner_id=_whose(request, here), after=asked.text(request, "after")
        )
        stage = {"id": stage_id}
        context = {
            "cards": below.deals,
            "column": {"stage": stage, "next_cursor": below.next_cursor},
            "stages": queries.stages(here.agency_id),
            "is_mine": _is_mine(request),
        }
        return render(request, "crm/deal_board.html#below", context)
    return _board(request)


def _is_mine(request: HttpRequest) -> bool:
    return request.GET.get("owner") == "me"


def _whose(request: HttpRequest, here: accounts.Membership) -> UUID | None:
    return here.member_id if _is_mine(request) else None


# How often a column is asked to be longer: then it holds a thousand, and more are in the list.
MOST_MORE = 20


def _more(request: HttpRequest) -> Counter[UUID]:
    """Return how much longer each column is to be, as the board itself said where somebody came to a column's end."""
    said = [*request.GET.getlist("more"), *request.POST.getlist("more")][: 20 * MOST_MORE]
    found: Counter[UUID] = Counter()
    for text in said:
        with contextlib.suppress(ValueError):
            found[UUID(text)] += 1
    return Counter({id: min(times, MOST_MORE) for id, times in found.items()})


def _board(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    here = accounts.here(request)
    longer = _more(request)
    columns = queries.board(here.agency_id, owner_id=_whose(request, here), more=longer)
    context = {
        "columns": columns,
        "stages": [column.stage for column in columns],
        "longer": list(longer.elements()),
        "is_mine": _is_mine(request),
        "counts": queries.counts(here.agency_id),
        **more,
    }
    return render(request, "crm/deal_board.html", context, status=status)


@require_GET
def deal_list(request: HttpRequest) -> HttpResponse:
    here = accounts.here(request)
    status = request.GET.get("status", "open")
    status = status if status in STATUSES else "open"
    page = queries.deals(
        here.agency_id,
        status=status,
        owner_id=_whose(request, here),
        after=request.GET.get("after", ""),
    )
    context = {
        "deals": page.deals,
        "next_cursor": page.next_cursor,
        "after": request.GET.get("after", ""),
        "status": status,
        "is_mine": _is_mine(request),
        "counts": queries.counts(here.agency_id),
    }
    return render(request, "crm/deal_list.html", context)


@require_GET
def deal_detail(request: HttpRequest, deal_id: UUID) -> HttpResponse:
    return deal_page(request, deal_id)


def deal_page(request: HttpRequest, deal_id: UUID, *, status: int = 200, **more: Any) -> HttpResponse:
    """Return a deal's page."""
    here = accounts.here(request)
    deal = existing(here.agency_id, deal_id)
    page = queries.timeline(here.agency_id, deal_id=deal.id, before=request.GET.get("before", ""))
    every = queries.stages(here.agency_id, retired=True)
    stages = [stage for stage in every if not stage.is_retired]
    context = {
        "deal": deal,
        "stages": stages,
        "fields": queries.filled(queries.fields(here.agency_id, "deal"), deal.custom),
        "lines": lines.said(
            here.slug,
            page.lines,
            own=deal.id,
            stages={each.id: each.name for each in every},
        ),
        "next_cursor": page.next_cursor,
        "before": request.GET.get("before", ""),
        "label_names": queries.labels(here.agency_id).values(),
        **more,
    }
    return render(request, "crm/deal_detail.html", context, status=status)


def existing(agency_id: int, deal_id: UUID) -> queries.Deal:
    """Return the deal, or answer 404."""
    try:
        return queries.deal(agency_id, deal_id)
    except queries.NoSuchDeal as error:
        raise Http404 from error


@require_http_methods(["GET", "POST"])
def create_deal(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    form = forms.Deal(
        request.POST if request.method == "POST" else None,
        agency_id=here.agency_id,
        currency=here.currency,
        stages=services.ensure_stages(agency_id=here.agency_id, by=here.member_id),
        initial=_offered(request, here),
    )
    if form.is_bound and form.is_valid():
        deal_id = services.create_deal(
            agency_id=here.agency_id,
            by=here.member_id,
            stage_id=UUID(form.cleaned_data["stage"]),
            company_name=form.cleaned_data["company_name"],
            **form.values(),
        )
        messages.success(request, _("The deal is open."))
        return redirect("crm:deal_detail", here.slug, deal_id)
    context = {"form": form, "company_names": queries.first_company_names(here.agency_id)}
    return render(request, "crm/deal_form.html", context, status=422 if form.errors else 200)


def _offered(request: HttpRequest, here: accounts.Membership) -> dict[str, Any]:
    """Return what the address suggests: the page of whom or of which company somebody comes from."""
    offered: dict[str, Any] = {"owner": str(here.member_id or "")}
    contact_id = asked.id(request, "contact")
    if contact_id and (name := queries.contact_names(here.agency_id, [contact_id]).get(contact_id)):
        offered |= {"contact": name, "contact_id": contact_id}
    if company_id := asked.id(request, "company"):
        offered["company_name"] = queries.company_names(here.agency_id, [company_id]).get(company_id, "")
    if stage_id := asked.id(request, "stage"):
        offered["stage"] = str(stage_id)
    return offered


@require_http_methods(["GET", "POST"])
def update_deal(request: HttpRequest, deal_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    deal = existing(here.agency_id, deal_id)
    form = forms.Deal(
        request.POST if request.method == "POST" else None,
        agency_id=here.agency_id,
        currency=here.currency,
        initial=deal,
    )
    changed_meanwhile = False
    if form.is_bound and form.is_valid():
        try:
            services.update_deal(
                agency_id=here.agency_id,
                deal_id=deal.id,
                by=here.member_id,
                company_name=form.cleaned_data["company_name"],
                version=form.cleaned_data["version"],
                **form.values(),
            )
            messages.success(request, _("The deal is saved."))
            return redirect("crm:deal_detail", here.slug, deal.id)
        except services.ChangedMeanwhile:
            changed_meanwhile = True
    context = {
        "form": form,
        "deal": deal,
        "changed_meanwhile": changed_meanwhile,
        "company_names": queries.first_company_names(here.agency_id),
    }
    status = 422 if form.errors else 409 if changed_meanwhile else 200
    return render(request, "crm/deal_form.html", context, status=status)


@require_POST
def move_deal(request: HttpRequest, deal_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    try:
        stage_id = UUID(request.POST.get("stage", ""))
        seen = request.POST.get("from", "")
        services.move_deal(
            agency_id=here.agency_id,
            deal_id=deal_id,
            stage_id=stage_id,
            from_stage_id=UUID(seen) if seen else None,
            by=here.member_id,
            now=dt.datetime.now(dt.UTC),
        )
    except (ValueError, services.NoSuchStage) as error:
        raise BadRequest(_("The pipeline has no such stage.")) from error
    except services.NoSuchDeal as error:
        raise Http404 from error
    except services.DealClosed:
        return _answer(request, deal_id, _("It is won or lost already. Open it again before you move it."))
    except services.StageChanged:
        return _answer(request, deal_id, _("Somebody else has moved it meanwhile. Here is where it stands now."))
    if request.headers.get("HX-Request") and request.POST.get("page") == "board" and seen:
        return _moved(request, deal_id, {UUID(seen), stage_id})
    return _answer(request, deal_id)


def _moved(request: HttpRequest, deal_id: UUID, stages: set[UUID]) -> HttpResponse:
    """Answer with the card and the heads of the two columns; what else is on the board stays as it is."""
    here = accounts.here(request)
    context = {
        "columns": queries.board(here.agency_id, owner_id=_whose(request, here), only=stages, cards=False),
        "cards": queries.board_card(here.agency_id, deal_id),
        "stages": queries.stages(here.agency_id),
        "is_mine": _is_mine(request),
    }
    answer = render(request, "crm/deal_board.html#moved", context)
    answer["HX-Reswap"] = "none"
    return answer


def _answer(request: HttpRequest, deal_id: UUID, wrong: str = "") -> HttpResponse:
    """Answer with the board or the deal's page, whichever the action was done on; `wrong` says what kept it."""
    from_board = request.POST.get("page") == "board"
    if request.headers.get("HX-Request") and from_board:
        return _board(request, wrong=wrong)
    if wrong:
        messages.warning(request, wrong)
    slug = accounts.here(request).slug
    if not from_board:
        return redirect("crm:deal_detail", slug, deal_id)
    return redirect(reverse("crm:deal_board", args=[slug]) + ("?owner=me" if request.GET.get("owner") == "me" else ""))


def _change(request: HttpRequest, deal_id: UUID, change: Callable[..., None], **more: Any) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    now = dt.datetime.now(dt.UTC)
    try:
        change(agency_id=here.agency_id, deal_id=deal_id, by=here.member_id, now=now, **more)
    except services.NoSuchDeal as error:
        raise Http404 from error
    except services.DealClosed:
        return _answer(request, deal_id, _("It is won or lost already. Open it again first."))
    return _answer(request, deal_id)


@require_POST
def win_deal(request: HttpRequest, deal_id: UUID) -> HttpResponse:
    return _change(request, deal_id, services.win_deal)


@require_POST
def lose_deal(request: HttpRequest, deal_id: UUID) -> HttpResponse:
    reason = request.POST.get("reason", "").replace("\0", "")
    try:
        return _change(request, deal_id, services.lose_deal, reason=reason)
    except services.NoReason:
        return deal_page(
            request, deal_id, status=422, lose_error=_("Say in a few words why. It tells later what to do better.")
        )


@require_POST
def reopen_deal(request: HttpRequest, deal_id: UUID) -> HttpResponse:
    return _change(request, deal_id, services.reopen_deal)
