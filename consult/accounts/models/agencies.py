"""Agencies and their members."""

from typing import ClassVar

from django.db import models

from consult.accounts import rules
from consult.accounts.models.people import User
from consult.core.isolation import AgencyRecord, Isolated, ToGlobal


class Agency(models.Model):
    """The tenant. Its own row is visible inside it alone."""

    FILES: ClassVar[tuple[str, ...]] = ("logo",)

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=64, default="UTC")
    # ISO 4217, for money that is in no other currency.
    currency = models.CharField(max_length=3, default="EUR", db_default="EUR")
    # 1 is Monday, 7 Sunday (ISO 8601).
    week_start = models.PositiveSmallIntegerField(default=1, db_default=1)
    # Its own name in CONSULT_FILES_URL; empty: none.
    logo = models.CharField(max_length=200, blank=True, default="", db_default="")
    # Whom the agency's mail says it is from; empty: CONSULT_MAIL_FROM.
    sender_address = models.CharField(max_length=320, blank=True, default="", db_default="")
    # When all of it is deleted, once its owner has said so; nothing before that is lost.
    closes_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "agencies"
        constraints = (
            Isolated(
                name="accounts_agency_isolated",
                app=("select", "insert", "update"),
                # Its deletion goes through a door, and takes everything of the agency with it.
                doors=("select", "delete"),
                column="id",
            ),
            models.CheckConstraint(
                condition=models.Q(week_start__gte=1, week_start__lte=7), name="accounts_agency_week_start"
            ),
        )

    def __str__(self) -> str:
        return self.name


HOWS = [(how, how) for how in rules.HOWS]


class Member(AgencyRecord):
    """A user's place in an agency. Who has left stays as a tombstone: what they did keeps its author."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    role = models.CharField(max_length=10, choices=[(role, role) for role in rules.ROLES])
    left_at = models.DateTimeField(null=True)
    # How they hear of what (rules.HOWS).
    hears_new = models.CharField(max_length=10, choices=HOWS, default="none", db_default="none")
    hears_assigned = models.CharField(max_length=10, choices=HOWS, default="app", db_default="app")
    hears_mentioned = models.CharField(max_length=10, choices=HOWS, default="mail", db_default="mail")
    # Their own day on which they got the last e-mail of a morning.
    digested_on = models.DateField(null=True)

    class Meta:
        constraints = (
            Isolated(name="accounts_member_isolated", doors=("select",)),
            ToGlobal(name="accounts_member_user", column="user_id", target="accounts_user"),
            models.UniqueConstraint(fields=["agency", "user"], name="accounts_member_once"),
            models.CheckConstraint(condition=models.Q(role__in=rules.ROLES), name="accounts_member_role"),
            models.CheckConstraint(
                condition=models.Q(
                    hears_new__in=rules.HOWS, hears_assigned__in=rules.HOWS, hears_mentioned__in=rules.HOWS
                ),
                name="accounts_member_hears",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"
