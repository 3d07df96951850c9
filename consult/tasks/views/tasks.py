"""One task: making it, its page, changing it, the trash."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consult.accounts import queries as accounts
from consult.core import markdown
from consult.crm import queries as crm
from consult.tasks import forms, queries, services
from consult.tasks.forms.tasks import PRIORITIES
from consult.tasks.views import found, history

ARCHIVED = "The project is archived. Take it out of the archive before you change its tasks."


@require_http_methods(["GET", "POST"])
def create_task(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    projects = queries.open_projects(here.agency_id)
    line = request.GET.get("line", "").replace("\0", "")[:500]
    said = _said(here, line, projects)
    asked = request.POST.get("project") or said.value("project") or request.GET.get("project", "")
    project = next((each for each in projects if each.key == asked), projects[0] if len(projects) == 1 else None)
    deal = _deal(here.agency_id, request.POST.get("deal") or request.GET.get("deal", ""))
    context: dict[str, Any] = {"projects": projects, "project": project, "deal": deal, "line": line}
    if project is None:
        status = 422 if request.method == "POST" else 200
        return render(request, "tasks/choose_project.html", context, status=status)
    states = queries.states(here.agency_id, project.id)
    form = forms.Task(
        request.POST if request.method == "POST" else None,
        agency_id=here.agency_id,
        states=states,
        initial=_offered(request, states, deal) | _meant(said),
    )
    context |= {"chips": _chips(here.agency_id, said), "unknown": said.unknown}
    if form.is_bound and form.is_valid():
        try:
            key = services.create_task(
                agency_id=here.agency_id,
                project_id=project.id,
                by=here.member_id,
                now=dt.datetime.now(dt.UTC),
                deal_id=deal.id if deal else None,
                contact_id=deal.contact_id if deal else None,
                company_id=deal.company_id if deal else None,
                origin_submission_id=deal.origin_submission_id if deal else None,
                **form.values(),
            )
        except services.ProjectArchived:
            form.add_error(None, _(ARCHIVED))
        except (services.NoSuchState, services.NoSuchMember):
            form.add_error(None, _("A state or a member is gone meanwhile. Please choose again."))
        else:
            messages.success(request, _("%(key)s is there.") % {"key": key})
            return redirect("tasks:task_detail", here.slug, key)
    return render(request, "tasks/task_form.html", {**context, "form": form}, status=422 if form.errors else 200)


def _said(here: accounts.Membership, line: str, projects: list[queries.Project]) -> queries.Quick:
    members = {person.name: str(person.id) for person in accounts.members(here.agency_id)} if "@" in line else {}
    today = dt.datetime.now(ZoneInfo(here.time_zone)).date()
    return queries.quick(line, members=members, projects=[each.key for each in projects], today=today)


def _meant(said: queries.Quick) -> dict[str, Any]:
    """Return what a line fills in; nothing is saved by it."""
    day, estimate = said.value("due"), said.value("estimate")
    found: dict[str, Any] = {
        "title": said.title[:200],
        "priority": said.value("priority"),
        "assignees": said.values("assignee"),
        "due_on": dt.date.fromisoformat(day) if day else None,
        "estimate": queries.duration(int(estimate)) if estimate else "",
    }
    return {name: value for name, value in found.items() if value}


def _chips(agency_id: int, said: queries.Quick) -> list[tuple[str, str]]:
    """Return what was understood: the word, and what it means."""
    names = {str(id): name for id, name in accounts.member_names(agency_id).items()} if said.values("assignee") else {}
    return [
        (
            piece.text,
            names.get(piece.value, "")
            or (queries.duration(int(piece.value)) if piece.kind == "estimate" else "")
            or (str(PRIORITIES[piece.value]) if piece.kind == "priority" else piece.value),
        )
        for piece in said.pieces
    ]


def _deal(agency_id: int, text: str) -> crm.Deal | None:
    try:
        return crm.deal(agency_id, UUID(text))
    except (ValueError, crm.NoSuchDeal):
        return None


def _offered(request: HttpRequest, states: list[queries.State], deal: crm.Deal | None) -> dict[str, Any]:
    order = ("unstarted", "backlog", "started")
    first = min(
        (each for each in states if each.group in order), key=lambda each: order.index(each.group), default=None
    )
    asked = request.GET.get("state", "")
    return {
        "title": request.GET.get("title", "").replace("\0", "")[:200] or (deal.title if deal else ""),
        "state": asked or (str(first.id) if first else ""),
        "priority": "none",
    }


@require_GET
def task_detail(request: HttpRequest, key: str) -> HttpResponse:
    return task_page(request, key)


def task_page(request: HttpRequest, key: str, *, status: int = 200, **more: Any) -> HttpResponse:
    """Return a task's page."""
    here = accounts.permit(request, "records.read")
    task = found.task(here.agency_id, key)
    states = queries.states(here.agency_id, task.project_id)
    comments = queries.comments(here.agency_id, task.id)
    changes = queries.changes(here.agency_id, task.id)
    done = request.GET.get("done", "")
    context = {
        "task": task,
        "states": states,
        "done_state": next((each for each in states if each.group == "completed"), None),
        "again_state": next((each for each in states if each.group in ("unstarted", "backlog", "started")), None),
        "origin": queries.origin(here.agency_id, task),
        "description": markdown.to_html(task.description),
        "comments": [(each, markdown.to_html(each.body)) for each in comments],
        "lines": history.said(changes, accounts.member_names(here.agency_id)),
        "members": accounts.members(here.agency_id),
        "can_undo": done.isascii() and done.isdigit() and int(done) == task.version,
        "today": dt.datetime.now(ZoneInfo(here.time_zone)).date(),
        **more,
    }
    return render(request, "tasks/task_detail.html", context, status=status)


@require_http_methods(["GET", "POST"])
def update_task(request: HttpRequest, key: str) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    task = found.task(here.agency_id, key)
    states = queries.states(here.agency_id, task.project_id)
    form = forms.Task(
        request.POST if request.method == "POST" else None, agency_id=here.agency_id, states=states, initial=task
    )
    conflict: list[history.Said] = []
    if form.is_bound and form.is_valid():
        try:
            done = services.update_task(
                agency_id=here.agency_id,
                key=key,
                by=here.member_id,
                now=dt.datetime.now(dt.UTC),
                seen=form.cleaned_data["version"],
                **form.values(),
            )
        except services.Conflict as error:
            conflict = history.said(error.changes, accounts.member_names(here.agency_id))
            task = found.task(here.agency_id, key)
        except services.InTrash:
            form.add_error(None, _("It is in the trash. Restore it before you change it."))
        except services.ProjectArchived:
            form.add_error(None, _(ARCHIVED))
        except (services.NoSuchState, services.NoSuchMember):
            form.add_error(None, _("A state or a member is gone meanwhile. Please choose again."))
        else:
            address = reverse("tasks:task_detail", args=[here.slug, key])
            return redirect(f"{address}?done={done.version}" if done.version else address)
    context = {"form": form, "task": task, "project": None, "conflict": conflict}
    status = 422 if form.errors else 409 if conflict else 200
    return render(request, "tasks/task_form.html", context, status=status)


def _change(request: HttpRequest, key: str, change: Callable[..., Any], **more: Any) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    found.task(here.agency_id, key)
    address = reverse("tasks:task_detail", args=[here.slug, key])
    try:
        done = change(agency_id=here.agency_id, key=key, by=here.member_id, now=dt.datetime.now(dt.UTC), **more)
    except services.InTrash:
        messages.warning(request, _("It is in the trash. Restore it before you change it."))
    except services.ProjectArchived:
        messages.warning(request, _(ARCHIVED))
    except services.CannotUndo:
        messages.warning(request, _("It was changed again since, so this was not taken back."))
    else:
        if isinstance(done, services.Done) and done.version and change is not services.undo_task:
            address = f"{address}?done={done.version}"
    return redirect(address)


@require_POST
def assign_task(request: HttpRequest, key: str) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    task = found.task(here.agency_id, key)
    try:
        member = UUID(request.POST.get("member", ""))
    except ValueError:
        return redirect("tasks:task_detail", here.slug, key)
    try:
        return _change(request, key, services.assign_task, member_id=member, on=member not in task.assignee_ids)
    except services.NoSuchMember:
        messages.warning(request, _("There is no such member any more."))
        return redirect("tasks:task_detail", here.slug, key)


@require_POST
def undo_task(request: HttpRequest, key: str) -> HttpResponse:
    version = request.POST.get("version", "")
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        accounts.permit(request, "records.write")
        raise Http404
    return _change(request, key, services.undo_task, version=int(version))


@require_POST
def trash_task(request: HttpRequest, key: str) -> HttpResponse:
    return _change(request, key, services.trash_task)


@require_POST
def restore_task(request: HttpRequest, key: str) -> HttpResponse:
    return _change(request, key, services.restore_task)
