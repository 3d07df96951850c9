"""Agencies and their members."""

from django.db import models

from consult.accounts import rules
from consult.accounts.models.people import User
from consult.core.isolation import AgencyRecord, Isolated, ToGlobal


class Agency(models.Model):
    """The tenant. Its own row is visible inside it alone."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=64, default="UTC")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "agencies"
        constraints = (
            Isolated(
                name="accounts_agency_isolated",
                app=("select", "insert", "update"),
                doors=("select",),
                column="id",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Member(AgencyRecord):
    """A user's place in an agency."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    role = models.CharField(max_length=10, choices=[(role, role) for role in rules.ROLES])

    class Meta:
        constraints = (
            Isolated(name="accounts_member_isolated", doors=("select",)),
            ToGlobal(name="accounts_member_user", column="user_id", target="accounts_user"),
            models.UniqueConstraint(fields=["agency", "user"], name="accounts_member_once"),
            models.CheckConstraint(condition=models.Q(role__in=rules.ROLES), name="accounts_member_role"),
        )

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"
