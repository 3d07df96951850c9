from django.apps import AppConfig


class Intake(AppConfig):
    name = "consult.intake"
    label = "intake"
