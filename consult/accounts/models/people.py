"""People: global, since one person may belong to several agencies."""

import unicodedata
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models


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
    # Who they are on GitHub, where they have said so by signing in there.
    github_user_id = models.BigIntegerField(null=True, unique=True)
    github_username = models.CharField(max_length=39, blank=True, default="", db_default="")
    avatar_url = models.URLField(max_length=500, blank=True, default="", db_default="")
    # Written at most every five minutes.
    last_active_at = models.DateTimeField(null=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects: ClassVar[Users] = Users()

    def __str__(self) -> str:
        return self.name or self.email


class SignInLink(models.Model):
    """A link that signs a user in, once. Only its hash is stored."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"sign-in link {self.pk}"
