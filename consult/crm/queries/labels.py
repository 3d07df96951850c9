"""Reads of labels."""

from collections.abc import Iterable
from typing import Literal
from uuid import UUID

from consult.crm import models

Place = Literal["contact", "company", "deal"]
# For a statement of a feature above that asks for more besides: [[id, name], …] in the order of names.
EVERY_LABEL = """
(SELECT coalesce(jsonb_agg(jsonb_build_array(id, name) ORDER BY normal_name), '[]')
   FROM crm_label WHERE agency_id = %(agency)s)
"""


def labels(agency_id: int) -> dict[UUID, str]:
    """Return every label's name by id, in the order of names."""
    return dict(models.Label.objects.filter(agency_id=agency_id).order_by("normal_name").values_list("id", "name"))


def labels_of(agency_id: int, place: Place, ids: Iterable[UUID]) -> dict[UUID, list[str]]:
    """Return the names of the labels that each of these contacts, companies or deals bears."""
    bearer = f"{place}_id"
    found = models.Labelling.objects.filter(agency_id=agency_id, **{f"{bearer}__in": list(ids)})
    pairs = list(found.values_list(bearer, "label_id"))
    if not pairs:
        return {}
    names = models.Label.objects.filter(agency_id=agency_id, id__in={label for _bearer, label in pairs})
    by_id = dict(names.values_list("id", "name"))
    borne: dict[UUID, list[str]] = {}
    for id, label in pairs:
        borne.setdefault(id, []).append(by_id[label])
    return {id: sorted(words, key=str.casefold) for id, words in borne.items()}
