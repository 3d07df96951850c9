"""The installation's own keys."""

from django.db import models

from consult.accounts import rules


class SigningKey(models.Model):
    """An ES256 key pair that signs short-lived tokens. `consult/accounts/services/keys.py` moves it on.

    next (published, signs nothing yet) → current (the one that signs) → previous (only believed) → gone: its row is
    deleted. Revoked: believed no more; its row stays, so that one can see what happened.
    """

    kid = models.CharField(max_length=64, primary_key=True)
    state = models.CharField(max_length=10, choices=[(state, state) for state in rules.KEY_STATES])
    public_key = models.TextField()
    # Sealed; empty as soon as it signs no more.
    private_key_sealed = models.TextField(blank=True, default="")
    # It is published from here on,
    created_at = models.DateTimeField()
    # may sign from here on,
    not_before = models.DateTimeField()
    # and has signed between these two.
    activated_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(state__in=rules.KEY_STATES), name="accounts_signingkey_state"),
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state__in=("next", "current")),
                name="accounts_signingkey_one_of_each",
            ),
            # What signs no more has nothing to sign with.
            models.CheckConstraint(
                condition=models.Q(state__in=("next", "current")) | models.Q(private_key_sealed=""),
                name="accounts_signingkey_wiped",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kid} ({self.state})"
