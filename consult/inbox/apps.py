from django.apps import AppConfig


class Inbox(AppConfig):
    name = "consult.inbox"
    label = "inbox"
