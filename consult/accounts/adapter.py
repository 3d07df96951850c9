"""How allauth behaves here."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class Accounts(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("This e-mail address and this password do not belong together."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People come by invitation or command, not by a public form."""
        return False

    def is_ajax(self, request: HttpRequest) -> bool:
        """Never: its JSON answers repeat whatever the form was sent, passwords too."""
        return False
