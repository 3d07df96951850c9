"""Saying something about a task, and saying it better."""

import datetime as dt
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from consult.accounts import queries as accounts
from consult.core import markdown
from consult.tasks import queries, services
from consult.tasks.views import found, tasks

CLOSED = (services.InTrash, services.ProjectArchived)


@require_POST
def add_comment(request: HttpRequest, key: str) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    found.task(here.agency_id, key)
    body = request.POST.get("body", "").replace("\0", "")
    try:
        made = services.add_comment(
            agency_id=here.agency_id, key=key, body=body, by=here.member_id, now=dt.datetime.now(dt.UTC)
        )
    except services.EmptyComment:
        wrong = _("Write something first; 100,000 characters at most.")
        return tasks.task_page(request, key, status=422, comment_error=wrong, comment_body=body)
    except CLOSED:
        wrong = _("The task is in the trash, or its project is archived. Take it out first.")
        return tasks.task_page(request, key, status=409, comment_error=wrong, comment_body=body)
    return redirect(reverse("tasks:task_detail", args=[here.slug, key]) + f"#comment-{made}")


@require_http_methods(["GET", "POST"])
def edit_comment(request: HttpRequest, key: str, comment_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.read")
    task = found.task(here.agency_id, key)
    comment = queries.comment(here.agency_id, task.id, comment_id)
    if comment is None:
        raise Http404
    wrong, status = "", 200
    body = comment.body
    if request.method == "POST":
        accounts.permit(request, "records.write")
        body, status = request.POST.get("body", "").replace("\0", ""), 422
        version = request.POST.get("version", "")
        try:
            services.edit_comment(
                agency_id=here.agency_id,
                key=key,
                comment_id=comment_id,
                body=body,
                by=here.member_id,
                now=dt.datetime.now(dt.UTC),
                version=int(version) if version.isascii() and version.isdigit() else None,
            )
        except services.NotYours as error:
            raise PermissionDenied(_("Only who wrote a comment may change it.")) from error
        except services.EmptyComment:
            wrong = _("Write something first; 100,000 characters at most.")
        except services.ChangedMeanwhile:
            wrong, status = _("It was changed in another tab meanwhile. What you typed is still here."), 409
        except CLOSED:
            wrong, status = _("The task is in the trash, or its project is archived. Take it out first."), 409
        else:
            return redirect(reverse("tasks:task_detail", args=[here.slug, key]) + f"#comment-{comment_id}")
    former = [(until, markdown.to_html(text)) for until, text in queries.edits(here.agency_id, comment_id)]
    context = {
        "task": task,
        "comment": comment,
        "body": body,
        "wrong": wrong,
        "former": former,
        "is_mine": comment.author_id is not None and comment.author_id == here.member_id,
        "now_html": markdown.to_html(comment.body),
    }
    return render(request, "tasks/comment_form.html", context, status=status)
