"""Projects: their list, beginning one, its settings and states."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consult.accounts import queries as accounts
from consult.tasks import forms, queries, services
from consult.tasks.views import found


@require_GET
def project_list(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    archived = request.GET.get("archived") == "1"
    projects = queries.projects(here.agency_id, archived=archived)
    return render(request, "tasks/project_list.html", {"projects": projects, "archived": archived})


@require_http_methods(["GET", "POST"])
def create_project(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    form = forms.NewProject(request.POST if request.method == "POST" else None, agency_id=here.agency_id)
    if form.is_bound and form.is_valid():
        try:
            services.create_project(
                agency_id=here.agency_id,
                name=form.cleaned_data["name"],
                key=form.cleaned_data["key"],
                client_id=form.client_id(),
                by=here.member_id,
            )
        except services.KeyTaken:
            form.add_error("key", _("Another project has this key, or had it. Choose another one."))
        else:
            messages.success(request, _("The project is there. Add its first task."))
            return redirect("tasks:project_detail", here.slug, form.cleaned_data["key"])
    return render(request, "tasks/project_form.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def update_project(request: HttpRequest, project_key: str) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    project = found.project(here.agency_id, project_key)
    form = forms.Project(request.POST if request.method == "POST" else None, agency_id=here.agency_id, initial=project)
    changed_meanwhile = False
    if form.is_bound and form.is_valid():
        try:
            services.update_project(
                agency_id=here.agency_id,
                project_id=project.id,
                by=here.member_id,
                name=form.cleaned_data["name"],
                client_id=form.client_id(),
                version=form.cleaned_data["version"],
            )
        except services.ChangedMeanwhile:
            changed_meanwhile = True
        else:
            messages.success(request, _("The project is saved."))
            return redirect("tasks:update_project", here.slug, project.key)
    status = 422 if form.errors else 409 if changed_meanwhile else 200
    return _settings(request, project, form=form, changed_meanwhile=changed_meanwhile, status=status)


@require_POST
def set_states(request: HttpRequest, project_key: str) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    project = found.project(here.agency_id, project_key)
    rows = forms.States(request.POST)
    wrong, status = "", 422
    version = request.POST.get("version", "")
    if not rows.is_valid():
        wrong = _("Please look at the states again: something is missing or too long.")
    else:
        try:
            services.set_states(
                agency_id=here.agency_id,
                project_id=project.id,
                states=rows.wanted(),
                by=here.member_id,
                now=dt.datetime.now(dt.UTC),
                version=int(version) if version.isascii() and version.isdigit() else None,
            )
        except services.StateInUse as error:
            wrong = _("%(states)s still has tasks, perhaps in the trash. Move them first, then remove it.") % {
                "states": ", ".join(error.names)
            }
        except services.BadStates as error:
            wrong = str(error)
        except services.ChangedMeanwhile:
            wrong, status = _("Somebody else has saved the project meanwhile. Nothing of theirs was overwritten."), 409
        else:
            messages.success(request, _("The states are saved."))
            return redirect("tasks:update_project", here.slug, project.key)
    return _settings(request, project, rows=rows, wrong=wrong, status=status)


def _settings(request: HttpRequest, project: queries.Project, *, status: int = 200, **more: Any) -> HttpResponse:
    here = accounts.here(request)
    context = {
        "project": project,
        "form": forms.Project(agency_id=here.agency_id, initial=project),
        "rows": forms.States(states=queries.states(here.agency_id, project.id)),
        **more,
    }
    return render(request, "tasks/project_settings.html", context, status=status)


@require_POST
def archive_project(request: HttpRequest, project_key: str) -> HttpResponse:
    now = dt.datetime.now(dt.UTC)
    return _change(request, project_key, services.archive_project, _("The project is in the archive."), now=now)


@require_POST
def reopen_project(request: HttpRequest, project_key: str) -> HttpResponse:
    return _change(request, project_key, services.reopen_project, _("The project is open again."))


def _change(
    request: HttpRequest, project_key: str, change: Callable[..., None], words: str, **more: Any
) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    project = found.project(here.agency_id, project_key)
    change(agency_id=here.agency_id, project_id=project.id, by=here.member_id, **more)
    messages.success(request, words)
    return redirect("tasks:project_detail", here.slug, project.key)
