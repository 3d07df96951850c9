"""Second factors and passkeys."""

from typing import Any

from allauth.mfa import signals
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consult.core import encryption

# allauth does not tell the adapter whose secret it is: bound to the column, as encryption.PLACES says.
PLACE = "mfa_authenticator.data"


def _activated(*, request: HttpRequest, authenticator: Authenticator, **_kwargs: Any) -> None:
    """The code that showed the new secret is spent: it is good for no sign-in."""
    if authenticator.type == Authenticator.Type.TOTP:
        TOTP(authenticator)._mark_code_used(request.POST.get("code", ""))


def listen() -> None:
    """Hear what allauth tells; called once, when the apps are ready."""
    signals.authenticator_added.connect(_activated, dispatch_uid="accounts.factors.activated")


class Factors(DefaultMFAAdapter):
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": gettext_lazy("This is not the code."),
        "unverified_email": gettext_lazy("Verify your e-mail address first."),
    }

    def encrypt(self, text: str) -> str:
        return encryption.seal(text.encode(), bound_to=PLACE)

    def decrypt(self, encrypted_text: str) -> str:
        """Raise encryption.CannotOpen."""
        return encryption.open_sealed(encrypted_text, bound_to=PLACE).decode()

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:
        others = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return _("Passkey %(number)s") % {"number": others + 1} if others else _("Passkey")

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": "Consult"}
