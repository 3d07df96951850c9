"""A person's data in one zip file: readable JSON, and their files as they came."""

import datetime as dt
import json
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder

from consult.accounts import queries as accounts_queries
from consult.accounts import services as accounts
from consult.core import files, tenancy
from consult.crm.queries import held as crm
from consult.inbox.queries import held as inbox
from consult.intake.queries import held as intake
from consult.thread.queries import person as people

NOTES = (
    "Everything that the agency holds of one person. person.json: by what it is; files/: as they came.",
    "Times are UTC, ISO 8601. `file` says where in this zip a file or a mail as it came is; null: it was not there.",
    "Deals are the agency's own; they are here because they name the person.",
)


def start_person_export(
    *, agency_id: int, contact_id: UUID | None = None, address: str = "", by: UUID | None, now: dt.datetime
) -> UUID:
    """Have everything of a person put into one file by a job; return the export's id.

    Raise NoSuchContact, NoSuchPerson.
    """
    with tenancy.agency(agency_id):
        person = people.find(agency_id, contact_id=contact_id, address=address)
        about = {"contact_id": str(person.contact_id) if person.contact_id else "", "address": address}
        id = accounts.start_person_export(agency_id=agency_id, about=about, by=by, now=now)
        data = {"contact": str(person.contact_id)} if person.contact_id else {}
        accounts.record("thread.start_person_export", agency_id=agency_id, by=by, subject_id=id, data=data)
    return id


def build_person_export(*, agency_id: int, export_id: UUID) -> None:
    """Build what was asked for; a second run begins again. Raise what went wrong; the export's row says so."""

    def write(about: dict[str, Any], file: BinaryIO) -> None:
        contact_id = UUID(about["contact_id"]) if about["contact_id"] else None
        _write(agency_id, contact_id, about["address"], file)

    accounts.build_person_export(agency_id=agency_id, export_id=export_id, write=write)


def _write(agency_id: int, contact_id: UUID | None, address: str, file: BinaryIO) -> None:
    with tenancy.agency(agency_id):
        try:
            person = people.find(agency_id, contact_id=contact_id, address=address)
        except people.NoSuchPerson:
            person = None
        held = records(agency_id, person) if person else {}
        agency = {"slug": accounts_queries.agency_slug(agency_id), "name": accounts_queries.agency_name(agency_id)}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for kind, name in (("files", "name"), ("attachments", "name"), ("mails", "subject")):
            for row in held.get(kind, ()):
                row["file"] = _put(archive, kind, row, row.pop("location"), str(row[name]))
        told = {
            "what": NOTES,
            "agency": agency,
            "made_at": dt.datetime.now(dt.UTC),
            "addresses": person.addresses if person else [],
            "phones": person.phones if person else [],
            "names": person.names if person else [],
            **held,
        }
        archive.writestr("person.json", json.dumps(told, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2))


def records(agency_id: int, person: people.Person) -> dict[str, list[dict[str, Any]]]:
    """Return everything of a person as it is stored, by what it is."""
    return {
        **crm.records(agency_id, person.crm, person.deals),
        **inbox.records(agency_id, person.inbox),
        "submissions": intake.held_submissions(agency_id, person.inbox.submissions),
        "files": intake.held_files(agency_id, person.inbox.submissions),
        "set_aside": intake.held_set_aside(agency_id, person.set_aside),
    }


def _put(archive: zipfile.ZipFile, kind: str, row: dict[str, Any], location: str, name: str) -> str | None:
    """Copy a file into the zip and return its name there; None when the storage has none. Raise files.Away."""
    try:
        content: Iterator[bytes] = files.read(location)
    except files.Missing:
        return None
    # Nothing of a sender's name leads out of the folder where the zip is unpacked.
    safe = "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in name.rpartition(".")[0] or name)[:60]
    suffix = name.rpartition(".")[2] if "." in name and name.rpartition(".")[2].isalnum() else ""
    ending = "eml" if kind == "mails" else suffix[:10]
    path = f"files/{kind}/{row['id']}-{safe}{f'.{ending}' if ending else ''}"
    with archive.open(path, "w", force_zip64=True) as member:
        for chunk in content:
            member.write(chunk)
    return path
