"""Imports of contacts and companies: upload, columns, check, run, and all of it taken back."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consult.accounts import queries as accounts
from consult.core import delimited, errors, files, spreadsheet
from consult.crm import forms, queries, services
from consult.crm.queries.labels import Place

SHOWN = 50
# Why a file, or a job, came to nothing.
FAULTS = {
    "empty": gettext_noop("There is no row in this file."),
    "workbook": gettext_noop(
        "This is a workbook, not a CSV file. Open it and save it as “CSV UTF-8”, then upload that."
    ),
    "binary": gettext_noop("This is no text, so it is no CSV file. Perhaps another file was meant."),
    "encoding": gettext_noop("The file is not written in this encoding. Choose another one."),
    "columns": gettext_noop("Row %(row)d has more than 200 cells. Is this the right delimiter?"),
    "cell": gettext_noop(
        "From row %(row)d on the file makes no sense: a quotation mark is opened there and not closed, or a cell is"
        " longer than 100,000 characters."
    ),
    "line": gettext_noop("Row %(row)d is longer than a million characters, so it is no row."),
    "too_many_rows": gettext_noop("The file has more than 250,000 rows. Split it and import the parts."),
    "storage": gettext_noop("The storage for files did not answer. Nothing is lost; try again."),
    "missing": gettext_noop("The file is not there any more. Upload it again."),
    "unexpected": gettext_noop("It stopped with an unexpected error, which the log has. Nothing is lost; try again."),
}
ISSUES = {
    "broken": gettext_noop("has characters that are broken in this encoding"),
    "nul": gettext_noop("has NUL characters, which no text has"),
    "extra_cells": gettext_noop("the row has more cells than there are columns"),
    "no_name": gettext_noop("neither a name nor an e-mail address"),
    "too_long": gettext_noop("is too long"),
    "too_many": gettext_noop("has more than twenty of them"),
    "email": gettext_noop("is no e-mail address"),
    "phone": gettext_noop("is no phone number"),
    "number": gettext_noop("is no number"),
    "date": gettext_noop("is no day, such as 2027-01-31 or 31.01.2027"),
    "choice": gettext_noop("is none of the field’s choices"),
    "client": gettext_noop("is no client of yours"),
    "website": gettext_noop("is no address of a website"),
    "label": gettext_noop("is too long for a label"),
}
MAPPINGS = {
    "unknown": gettext_noop("One of the choices is not there any more. Look at the columns again."),
    "twice": gettext_noop("Two columns mean the same. Only e-mails, phones, labels and addresses may come in several."),
    "nameless": gettext_noop("Say which column is the name, so that each goes by something."),
}


@require_http_methods(["GET", "POST"])
def create_import(request: HttpRequest, place: Place) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    error = ""
    if request.method == "POST":
        file = request.FILES.get("file")
        try:
            if file is None:
                raise delimited.Unreadable("none")
            import_id = services.create_import(
                agency_id=here.agency_id,
                place=place,
                name=str(file.name),
                chunks=file.chunks(),
                by=here.member_id,
                now=timezone.now(),
            )
            return redirect("crm:import_detail", here.slug, import_id)
        except delimited.Unreadable as fault:
            error = _("Choose a file.") if fault.kind == "none" else fault_words(fault.kind, fault.row)
        except services.TooLarge:
            return errors.too_large(request)
        except files.Away:
            return errors.answer(request, 503)
    context = {
        "place": place,
        "error": error,
        "imports": [(each, _state(each)) for each in queries.imports(here.agency_id)],
        "limit_mb": settings.CONSULT_IMPORT_LIMIT_BYTES // 1024**2,
        "limit_bytes": settings.CONSULT_IMPORT_LIMIT_BYTES,
    }
    return render(request, "crm/import_form.html", context, status=422 if error else 200)


def fault_words(kind: str, row: int = 0) -> str:
    """Return in words why a file or a job came to nothing."""
    return _(FAULTS.get(kind, FAULTS["unexpected"])) % {"row": row}


def issue_words(issue: dict[str, str]) -> str:
    """Return in words what is wrong with a cell."""
    said = _(ISSUES.get(issue["code"], issue["code"]))
    shown = issue["value"] if issue["code"] not in ("extra_cells", "too_many") else ""
    return f"“{shown}” {said}" if shown else said


def _state(of: queries.Import) -> str:
    words = {
        "new": _("Not checked yet"),
        "checking": _("Being checked"),
        "checked": _("Checked, not imported yet"),
        "running": _("Being imported"),
        "done": _("Imported"),
        "undoing": _("Being taken back"),
        "undone": _("Taken back"),
        "failed": _("Stopped"),
    }
    return words[of.state]


@require_GET
def import_detail(request: HttpRequest, import_id: UUID) -> HttpResponse:
    of = _existing(request, import_id)
    if request.headers.get("HX-Request"):
        page = render(request, "crm/import_detail.html#progress", {"import": of, "state": _state(of)})
        if not of.at_work:
            # There is more to see now than a bar.
            page["HX-Refresh"] = "true"
        return page
    return _page(request, of)


def _existing(request: HttpRequest, import_id: UUID) -> queries.Import:
    try:
        return queries.import_(accounts.here(request).agency_id, import_id)
    except queries.NoSuchImport as error:
        raise Http404 from error


def _page(
    request: HttpRequest,
    of: queries.Import,
    *,
    status: int = 200,
    columns_error: str = "",
    reading_error: str = "",
    mapping: list[str] | None = None,
) -> HttpResponse:
    here = accounts.here(request)
    unmapped = of.state in ("new", "checked", "failed") and not of.is_written and bool(of.location)
    columns: list[forms.Column] = []
    if unmapped:
        try:
            columns = forms.columns(here.agency_id, of, queries.preview(of), mapping or of.mapping)
        except delimited.Unreadable as fault:
            reading_error = fault_words(fault.kind, fault.row)
        except files.Missing:
            reading_error, unmapped = fault_words("missing"), False
        except files.Away:
            return errors.answer(request, 503)
    outcome = ("kept",) if of.state == "undone" else ("failed",)
    rows = queries.import_rows(here.agency_id, of.id, *outcome, limit=SHOWN)
    context = {
        "import": of,
        "state": _state(of),
        "unmapped": unmapped,
        "columns": columns,
        "columns_error": columns_error,
        "reading_error": reading_error,
        "encodings": delimited.ENCODINGS,
        "delimiters": [(",", _("Comma")), (";", _("Semicolon")), ("\t", _("Tab")), ("|", _("Vertical bar"))],
        "rows": [(row, [(each["column"], issue_words(each)) for each in row.issues]) for row in rows],
        "similar": queries.import_rows(here.agency_id, of.id, "similar", limit=SHOWN) if of.state == "checked" else [],
        "fault": fault_words(of.error, of.error_row) if of.error else "",
        "can_undo": of.can_undo(timezone.now()),
        "shown": SHOWN,
    }
    return render(request, "crm/import_detail.html", context, status=status)


@require_POST
def reread_import(request: HttpRequest, import_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    of = _existing(request, import_id)
    delimiter = "\t" if request.POST.get("delimiter") == "tab" else request.POST.get("delimiter", "")
    encoding = request.POST.get("encoding", "")
    if encoding not in delimited.ENCODINGS or delimiter not in delimited.DELIMITERS:
        return _page(request, of, status=422, reading_error=_("Choose an encoding and a delimiter."))
    form = delimited.Form(encoding, delimiter, "has_header" in request.POST)
    try:
        services.reread_import(
            agency_id=here.agency_id, import_id=import_id, form=form, by=here.member_id, now=timezone.now()
        )
    except delimited.Unreadable as fault:
        return _page(request, of, status=422, reading_error=fault_words(fault.kind, fault.row))
    except files.Missing:
        return _page(request, of, status=422, reading_error=fault_words("missing"))
    except files.Away:
        return errors.answer(request, 503)
    except services.WrongState:
        messages.warning(request, _("That is not possible any more. Here is how it stands."))
    return redirect("crm:import_detail", here.slug, import_id)


@require_POST
def check_import(request: HttpRequest, import_id: UUID) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    of = _existing(request, import_id)
    mapping = [request.POST.get(f"column-{number}", "") for number in range(len(of.columns))]
    try:
        services.check_import(
            agency_id=here.agency_id,
            import_id=import_id,
            mapping=mapping,
            on_known=request.POST.get("on_known", "update"),
            by=here.member_id,
            now=timezone.now(),
        )
    except services.BadMapping as fault:
        return _page(request, of, status=422, columns_error=_(MAPPINGS[fault.kind]), mapping=mapping)
    except services.WrongState:
        messages.warning(request, _("That is not possible any more. Here is how it stands."))
    return redirect("crm:import_detail", here.slug, import_id)


def _act(request: HttpRequest, import_id: UUID, act: Callable[..., None], said: str) -> HttpResponse:
    here = accounts.permit(request, "records.write")
    of = _existing(request, import_id)
    try:
        act(agency_id=here.agency_id, import_id=import_id, by=here.member_id, now=timezone.now())
    except services.WrongState:
        messages.warning(request, _("That is not possible any more. Here is how it stands."))
        return redirect("crm:import_detail", here.slug, import_id)
    messages.success(request, said)
    if act is services.discard_import:
        return redirect(f"crm:{'import_contacts' if of.place == 'contact' else 'import_companies'}", here.slug)
    return redirect("crm:import_detail", here.slug, import_id)


@require_POST
def start_import(request: HttpRequest, import_id: UUID) -> HttpResponse:
    said = _("It is being imported. You may leave this page.")
    return _act(request, import_id, services.start_import, said)


@require_POST
def undo_import(request: HttpRequest, import_id: UUID) -> HttpResponse:
    return _act(request, import_id, services.undo_import, _("It is being taken back. You may leave this page."))


@require_POST
def discard_import(request: HttpRequest, import_id: UUID) -> HttpResponse:
    return _act(request, import_id, services.discard_import, _("The file is discarded. Nothing was imported."))


@require_GET
def download_issues(request: HttpRequest, import_id: UUID) -> HttpResponseBase:
    """Every row that was not taken, and why, as far as they were noted."""
    here = accounts.permit(request, "records.write")
    of = _existing(request, import_id)

    def rows() -> Iterator[tuple[Any, ...]]:
        for line, issue in queries.every_issue(here.agency_id, of.id):
            yield line, issue["column"], issue["value"], str(_(ISSUES.get(issue["code"], issue["code"])))

    header = (_("Row"), _("Column"), _("What stands there"), _("What is wrong"))
    return spreadsheet.download(f"issues-{timezone.localdate():%Y-%m-%d}", header, rows())
