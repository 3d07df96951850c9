from django.urls import path

from consult.accounts import views

app_name = "accounts"
urlpatterns = [
    path("accounts/agencies/", views.agency_list, name="agency_list"),
    path("accounts/sign-in/<str:token>/", views.use_sign_in_link, name="use_sign_in_link"),
    path("<slug:agency>/live-token/", views.live_token, name="live_token"),
]
