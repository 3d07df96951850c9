"""The board of a project, and moving what stands on it."""

import datetime as dt
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from consult.accounts import queries as accounts
from consult.tasks import queries, services
from consult.tasks.views import found, lists


@require_GET
def project_board(request: HttpRequest, project_key: str) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    project = found.project(here.agency_id, project_key)
    wanted = queries.filters(request.GET.dict(), me=here.member_id)
    column, after = request.GET.get("column", ""), request.GET.get("after", "")
    if column:
        return _column(request, project, wanted, column, after)
    return _board(request, project, wanted)


def _board(
    request: HttpRequest, project: queries.Project, wanted: queries.Filters, *, wrong: str = "", status: int = 200
) -> HttpResponse:
    here = accounts.here(request)
    columns = queries.board(here.agency_id, project, wanted)
    query = urlencode(wanted.query())
    address = reverse("tasks:project_board", args=[here.slug, project.key])
    context = {
        "project": project,
        "columns": columns,
        "move_targets": [column.state for column in columns],
        "board_url": f"{address}?{query}" if query else address,
        "wrong": wrong,
        "may_move": accounts.may(here, "records.write") and project.archived_at is None,
        "query": query,
        **lists.narrowing(here, wanted),
    }
    return render(request, "tasks/project_board.html", context, status=status)


def _column(
    request: HttpRequest, project: queries.Project, wanted: queries.Filters, column: str, after: str
) -> HttpResponse:
    """Answer with the next tasks of one column."""
    here = accounts.here(request)
    states = queries.states(here.agency_id, project.id)
    state = next((each for each in states if str(each.id) == column), None)
    if state is None or not after.lstrip("-").isdecimal() or not after.isascii() or len(after) > 19:
        raise Http404
    more = queries.board_column(here.agency_id, project, wanted, state, max(-(2**63), min(int(after), 2**63 - 1)))
    context = {
        "project": project,
        "column": more,
        "move_targets": states,
        "may_move": accounts.may(here, "records.write") and project.archived_at is None,
        "query": urlencode(wanted.query()),
        **lists.narrowing(here, wanted),
    }
    return render(request, "tasks/project_board.html#column_rest", context)


@require_POST
def move_task(request: HttpRequest, key: str) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    task = found.task(here.agency_id, key)
    seen = request.POST.get("from", "")
    wrong, done = "", None
    try:
        done = services.move_task(
            agency_id=here.agency_id,
            key=key,
            state_id=UUID(request.POST.get("state", "")),
            below=request.POST.get("below") or None,
            from_state_id=UUID(seen) if seen else None,
            by=here.member_id,
            now=dt.datetime.now(dt.UTC),
        )
    except (ValueError, services.NoSuchState) as error:
        raise BadRequest(_("The project has no such state.")) from error
    except services.MovedMeanwhile:
        wrong = _("Somebody else has moved it meanwhile. Here is where it stands now.")
    except services.InTrash:
        wrong = _("It is in the trash. Restore it before you move it.")
    except services.ProjectArchived:
        wrong = _("The project is archived. Take it out of the archive before you change its tasks.")
    if request.POST.get("page") == "board":
        return _answer_board(request, here, task, wrong)
    if wrong:
        messages.warning(request, wrong)
    address = reverse("tasks:task_detail", args=[here.slug, key])
    return redirect(f"{address}?done={done.version}" if done and done.version else address)


def _answer_board(request: HttpRequest, here: accounts.Membership, task: queries.Task, wrong: str) -> HttpResponse:
    wanted = queries.filters(request.GET.dict(), me=here.member_id)
    if request.headers.get("HX-Request"):
        return _board(request, found.project(here.agency_id, task.project_key), wanted, wrong=wrong)
    if wrong:
        messages.warning(request, wrong)
    address = reverse("tasks:project_board", args=[here.slug, task.project_key])
    return redirect(f"{address}?{urlencode(wanted.query())}" if wanted else address)
