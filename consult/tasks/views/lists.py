"""Lists of tasks: a project's, one's own, the trash."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from consult.accounts import queries as accounts
from consult.tasks import queries
from consult.tasks.forms import projects as project_forms
from consult.tasks.forms import tasks as task_forms
from consult.tasks.views import found


@require_GET
def my_work(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    after = request.GET.get("after", "")
    page = queries.TaskPage([], "")
    if here.member_id:
        page = queries.my_work(here.agency_id, here.member_id, after=after)
    context = {
        "tasks": page.tasks,
        "next_cursor": page.next_cursor,
        "after": after,
        "today": dt.datetime.now(ZoneInfo(here.time_zone)).date(),
        "has_projects": bool(page.tasks) or bool(queries.open_projects(here.agency_id)),
    }
    return render(request, "tasks/my_work.html", context)


@require_GET
def trash_list(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    context = {"tasks": queries.trash(here.agency_id), "days": queries.TRASH_DAYS}
    return render(request, "tasks/trash_list.html", context)


@require_GET
def project_detail(request: HttpRequest, project_key: str) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    project = found.project(here.agency_id, project_key)
    wanted = queries.filters(request.GET.dict(), me=here.member_id)
    after = request.GET.get("after", "")
    sections = queries.sections(here.agency_id, project, wanted, after=after)
    context = {
        "project": project,
        "sections": [(each, project_forms.GROUPS[each.group]) for each in sections],
        "after": after,
        **narrowing(here, wanted),
    }
    return render(request, "tasks/project_detail.html", context)


def narrowing(here: accounts.Membership, wanted: queries.Filters) -> dict[str, object]:
    """Return what the form of the filters shows."""
    return {
        "wanted": wanted,
        "members": accounts.members(here.agency_id),
        "priorities": task_forms.PRIORITIES,
        "today": dt.datetime.now(ZoneInfo(here.time_zone)).date(),
        "groups": project_forms.GROUPS,
    }
