"""The register of erasures: a sealed object for each, beside the database, so that a restored one can be told again.

It lies in the storage for files as `<agency>/erasure/<id>` and holds ids and keyed hashes of addresses: no name, no
address, nothing that a person wrote.
"""

import dataclasses
import datetime as dt
import hashlib
import hmac
import json
import secrets
from collections.abc import Collection, Iterator
from pathlib import Path
from uuid import UUID

from consult.core import encryption, files
from consult.thread.queries.person import Person


class Unreadable(Exception):
    """An object of the register that cannot be read: its text names it, and says why."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """One erasure: whose rows there were, and by which hashes their addresses are known again."""

    id: UUID
    agency_id: int
    erased_at: dt.datetime
    contacts: list[UUID]
    enquiries: list[UUID]
    submissions: list[UUID]
    mails: list[UUID]
    set_aside: list[UUID]
    # Of this entry alone, so that two entries tell nothing of each other.
    key: bytes
    addresses: frozenset[str]

    def knows(self, address: str) -> bool:
        """Whether this address (small letters) is one of the erased person's."""
        return _hash(self.key, address) in self.addresses


def _hash(key: bytes, address: str) -> str:
    return hmac.new(key, address.encode(), hashlib.sha256).hexdigest()


LISTS = ("contacts", "enquiries", "submissions", "mails", "set_aside")


def write(*, agency_id: int, id: UUID, person: Person, now: dt.datetime) -> None:
    """Add an erasure to the register, before it is done; under the same id it replaces itself. Raise files.Away."""
    key = secrets.token_bytes(32)
    told = {
        "format": 1,
        "id": str(id),
        "agency_id": agency_id,
        "erased_at": now.isoformat(),
        "contacts": _texts(person.crm.contacts),
        "enquiries": _texts(person.inbox.enquiries),
        "submissions": _texts(person.inbox.submissions),
        "mails": _texts(person.inbox.mails),
        "set_aside": _texts(person.set_aside),
        "key": key.hex(),
        "addresses": [_hash(key, address) for address in person.addresses],
    }
    _put(agency_id, id, encryption.seal(json.dumps(told).encode(), bound_to=_bound_to(agency_id, id)))


def _texts(ids: Collection[UUID]) -> list[str]:
    return [str(id) for id in ids]


def _bound_to(agency_id: int, id: UUID | str) -> str:
    return f"erasure/{agency_id}/{id}"


def _put(agency_id: int, id: UUID | str, sealed: str) -> None:
    with files.writing(f"{agency_id}/erasure/{id}") as file:
        file.write(sealed.encode())


def entries(agency_id: int, also: Path | None = None) -> Iterator[Entry]:
    """Yield an agency's erasures; `also`: a copy of the storage's folder that may know of more. Raise Unreadable."""
    found = {location.rpartition("/")[2]: location for location in files.erasures(agency_id)}
    for id, location in found.items():
        yield _entry(agency_id, id, b"".join(files.read(location)).decode("ascii", "replace"))
    for path in sorted((also / f"{agency_id}/erasure").glob("*")) if also else ():
        if path.name not in found:
            sealed = path.read_text("ascii", "replace")
            entry = _entry(agency_id, path.name, sealed)
            # From now on it is known here as well.
            _put(agency_id, path.name, sealed)
            yield entry


def _entry(agency_id: int, id: str, sealed: str) -> Entry:
    try:
        told = json.loads(encryption.open_sealed(sealed, bound_to=_bound_to(agency_id, id)))
    except encryption.CannotOpen as error:
        raise Unreadable(f"{agency_id}/erasure/{id}: {error}") from None
    return Entry(
        id=UUID(told["id"]),
        agency_id=agency_id,
        erased_at=dt.datetime.fromisoformat(told["erased_at"]),
        key=bytes.fromhex(told["key"]),
        addresses=frozenset(told["addresses"]),
        **{name: [UUID(each) for each in told[name]] for name in LISTS},
    )


def sealed_with(agency_id: int) -> dict[str, int]:
    """Return how many of an agency's entries each encryption key has sealed. Raise Unreadable, files.Away."""
    counted: dict[str, int] = {}
    for location in files.erasures(agency_id):
        try:
            key = encryption.sealed_with(b"".join(files.read(location)).decode("ascii", "replace"))
        except encryption.CannotOpen as error:
            raise Unreadable(f"{location}: {error}") from None
        counted[key] = counted.get(key, 0) + 1
    return counted


def reseal(agency_id: int) -> int:
    """Bring an agency's entries under the first encryption key; return how many. Raise Unreadable, files.Away."""
    count = 0
    for location in files.erasures(agency_id):
        sealed, id = b"".join(files.read(location)).decode("ascii", "replace"), location.rpartition("/")[2]
        try:
            if encryption.sealed_with(sealed) == encryption.key_ids()[0]:
                continue
            _put(agency_id, id, encryption.seal_again(sealed, bound_to=_bound_to(agency_id, id)))
        except encryption.CannotOpen as error:
            raise Unreadable(f"{location}: {error}") from None
        count += 1
    return count
