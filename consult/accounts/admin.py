"""The admin's own way in: which agency's records are shown, and the accounts tables."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path

from consult.accounts import models, queries
from consult.accounts.middleware import ADMIN_AGENCY
from consult.core.admin import Records


class Choice(forms.Form):
    agency = forms.TypedChoiceField(coerce=int, choices=[])

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["agency"].choices = [  # type: ignore[attr-defined]
            (id, f"{name} ({slug})") for id, slug, name in queries.agencies()
        ]


@admin.register(models.Agency)
class Agencies(Records):
    """Its list is the chooser: without a chosen agency, row-level security shows no record of any."""

    def get_urls(self) -> list[URLPattern]:
        return [
            path("choose/", self.admin_site.admin_view(choose), name="choose_agency"),
            *super().get_urls(),
        ]


def choose(request: HttpRequest) -> HttpResponse:
    form = Choice(request.POST or None)
    if request.method == "POST" and form.is_valid():
        request.session[ADMIN_AGENCY] = form.cleaned_data["agency"]
        return redirect("admin:index")
    return render(request, "admin/choose_agency.html", {**admin.site.each_context(request), "form": form})


# The libraries' own pages would offer changes that no service makes.
for model in (Group, EmailAddress):
    admin.site.unregister(model)
    admin.site.register(model, Records)
# They hold second factors and session keys, or nothing: not for looking at.
for hidden in (Authenticator, SocialAccount, SocialApp, SocialToken, UserSession):
    admin.site.unregister(hidden)
admin.site.register(models.Member, Records)
admin.site.register(models.Invitation, Records)
admin.site.register(models.Export, Records)
admin.site.register(models.Notification, Records)
admin.site.register(models.ApiToken, Records)
admin.site.register(models.Grant, Records)
admin.site.register(models.Audit, Records)
admin.site.register(models.User, Records)
admin.site.register(models.SignInLink, Records)
admin.site.register(models.SigningKey, Records)
