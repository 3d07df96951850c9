from django.urls import path

from consult.accounts.views import live, people

app_name = "accounts"
urlpatterns = [
    path("accounts/agencies/", people.agency_list, name="agency_list"),
    path("accounts/sign-in/<str:token>/", people.use_sign_in_link, name="use_sign_in_link"),
    path("<slug:agency>/live-token/", live.live_token, name="live_token"),
]
