from django.db import models

from consult.core.isolation import AgencyRecord, Isolated


class Hook(AgencyRecord):
    """How often an agency has renewed the secret of its hook; one that never has needs no row."""

    generation = models.PositiveIntegerField()
    # The secret before this one is believed for a while after.
    renewed_at = models.DateTimeField()

    class Meta:
        constraints = (
            Isolated(name="inbox_hook_isolated"),
            models.UniqueConstraint(fields=["agency"], name="inbox_hook_one"),
        )

    def __str__(self) -> str:
        return str(self.generation)
