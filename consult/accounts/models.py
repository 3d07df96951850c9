"""Users are global; everything else here belongs to one agency, or to the installation (grants.GLOBAL_TABLES)."""

import unicodedata
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models

from consult.accounts import rules
from consult.core.isolation import AgencyRecord, Isolated, SameAgency, ToGlobal


def normalise_email(email: str) -> str:
    """Return the form in which addresses are stored and compared (NFKC, case folded, trimmed)."""
    return unicodedata.normalize("NFKC", email).strip().casefold()


class Users(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=normalise_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=normalise_email(username or ""))


class User(AbstractBaseUser, PermissionsMixin):
    """A person. What they may do is said by their memberships, not here."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=64, default="UTC")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects: ClassVar[Users] = Users()

    def __str__(self) -> str:
        return self.name or self.email


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


class Audit(AgencyRecord):
    """Who did what, written in the transaction of the change. Rows are never changed."""

    action = models.CharField(max_length=80)
    by = models.ForeignKey(
        Member, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    subject_id = models.UUIDField(null=True)
    data = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "audit"
        constraints = (
            Isolated(name="accounts_audit_isolated", app=("select", "insert")),
            SameAgency(name="accounts_audit_by", columns=("by_id",), target="accounts_member", on_delete="set null"),
        )
        indexes = (
            models.Index(fields=["agency", "subject_id", "created_at"], name="accounts_audit_subject"),
            models.Index(fields=["agency", "by"], name="accounts_audit_by_member"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.subject_id}"


class SignInLink(models.Model):
    """A link that signs a user in, once. Only its hash is stored."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"sign-in link {self.pk}"


class SigningKey(models.Model):
    """An ES256 key pair that signs short-lived tokens; the newest signs, all verify."""

    kid = models.CharField(max_length=64, primary_key=True)
    public_key = models.TextField()
    private_key_encrypted = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.kid
