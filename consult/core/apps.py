from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class Core(AppConfig):
    name = "consult.core"
    label = "core"


class AdminSite(AdminConfig):
    default_site = "consult.core.admin.Site"
