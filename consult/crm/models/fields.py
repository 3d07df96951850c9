"""Fields that an agency adds to what everybody has."""

from django.db import models

from consult.core.isolation import AgencyRecord, Isolated

FIELD_KINDS = ("text", "number", "date", "choice")
FIELD_PLACES = ("contact", "company", "deal")


class Field(AgencyRecord):
    """An agency's own field. Values stand in `custom` of what it belongs to; a retired field keeps them."""

    place = models.CharField(max_length=10, choices=[(place, place) for place in FIELD_PLACES])
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=[(kind, kind) for kind in FIELD_KINDS])
    options = models.JSONField(default=list)
    position = models.PositiveSmallIntegerField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            Isolated(name="crm_field_isolated"),
            models.CheckConstraint(condition=models.Q(place__in=FIELD_PLACES), name="crm_field_place"),
            models.CheckConstraint(condition=models.Q(kind__in=FIELD_KINDS), name="crm_field_kind"),
            models.UniqueConstraint(
                fields=["agency", "place", "name"], condition=models.Q(retired_at=None), name="crm_field_name"
            ),
        )

    def __str__(self) -> str:
        return self.name
