from collections.abc import Collection
from typing import Any, ClassVar
from uuid import UUID

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class Accounts(AppConfig):
    name = "consult.accounts"
    label = "accounts"
    # What the audit says of each action, after the name of who did it.
    actions: ClassVar[dict[str, Any]] = {
        "accounts.create_agency": _("founded the agency"),
        "accounts.update_agency": _("changed the agency's settings"),
        "accounts.set_logo": _("set the agency's logo"),
        "accounts.remove_logo": _("removed the agency's logo"),
        "accounts.close_agency": _("announced the agency's end"),
        "accounts.keep_agency": _("kept the agency after all"),
        "accounts.start_export": _("began an export of all data"),
        "accounts.download_export": _("downloaded an export of all data"),
        "accounts.download_person_export": _("downloaded an export of a person"),
        "accounts.add_member": _("added a member"),
        "accounts.invite_member": _("invited somebody"),
        "accounts.resend_invitation": _("sent an invitation again"),
        "accounts.revoke_invitation": _("withdrew an invitation"),
        "accounts.accept_invitation": _("accepted an invitation"),
        "accounts.change_role": _("changed a role"),
        "accounts.transfer_agency": _("handed the agency over"),
        "accounts.remove_member": _("removed a member"),
        "accounts.leave_agency": _("left the agency"),
        "accounts.choose_notifications": _("chose how to hear of things"),
        "accounts.create_api_token": _("made an API token"),
        "accounts.revoke_api_token": _("revoked an API token"),
        "accounts.authorize": _("let a program in"),
        "accounts.exchange_code": _("signed in with a program"),
        "accounts.revoke_grant": _("signed a program out"),
        "accounts.download_audit": _("downloaded the audit"),
    }

    def audit_subjects(self, agency_id: int, slug: str, ids: Collection[UUID]) -> dict[UUID, tuple[str, str]]:
        """Return what the audit calls these, with the addresses of their pages."""
        from consult.accounts import models

        members = models.Member.objects.filter(agency_id=agency_id, id__in=ids).select_related("user")
        tokens = models.ApiToken.objects.filter(agency_id=agency_id, id__in=ids)
        return {**{each.id: (str(each.user), "") for each in members}, **{each.id: (each.name, "") for each in tokens}}

    def ready(self) -> None:
        from consult.accounts.adapter import account, factors, github
        from consult.core import grants

        # Sent once for each app with models, after all of them are migrated; here stands in for core, which has none.
        post_migrate.connect(grants.after_migrate, sender=self)
        account.listen()
        factors.listen()
        github.listen()
