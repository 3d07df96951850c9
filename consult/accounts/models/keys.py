"""The installation's own keys."""

from django.db import models


class SigningKey(models.Model):
    """An ES256 key pair that signs short-lived tokens; the newest signs, all verify."""

    kid = models.CharField(max_length=64, primary_key=True)
    public_key = models.TextField()
    private_key_encrypted = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.kid
