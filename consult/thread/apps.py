from typing import Any, ClassVar

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Thread(AppConfig):
    name = "consult.thread"
    label = "thread"
    # What the audit says of each action, after the name of who did it.
    actions: ClassVar[dict[str, Any]] = {
        "thread.ask_erasure": _("had a person erased"),
        "thread.erase_person": _("erased a person"),
        "thread.reapply_erasure": _("erased a person again, after a restore"),
        "thread.apply_retention": _("erased what a form keeps no longer"),
        "thread.start_person_export": _("began an export of a person"),
    }
