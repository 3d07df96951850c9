from typing import Any, ClassVar

from django.apps import AppConfig


class Thread(AppConfig):
    name = "consult.thread"
    label = "thread"
    # What the audit says of each action, after the name of who did it.
    actions: ClassVar[dict[str, Any]] = {}
