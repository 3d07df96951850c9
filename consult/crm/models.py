from django.db import models

from consult.core.isolation import AgencyRecord, Isolated


class Client(AgencyRecord):
    """A company that the agency works for."""

    name = models.CharField(max_length=200)

    class Meta:
        constraints = (
            Isolated(name="crm_client_isolated"),
            models.UniqueConstraint(fields=["agency", "name"], name="crm_client_name"),
        )

    def __str__(self) -> str:
        return self.name
