"""What contacts, companies and deals have alike: labels, the agency's own fields, and whom they name."""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field

from consult.core import api
from consult.core.errors import Refused
from consult.crm import queries, rules, services
from consult.crm.queries.labels import Place

MOST_LABELS = 20
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _day(value: object) -> object:
    # pydantic would take a number, or a time.
    if value is not None and not (isinstance(value, str) and _DAY.fullmatch(value)):
        raise ValueError("This is a day, such as 2027-01-31.")
    return value


def _label(name: str) -> str:
    if "," in name or not rules.label_key(name):
        raise ValueError("A label is a word or a few, without commas.")
    return " ".join(name.split())


Day = Annotated[dt.date, BeforeValidator(_day)]
Label = Annotated[api.Line, Field(max_length=50, examples=["VIP"]), AfterValidator(_label)]
Labels = Annotated[list[Label], Field(max_length=MOST_LABELS, description="All of them; a new name makes a label.")]


class Own(api.Shape):
    """What one of the agency's own fields holds."""

    field_id: UUID
    value: Annotated[str, Field(description="A number in digits, a day as 2027-01-31, a choice as it is offered.")]


class OwnInput(api.Input):
    field_id: UUID
    value: Annotated[api.Words, Field(max_length=500, description="Empty takes it away.", examples=["2027-01-31"])]


Owns = Annotated[list[OwnInput], Field(max_length=100, description="Fields that it does not name stay as they are.")]


def owns(custom: dict[str, Any]) -> list[Own]:
    """Return what is stored of the agency's own fields; that of retired ones too."""
    return [Own(field_id=UUID(id), value=value) for id, value in sorted(custom.items()) if value not in ("", None)]


def custom(agency_id: int, place: Place, given: Sequence[OwnInput], present: dict[str, Any]) -> dict[str, Any]:
    """Return `present` with what was given. Raise Refused."""
    known = {field.id: field for field in queries.fields(agency_id, place)} if given else {}
    changed = dict(present)
    for number, own in enumerate(given):
        field, id = known.get(own.field_id), str(own.field_id)
        if field is None:
            raise wrong(f"/custom/{number}/field_id", "There is no such field in use.")
        if not own.value:
            changed.pop(id, None)
            continue
        try:
            # A choice that was taken off the list stays with who has it.
            options = [*field.options, present.get(id)]
            changed[id] = rules.own_value(field.kind, [each for each in options if each], own.value)
        except rules.BadValue as error:
            raise wrong(f"/custom/{number}/value", str(error)) from None
    return changed


def wrong(pointer: str, words: str) -> Refused:
    return Refused("invalid", errors=[{"pointer": pointer, "code": "invalid", "detail": words}])


def expect_client(agency_id: int, client_id: UUID | None) -> None:
    """Raise Refused when the agency has no such client."""
    if client_id and queries.client(agency_id, client_id) is None:
        raise wrong("/client_id", "There is no such client.")


def label(agency_id: int, place: Place, id: UUID, names: Iterable[str], by: UUID | None) -> None:
    services.set_labels(agency_id=agency_id, place=place, id=id, names=names, by=by)
