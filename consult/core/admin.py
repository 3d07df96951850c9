"""The admin: superusers only, inside one chosen agency, read-only; changes are actions that call services."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse


class Site(admin.AdminSite):
    """Admits active superusers only."""

    site_header = "Consult"
    site_title = "Consult"
    index_title = "Records of the chosen agency, read-only"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and getattr(request.user, "is_superuser", False)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> NoReturn:
        """There is none here: people change their password where they sign in."""
        raise Http404

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Lead to the one sign-in, which limits the tries: Django's own form here would not."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))


if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    # Generic in its type stubs alone.
    ModelAdmin = admin.ModelAdmin


# Hashes and sealed keys: nobody needs to see them, and whoever does could try them out elsewhere.
SECRETS = frozenset({"password", "token_hash", "private_key_sealed"})


class Records(ModelAdmin):
    """Shows every field of a model, changes none: a change made here would bypass services and the audit."""

    list_per_page = 50
    show_full_result_count = False
    # Django 5.2 warns of each URLField that does not say it.
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    def get_list_display(self, request: HttpRequest) -> list[str | Callable[[Any], str | bool]]:
        shown: list[str | Callable[[Any], str | bool]] = [
            field.name
            for field in self.model._meta.concrete_fields
            if not isinstance(field, models.JSONField) and field.name not in self.secrets
        ]
        return shown[:8]

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return sorted(self.secrets)

    @property
    def secrets(self) -> frozenset[str]:
        """Those of every model, and what this one calls so itself."""
        return SECRETS | frozenset(getattr(self.model, "SECRETS", ()))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
