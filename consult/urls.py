"""The one list of every page and JSON router."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt

from consult.accounts import api as accounts_api
from consult.accounts import urls as accounts
from consult.accounts.views import people
from consult.core import api, errors, health
from consult.core.api import document, reference
from consult.crm import api as crm_api
from consult.inbox import api as inbox_api
from consult.inbox import urls as inbox_urls
from consult.inbox.views import lists as inbox
from consult.intake import api as intake_api
from consult.tasks import api as tasks_api
from consult.thread import api as thread_api

handler400 = "consult.core.errors.bad_request"
handler403 = "consult.core.errors.permission_denied"
handler404 = "consult.core.errors.not_found"
handler500 = "consult.core.errors.server_error"
# Asked for by allauth; Django itself knows no handler429.
handler429 = "consult.core.errors.too_many_requests"

# Every JSON route. Those of a feature stand in its api.py.
json_api = api.Api(enter=accounts_api.enter, title="Consult", version="1")
for address, router in (
    ("/v1", accounts_api.members),
    *((f"/v1{address}", router) for address, router in (*crm_api.ROUTERS, *tasks_api.ROUTERS)),
    ("/v1/invitations", accounts_api.invitations),
    ("/v1/agency", accounts_api.agencies),
    ("/v1/sites", intake_api.sites),
    ("/v1/forms", intake_api.forms),
    ("/v1/submissions", intake_api.submissions),
    ("/v1/files", intake_api.files),
    ("/v1/attention", intake_api.attention),
    ("/v1/enquiries", inbox_api.messages),
    ("/v1/enquiries", inbox_api.enquiries),
    ("/v1/attachments", inbox_api.attachments),
    ("/v1/mails", inbox_api.mails),
    ("/v1/mailbox", inbox_api.mailbox),
    ("/v1/templates", inbox_api.templates),
    ("/v1/jobs", inbox_api.jobs),
    ("/v1/people", thread_api.people),
    ("/v1/reports", thread_api.reports),
    ("/v1/blocked-senders", intake_api.blocks),
    ("/v1/tokens", accounts_api.tokens),
    ("/v1/programs", accounts_api.grants),
    ("/v1/notifications", accounts_api.notifications),
    ("/v1/audit", accounts_api.audit),
):
    json_api.add_router(address, router)

urlpatterns = [
    path("api/openapi.json", document.view(json_api), name="openapi"),
    # Nothing is posted to it, so who does is told that (405) and not asked for a token of a form.
    path("api/docs", csrf_exempt(reference.view(json_api)), name="api_reference"),
    path("api/", json_api.urls),
    # Also whoever asks without Accept gets a problem, and no page.
    re_path(r"^api(?:/|$)", errors.no_such_route),
    path("health/", health.health, name="health"),
    path("ready/", health.ready, name="ready"),
    path("", people.landing, name="landing"),
    path("admin/", admin.site.urls),
    path("accounts/", include(accounts.people_urlpatterns)),
    path("", include("consult.accounts.urls")),
    path("hooks/", include(inbox_urls.hook_urlpatterns)),
    *([path("mail/", include("consult.core.mailbox"))] if settings.CONSULT_MAILBOX else []),
    path("<slug:agency>/", inbox.home, name="home"),
    path("<slug:agency>/", include("consult.inbox.urls")),
    path("<slug:agency>/", include("consult.tasks.urls")),
    path("<slug:agency>/", include("consult.crm.urls")),
    path("<slug:agency>/", include("consult.intake.urls")),
    path("<slug:agency>/", include("consult.thread.urls")),
]
