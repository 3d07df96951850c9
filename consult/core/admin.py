"""The admin: superusers only, inside one chosen agency, read-only; changes are actions that call services."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest


class Site(admin.AdminSite):
    """Admits active superusers only."""

    site_header = "Consult"
    site_title = "Consult"
    index_title = "Records of the chosen agency, read-only"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and getattr(request.user, "is_superuser", False)


if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    # Generic in its type stubs alone.
    ModelAdmin = admin.ModelAdmin


class Records(ModelAdmin):
    """Shows every field of a model, changes none: a change made here would bypass services and the audit."""

    list_per_page = 50
    show_full_result_count = False
    # Django 5.2 warns of each URLField that does not say it.
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    def get_list_display(self, request: HttpRequest) -> list[str | Callable[[Any], str | bool]]:
        shown: list[str | Callable[[Any], str | bool]] = [
            field.name for field in self.model._meta.concrete_fields if not isinstance(field, models.JSONField)
        ]
        return shown[:8]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
