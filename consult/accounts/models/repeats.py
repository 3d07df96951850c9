"""Answers that are kept for a request that is sent again."""

from typing import ClassVar

from django.db import models

from consult.core.isolation import AgencyRecord, Isolated


class IdempotencyKey(AgencyRecord):
    """A request that a program named by an `Idempotency-Key`, and what it was answered: written with its effect."""

    SECRETS: ClassVar[tuple[str, ...]] = ("answer",)

    # Whose it is: an API token, or a program's sign-in. One program's keys say nothing to another.
    token_id = models.UUIDField()
    key = models.CharField(max_length=255)
    # SHA-256 of method, address and body: the same key with another request is refused.
    request_hash = models.CharField(max_length=64)
    # 0: not answered yet, visible to its own transaction alone.
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    # Sealed (core/encryption.py): an answer may show a new token's secret, which is stored nowhere else.
    answer = models.TextField(blank=True, default="")

    class Meta:
        constraints = (
            Isolated(name="accounts_idempotencykey_isolated"),
            models.UniqueConstraint(fields=["agency", "token_id", "key"], name="accounts_idempotencykey_once"),
        )
        indexes = (models.Index(fields=["agency", "created_at"], name="accounts_idempotencykey_age"),)

    def __str__(self) -> str:
        return self.key
