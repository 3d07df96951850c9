"""Where mail servers hand over what came in: signed, stored before it is answered."""

import time

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from consult.core import baseline, errors, files
from consult.inbox import forms, queries, rules, services

HEADER = "X-Consult-Signature"


@csrf_exempt
@require_POST
def receive_mail(request: HttpRequest, hook_id: str) -> HttpResponse:
    """Take one mail: as it is (message/rfc822), or in a field of a form. 202 once it is stored; 200 when it was."""
    agency_id = queries.hook_agency(hook_id)
    if agency_id is None:
        return errors.problem(404, detail=_("There is no such hook."))
    if not baseline.declared(request):
        return errors.problem(411)
    body = request.read()
    signed = rules.signed_by(request.headers.get(HEADER, ""), body, queries.hook_secrets(agency_id), int(time.time()))
    if not signed:
        return errors.problem(401, detail=_("The signature is missing, wrong, or older than five minutes."))
    try:
        raw = forms.mail_in(request, body)
        kept = services.keep_mail(hook_agency_id=agency_id, raw=raw)
    except (services.NoMail, RequestDataTooBig):
        return errors.problem(400, detail=_("This is no mail: it has no headers, or is in none of the known fields."))
    except files.Away:
        # Nothing is stored: the mail server keeps it and comes again.
        return errors.problem(503, detail=_("The storage does not answer. Send it again later."))
    return JsonResponse({"id": str(kept.id), "known": kept.known}, status=200 if kept.known else 202)
