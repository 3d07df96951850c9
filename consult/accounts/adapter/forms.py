"""allauth's forms, with addresses in the one form that we compare."""

from allauth.account import forms

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
