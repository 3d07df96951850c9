"""The page of the pipeline's stages."""

import datetime as dt
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from consult.accounts import queries as accounts
from consult.crm import queries, services
from consult.crm.views import asked

REFUSALS = (services.StageTaken, services.TooManyStages, services.LastStage, ValueError)


@require_http_methods(["GET", "POST"])
def create_stage(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "settings.manage")
    if request.method == "POST":
        name = request.POST.get("name", "").replace("\0", "")
        try:
            services.create_stage(agency_id=here.agency_id, name=name, by=here.member_id)
        except REFUSALS as error:
            return _page(request, status=422, name=name, error=_words(error))
        messages.success(request, _("The stage is there, behind the others."))
        return redirect("crm:create_stage", here.slug)
    return _page(request)


def _page(
    request: HttpRequest, *, status: int = 200, name: str = "", error: str = "", of: UUID | None = None
) -> HttpResponse:
    here = accounts.here(request)
    every = queries.stages(here.agency_id, retired=True)
    counts = queries.open_deals_by_stage(here.agency_id)
    context = {
        "stages": [(stage, counts.get(stage.id, 0)) for stage in every if not stage.is_retired],
        "retired": [stage for stage in every if stage.is_retired],
        "name": name,
        "error": error,
        "of": of,
    }
    return render(request, "crm/stage_list.html", context, status=status)


def _words(error: Exception) -> str:
    if isinstance(error, services.StageTaken):
        return _("There is a stage of this name already.")
    if isinstance(error, services.TooManyStages):
        return _("There are 20 stages already. Retire one that nobody uses.")
    if isinstance(error, services.LastStage):
        return _("It is the only stage. Add another one first.")
    return _("A stage needs a name of at most 50 characters.")


@require_POST
def rename_stage(request: HttpRequest, stage_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "settings.manage")
    name = request.POST.get("name", "").replace("\0", "")
    try:
        services.rename_stage(agency_id=here.agency_id, stage_id=stage_id, name=name, by=here.member_id)
    except services.NoSuchStage as error:
        raise Http404 from error
    except REFUSALS as error:
        return _page(request, status=422, name=name, error=_words(error), of=stage_id)
    messages.success(request, _("The stage is renamed."))
    return redirect("crm:create_stage", here.slug)


@require_POST
def reorder_stages(request: HttpRequest) -> HttpResponse:
    """One stage a place up or down."""
    here = accounts.permit(request, "settings.manage")
    ids = [stage.id for stage in queries.stages(here.agency_id)]
    wanted = asked.posted_id(request, "stage")
    if wanted in ids:
        place = ids.index(wanted)
        other = max(0, min(len(ids) - 1, place + (-1 if request.POST.get("to") == "up" else 1)))
        ids[place], ids[other] = ids[other], ids[place]
        try:
            services.reorder_stages(agency_id=here.agency_id, stage_ids=ids, by=here.member_id)
        except services.NoSuchStage:
            messages.warning(request, _("Somebody else has just changed the stages. Here they are."))
    else:
        messages.warning(request, _("Somebody else has just changed the stages. Here they are."))
    return redirect("crm:create_stage", here.slug)


@require_POST
def retire_stage(request: HttpRequest, stage_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "settings.manage")
    if stage_id not in {stage.id for stage in queries.stages(here.agency_id)}:
        raise Http404
    try:
        moved = services.retire_stage(
            agency_id=here.agency_id,
            stage_id=stage_id,
            to_id=asked.posted_id(request, "to"),
            by=here.member_id,
            now=dt.datetime.now(dt.UTC),
        )
    except services.NoSuchStage:
        error = _("Choose the stage into which its open deals go.")
        return _page(request, status=422, error=error, of=stage_id)
    except REFUSALS as error:
        return _page(request, status=422, error=_words(error), of=stage_id)
    said = ngettext("%(n)d deal was moved.", "%(n)d deals were moved.", moved) % {"n": moved} if moved else ""
    messages.success(request, " ".join(filter(None, (_("The stage is retired."), said))))
    return redirect("crm:create_stage", here.slug)


@require_POST
def restore_stage(request: HttpRequest, stage_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "settings.manage")
    try:
        services.restore_stage(agency_id=here.agency_id, stage_id=stage_id, by=here.member_id)
    except services.NoSuchStage as error:
        raise Http404 from error
    except REFUSALS as error:
        return _page(request, status=422, error=_words(error))
    messages.success(request, _("The stage is back, behind the others."))
    return redirect("crm:create_stage", here.slug)
