"""A file on its way into the CRM, for tests of imports."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

from conftest import Cast, Database
from consult.core import tenancy
from consult.crm import queries, services
from consult.crm.queries.labels import Place
from tests import worker

PEOPLE = """Name;E-Mail;Telefon;Firma;Position
Ann Müller;ann@rosa.example;+44 20 7946 0000;Rosa GmbH;Owner
Ben;ben@new.example;;New Ltd;
Broken;ben@@new;;;
Cleo;cleo@new.example;030 1234567;New Ltd;Designer
"""


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def upload(cast: Cast, content: str | bytes, *, place: Place = "contact", name: str = "people.csv") -> uuid.UUID:
    raw = content.encode() if isinstance(content, str) else content

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(raw), 65536):
            yield raw[start : start + 65536]

    return services.create_import(
        agency_id=cast.a, place=place, name=name, chunks=chunks(), by=cast.bob.member_id, now=now()
    )


def look(cast: Cast, import_id: uuid.UUID) -> queries.Import:
    with tenancy.agency(cast.a):
        return queries.import_(cast.a, import_id)


def check(
    database: Database, cast: Cast, import_id: uuid.UUID, *, on_known: str = "update", mapping: Any = None
) -> queries.Import:
    """Have every row looked at; return the import as it is then."""
    mapping = look(cast, import_id).mapping if mapping is None else mapping
    act(cast, "check_import", import_id, mapping=mapping, on_known=on_known)
    worker.run_jobs(database)
    return look(cast, import_id)


def run(database: Database, cast: Cast, import_id: uuid.UUID) -> queries.Import:
    act(cast, "start_import", import_id)
    worker.run_jobs(database)
    return look(cast, import_id)


def undo(database: Database, cast: Cast, import_id: uuid.UUID) -> queries.Import:
    act(cast, "undo_import", import_id)
    worker.run_jobs(database)
    return look(cast, import_id)


def act(cast: Cast, name: str, import_id: uuid.UUID, **more: Any) -> None:
    getattr(services, name)(agency_id=cast.a, import_id=import_id, by=cast.bob.member_id, now=now(), **more)


def whole(database: Database, cast: Cast, content: str | bytes, **how: Any) -> queries.Import:
    """Upload, check and run."""
    options = {name: how.pop(name) for name in ("on_known", "mapping") if name in how}
    import_id = upload(cast, content, **how)
    check(database, cast, import_id, **options)
    return run(database, cast, import_id)
