"""The one list of every page and JSON router."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from consult.accounts import urls as accounts
from consult.accounts.views import people
from consult.core import health
from consult.inbox import views as inbox

handler400 = "consult.core.errors.bad_request"
handler403 = "consult.core.errors.permission_denied"
handler404 = "consult.core.errors.not_found"
handler500 = "consult.core.errors.server_error"
# Asked for by allauth; Django itself knows no handler429.
handler429 = "consult.core.errors.too_many_requests"

urlpatterns = [
    path("health/", health.health, name="health"),
    path("ready/", health.ready, name="ready"),
    path("", people.landing, name="landing"),
    path("admin/", admin.site.urls),
    path("accounts/", include(accounts.people_urlpatterns)),
    path("", include("consult.accounts.urls")),
    *([path("mail/", include("consult.core.mailbox"))] if settings.CONSULT_MAILBOX else []),
    path("<slug:agency>/", inbox.home, name="home"),
    path("<slug:agency>/", include("consult.inbox.urls")),
    path("<slug:agency>/", include("consult.intake.urls")),
]
