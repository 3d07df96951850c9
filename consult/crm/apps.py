from django.apps import AppConfig


class Crm(AppConfig):
    name = "consult.crm"
    label = "crm"
