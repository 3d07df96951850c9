"""The settings of the mailbox that mail is fetched from, and of the hook."""

import datetime as dt

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods, require_POST

from consult.accounts import queries as accounts
from consult.inbox import forms, queries, services

# What is wrong, and what to do.
WHY = {
    "unknown_host": gettext_noop("There is no server of this name. Look whether it is written right."),
    "forbidden_host": gettext_noop(
        "This server is not connected to: it has to be at a public address, at port 143 or 993. Whoever runs Consult "
        "can allow networks of their own (CONSULT_IMAP_NETWORKS)."
    ),
    "needs_tls": gettext_noop("Without encryption anybody on the way could read the password. Choose TLS or STARTTLS."),
    "unreachable": gettext_noop("The server does not answer at this port, or hung up."),
    "timeout": gettext_noop("The server took too long to answer."),
    "certificate": gettext_noop("The server’s certificate is not one for this name, or nobody known has signed it."),
    "tls": gettext_noop("No encrypted connection came about. Port 993 usually goes with TLS, port 143 with STARTTLS."),
    "login": gettext_noop("The server refuses this user name and password. Some need a password made for programs."),
    "folder": gettext_noop("There is no such folder in the mailbox."),
    "protocol": gettext_noop("What answers there does not speak IMAP as it should, or not with this encryption."),
    "storage": gettext_noop("Consult’s own storage of files does not answer. Nothing is lost, it is tried again."),
    "left": gettext_noop("Some mails are listed by the server, but not handed out. They are asked for each time."),
    "password": gettext_noop("The password that is kept cannot be read any more. Type it again."),
    "unexpected": gettext_noop("Something went wrong here. Nothing is lost, it is tried again; the log says more."),
}


@require_http_methods(["GET", "POST"])
def connect_mailbox(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "settings.manage")
    known = queries.mailbox(here.agency_id)
    initial = vars(known) if known else {"port": 993, "security": "tls", "folder": "INBOX", "plus": True}
    form = forms.Mailbox(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            now = dt.datetime.now(dt.UTC)
            services.connect_mailbox(agency_id=here.agency_id, by=here.member_id, now=now, **form.cleaned_data)
            messages.success(request, _("Saved. The mailbox is being tried now."))
            return redirect("inbox:connect_mailbox", here.slug)
        except services.NoPassword:
            form.add_error("password", _("Type the password: another server or user needs its own."))
        except services.BadMailbox as error:
            form.add_error(str(error), _("It holds signs that no mailbox has."))
    context = {"form": form, "mailbox": known, "why": why(known)}
    return render(request, "inbox/mailbox_form.html", context, status=422 if form.errors else 200)


def why(mailbox: queries.Mailbox | None) -> str:
    return _(WHY[mailbox.error]) if mailbox and mailbox.error else ""


@require_POST
def disconnect_mailbox(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "settings.manage")
    try:
        services.disconnect_mailbox(agency_id=here.agency_id, by=here.member_id)
    except services.NoMailbox as error:
        raise Http404 from error
    messages.success(request, _("The mailbox is disconnected and its password forgotten. What was fetched stays."))
    return redirect("inbox:template_list", here.slug)


@require_POST
def check_mailbox(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "settings.manage")
    try:
        services.check_mailbox(agency_id=here.agency_id, now=dt.datetime.now(dt.UTC))
    except services.NoMailbox as error:
        raise Http404 from error
    messages.success(request, _("The mailbox is being looked into now."))
    return redirect("inbox:connect_mailbox", here.slug)


@require_POST
def renew_hook(request: HttpRequest) -> HttpResponse:
    here = accounts.permit(request, "settings.manage")
    services.renew_hook(agency_id=here.agency_id, by=here.member_id, now=dt.datetime.now(dt.UTC))
    messages.success(request, _("There is a new secret. The one before it is believed for a day, or until the next."))
    return redirect("inbox:template_list", here.slug)
