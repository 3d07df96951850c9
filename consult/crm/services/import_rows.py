"""What one row of a CSV file says of a contact or a company, and what is wrong with it."""

import contextlib
import dataclasses
import re
from collections.abc import Generator, Iterator, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from consult.core import delimited
from consult.crm import queries, rules
from consult.crm.queries.labels import Place

LONGEST = {"name": 200, "job_title": 200, "company": 200, "phone": 50, "website": 500, "address": 2000}
MOST = 20
# How much of what is wrong is repeated.
LONGEST_VALUE = 80
_GERMAN_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_GERMAN_NUMBER = re.compile(r"-?\d+,\d+")


@dataclasses.dataclass
class Row:
    """A row: what it says by meaning, only where it says something, and what is wrong with it.

    emails: addresses as stored. phones: as written, with their keys. labels: names by key. custom: by field id.
    """

    line: int
    values: dict[str, Any] = dataclasses.field(default_factory=dict)
    issues: list[dict[str, str]] = dataclasses.field(default_factory=list)


class Reader:
    """Reads rows of one import: as its mapping says, with what the agency has when it begins."""

    def __init__(self, agency_id: int, place: Place, *, columns: Sequence[str], mapping: Sequence[str]) -> None:
        self.place, self.columns, self.mapping = place, columns, mapping
        self.own = {f"own:{field.id}": field for field in queries.fields(agency_id, place)}
        self.clients = {rules.folded(name): id for id, name in queries.client_names(agency_id).items()}
        self.region = queries.phone_region(agency_id)

    def rows(self, chunks: Iterator[bytes], form: delimited.Form) -> Generator[Row]:
        """Yield the file's rows behind its header. Raise delimited.Unreadable."""
        with contextlib.closing(delimited.rows(chunks, encoding=form.encoding, delimiter=form.delimiter)) as rows:
            for line, cells in rows:
                if line > 1 or not form.has_header:
                    yield self.row(line, cells)

    def row(self, line: int, cells: Sequence[str]) -> Row:
        row = Row(line)
        for column, cell in zip(self.columns, cells, strict=False):
            if delimited.REPLACEMENT in cell:
                _wrong(row, column, "broken", cell)
            elif "\0" in cell:
                _wrong(row, column, "nul", cell)
        if any(delimited.plain(cell) for cell in cells[len(self.columns) :]):
            _wrong(row, "", "extra_cells", str(len(cells)))
        if row.issues:
            return row
        for column, meaning, cell in zip(self.columns, self.mapping, cells, strict=False):
            if meaning and (text := delimited.plain(cell)):
                self._take(row, column, meaning, text)
        self._name(row)
        return row

    def _take(self, row: Row, column: str, meaning: str, text: str) -> None:
        values = row.values
        match meaning:
            case "emails":
                self._emails(row, column, text)
            case "phones":
                self._phones(row, column, text)
            case "labels":
                self._labels(row, column, text)
            case "client":
                if client_id := self.clients.get(rules.folded(text)):
                    values["client_id"] = client_id
                else:
                    _wrong(row, column, "client", text)
            case "website":
                if website := _website(text):
                    values["website"] = website
                else:
                    _wrong(row, column, "website", text)
            case "address":
                values["address"] = "\n".join(filter(None, (values.get("address", ""), text)))
                if len(values["address"]) > LONGEST["address"]:
                    _wrong(row, column, "too_long", text)
            case _ if meaning in self.own:
                self._custom(row, column, meaning, text)
            case _:
                line = " ".join(text.split())
                if len(line) > LONGEST.get(meaning, LONGEST["name"]):
                    _wrong(row, column, "too_long", line)
                values[meaning] = line

    def _emails(self, row: Row, column: str, text: str) -> None:
        found: dict[str, None] = row.values.setdefault("emails", {})
        for each in re.split(r"[;,\s]+", text):
            if not each:
                continue
            address = rules.email_address(each.removeprefix("mailto:"))
            try:
                if len(address) > 320 or not rules.email_key(address):
                    raise ValidationError("")
                validate_email(address)
                found[address] = None
            except ValidationError:
                _wrong(row, column, "email", each)
        if len(found) > MOST:
            _wrong(row, column, "too_many", str(len(found)))

    def _phones(self, row: Row, column: str, text: str) -> None:
        found: dict[str, str] = row.values.setdefault("phones", {})
        for each in re.split(r"[;,\n]|:::", text):
            number = " ".join(each.split())
            if not number:
                continue
            key = rules.phone_key(number, self.region)
            if len(number) > LONGEST["phone"] or not key:
                _wrong(row, column, "phone", each)
            elif key not in found.values():
                found[number] = key
        if len(found) > MOST:
            _wrong(row, column, "too_many", str(len(found)))

    def _labels(self, row: Row, column: str, text: str) -> None:
        found: dict[str, str] = row.values.setdefault("labels", {})
        for each in re.split(r"[;,\n]|:::", text):
            name = " ".join(each.split())
            if key := rules.label_key(name):
                found[key] = name
                if len(name) > 50:
                    _wrong(row, column, "label", name)
        if len(found) > MOST:
            _wrong(row, column, "too_many", str(len(found)))

    def _custom(self, row: Row, column: str, meaning: str, text: str) -> None:
        field = self.own[meaning]
        if field.kind == "date" and (found := _GERMAN_DAY.fullmatch(text)):
            text = f"{found[3]}-{int(found[2]):02}-{int(found[1]):02}"
        if field.kind == "number" and _GERMAN_NUMBER.fullmatch(text):
            text = text.replace(",", ".")
        try:
            value = rules.own_value(field.kind, field.options, text)
        except rules.BadValue:
            _wrong(row, column, field.kind, text)
            return
        if len(value) > 500:
            _wrong(row, column, "too_long", value)
        row.values.setdefault("custom", {})[str(field.id)] = value

    def _name(self, row: Row) -> None:
        values = row.values
        parts = [values.pop(each) for each in ("first_name", "last_name") if each in values]
        if parts and "name" not in values:
            values["name"] = " ".join(parts)
        if len(values.get("name", "")) > LONGEST["name"] and not any(each["code"] == "too_long" for each in row.issues):
            _wrong(row, "", "too_long", values["name"])
        if not values.get("name") and not values.get("emails") and not row.issues:
            _wrong(row, "", "no_name", "")


def _website(text: str) -> str:
    website = text if "://" in text else f"https://{text}"
    good = website.lower().startswith(("https://", "http://")) and rules.domain(website) and " " not in website
    return website if good and len(website) <= LONGEST["website"] else ""


def _wrong(row: Row, column: str, code: str, value: str) -> None:
    text = value.replace("\0", delimited.REPLACEMENT).encode("utf-8", "replace").decode()
    shown = text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
    if len(row.issues) < 10:
        row.issues.append({"column": column, "code": code, "value": shown})


def email_keys(row: Row) -> list[str]:
    """Return the keys by which a row's contact may be known."""
    return list(dict.fromkeys(rules.email_key(address) for address in row.values.get("emails", ())))
