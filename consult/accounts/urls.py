from django.urls import path

from consult.accounts.views import audit, live, people

app_name = "accounts"
urlpatterns = [
    path("accounts/agencies/", people.agency_list, name="agency_list"),
    path("accounts/sign-in/<str:token>/", people.use_sign_in_link, name="use_sign_in_link"),
    path("<slug:agency>/settings/audit/", audit.audit_list, name="audit_list"),
    path("<slug:agency>/settings/audit.csv", audit.download_audit, name="download_audit"),
    path("<slug:agency>/live-token/", live.live_token, name="live_token"),
]
