"""allauth's forms, with addresses in the one form that we compare."""

from typing import Any

from allauth.account import forms
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest, HttpResponse

from consult.accounts import models


class SignIn(forms.LoginForm):
    def clean_login(self) -> str:
        return models.normalise_email(self.cleaned_data["login"])


class AskForCode(forms.RequestLoginCodeForm):
    def clean_email(self) -> str:
        self.cleaned_data["email"] = models.normalise_email(self.cleaned_data["email"])
        return super().clean_email()


class ForgottenPassword(forms.ResetPasswordForm):
    def clean_email(self) -> str:
        super().clean_email()
        return models.normalise_email(self.cleaned_data["email"])


class SignUp(forms.SignupForm):
    field_order = ["name", "email", "password1", "agency_name", "slug"]

    def try_save(self, request: HttpRequest) -> tuple[Any, HttpResponse | None]:
        if self.account_already_exists:
            # As much work as for a new one: the time must not tell that the address is known.
            make_password(self.cleaned_data["password1"])
        saved: tuple[Any, HttpResponse | None] = super().try_save(request)
        return saved
