from collections.abc import Collection
from typing import Any, ClassVar
from uuid import UUID

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Inbox(AppConfig):
    name = "consult.inbox"
    label = "inbox"
    # What the audit says of each action, after the name of who did it.
    actions: ClassVar[dict[str, Any]] = {
        "inbox.open_enquiry": _("opened an enquiry from a form"),
        "inbox.close_enquiry": _("closed an enquiry"),
        "inbox.reopen_enquiry": _("opened an enquiry again"),
        "inbox.restore_enquiry": _("restored an enquiry"),
        "inbox.confirm_spam": _("marked an enquiry as spam"),
        "inbox.label_enquiry": _("changed the labels of an enquiry"),
        "inbox.assign_enquiry": _("assigned an enquiry"),
        "inbox.release_enquiry": _("took an enquiry from whoever left"),
        "inbox.wait_enquiry": _("answered an enquiry, which waits for its sender"),
        "inbox.snooze_enquiry": _("put an enquiry away"),
        "inbox.wake_enquiries": _("opened an enquiry again as its time had come"),
        "inbox.bring_back_enquiry": _("opened an enquiry again as its sender wrote once more"),
        "inbox.undo_change": _("took a change of an enquiry back"),
        "inbox.type_in_enquiry": _("typed an enquiry in"),
        "inbox.convert_enquiry": _("converted an enquiry"),
        "inbox.save_view": _("kept a view"),
        "inbox.delete_view": _("forgot a view"),
        "inbox.add_note": _("added a note"),
        "inbox.send_reply": _("replied to an enquiry by e-mail"),
        "inbox.undo_reply": _("took a reply back before it went out"),
        "inbox.retry_reply": _("sent a reply once more"),
        "inbox.discard_draft": _("discarded the draft of a reply"),
        "inbox.receive_mail": _("got an e-mail for an enquiry"),
        "inbox.receive_answer": _("opened an enquiry again as its sender answered"),
        "inbox.bring_back_unsent": _("opened an enquiry again as a reply did not arrive"),
        "inbox.dismiss_mail": _("settled an e-mail that was set aside"),
        "inbox.connect_mailbox": _("connected a mailbox"),
        "inbox.disconnect_mailbox": _("disconnected the mailbox"),
        "inbox.renew_hook": _("renewed the secret of the hook for mail"),
        "inbox.create_template": _("added a reply template"),
        "inbox.change_template": _("changed a reply template"),
        "inbox.delete_template": _("deleted a reply template"),
        "inbox.download_enquiries": _("saved enquiries as a file"),
        "inbox.retry_job": _("tried a failed job again"),
    }

    def audit_subjects(self, agency_id: int, slug: str, ids: Collection[UUID]) -> dict[UUID, tuple[str, str]]:
        """Return what the audit calls these, with the addresses of their pages."""
        from django.urls import reverse

        from consult.inbox import models

        found = models.Enquiry.objects.filter(agency_id=agency_id, id__in=ids).values_list("id", "number", "subject")
        return {
            id: (f"#{number} {subject}".strip(), reverse("inbox:enquiry_detail", args=[slug, number]))
            for id, number, subject in found
        }
