"""A person who has left something wherever a person can, and how to look for every trace of them."""

import dataclasses
import datetime as dt
import subprocess
import uuid
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import quote

from conftest import Cast, Database
from consult.accounts import services as accounts
from consult.core import tenancy
from consult.crm import services as crm
from consult.inbox import models as inbox_models
from consult.inbox import queries as inbox_queries
from consult.inbox import rules as inbox_rules
from consult.inbox import services as inbox
from consult.intake.tests import test_file
from consult.machine import postgres_cluster
from tests import api, worker

NAME, OTHER_NAME = "Quirinia Vexmoor", "Q. Vexmoor-Plumb"
ADDRESS, OTHER_ADDRESS = "quirinia@vexmoor.example", "Quirinia.Private@plumbline.example"
PHONE, DIGITS = "+44 20 7946 0417", "442079460417"
SECRET_WORD, FILE_WORD, REPLY_WORD = "blunderbuss", "portmanteau", "gossamer"
BROWSER, IP = "Netscape-Quirk/4", "203.0.113.177"
# Each of them, as small letters, is nowhere once she is erased.
TRACES = (
    *("quirinia", "vexmoor", "plumbline", "7946 0417", DIGITS, "79460417"),
    *(SECRET_WORD, FILE_WORD, REPLY_WORD, BROWSER.lower(), IP, "rubberstamp", "hollyhock"),
)


@dataclasses.dataclass(frozen=True)
class Planted:
    contact_id: uuid.UUID
    alias_id: uuid.UUID
    deal_id: uuid.UUID
    company_id: uuid.UUID
    number: int
    typed_number: int
    set_aside_id: uuid.UUID


def plant(database: Database, cast: Cast, folder: Path) -> Planted:
    """Let her send, be answered, answer, call, be noted, merged, looked for, exported. `folder`: CONSULT_FILES_URL."""
    now = dt.datetime.now(dt.UTC)
    by = cast.alice.member_id
    number = _writes(database, cast, folder)
    inbox.add_note(agency_id=cast.a, number=number, body=f"{NAME} called about the rubberstamp", by=by)
    _answers(database, cast, number, now)
    alias_id, contact_id, deal_id, company_id = _known(cast, number, now)
    set_aside_id = database.set_aside(cast.key_a, f'x["email","{ADDRESS}"]'.encode())
    typed_number = inbox.type_in_enquiry(
        agency_id=cast.a,
        id=uuid.uuid4(),
        form_id=cast.form_a,
        channel="phone",
        by=by,
        now=now,
        name=NAME,
        email=OTHER_ADDRESS,
        phone=PHONE,
        message=f"the {SECRET_WORD} again",
    )
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"{NAME} <{ADDRESS}>", "nobody@office.example", f"My {SECRET_WORD}"
    mail.set_content("hollyhock")
    kept = inbox.keep_mail(hook_agency_id=cast.a, raw=mail.as_bytes())
    inbox.receive_mail(agency_id=cast.a, mail_id=kept.id, now=now)
    filters = inbox_rules.Filters()
    inbox.save_view(agency_id=cast.a, by=by, name=f"All of {NAME}", filters=filters, shared=True)
    with tenancy.agency(cast.a):
        inbox_models.SavedView.objects.update(query=f"view=all&q={quote(NAME)}")
    program = api.of_member(cast.a, by)
    answer = program.patch(f"/api/v1/contacts/{contact_id}", {"job_title": "hollyhock"}, Idempotency_Key=ADDRESS)
    assert answer.status_code == 200, answer.content
    accounts.start_export(agency_id=cast.a, by=by, now=now)
    worker.make_due(database)
    worker.run_jobs(database)
    return Planted(contact_id, alias_id, deal_id, company_id, number, typed_number, set_aside_id)


def _writes(database: Database, cast: Cast, folder: Path) -> int:
    file = test_file.row(cast.a, name=f"{FILE_WORD} of {NAME}.pdf")
    test_file.put(folder, file["location"], content=FILE_WORD.encode() * 9)
    submission_id, outcome = database.submit(
        cast.key_a,
        ("name", NAME),
        ("email", ADDRESS),
        ("message", f"My {SECRET_WORD} is broken, call {PHONE}"),
        files=[file],
        page_url=f"https://a.example/?for={ADDRESS}",
        referrer="https://vexmoor.example/",
        user_agent=BROWSER,
        remote_addr=IP,
    )
    assert outcome == "stored"
    inbox.receive_submissions(agency_id=cast.a, submission_ids=[submission_id])
    [(number,)] = database.ask("SELECT max(number) FROM inbox_enquiry WHERE agency_id = %s", [cast.a])
    return int(number)


def _answers(database: Database, cast: Cast, number: int, now: dt.datetime) -> None:
    inbox.send_reply(
        agency_id=cast.a,
        number=number,
        text=f"Dear {NAME}, no {REPLY_WORD} today",
        by=cast.alice.member_id,
        now=now - dt.timedelta(minutes=1),
        uploads=[inbox.Upload("for Vexmoor.txt", "text/plain", FILE_WORD.encode())],
    )
    worker.make_due(database)
    worker.run_jobs(database)
    with tenancy.agency(cast.a):
        to = inbox_queries.answer_address(cast.a, number=number)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"{NAME} <{OTHER_ADDRESS}>", to, f"Re: {SECRET_WORD}"
    mail["Message-ID"] = "<1@vexmoor.example>"
    mail.set_content(f"Tuesday, with {REPLY_WORD}")
    mail.add_attachment(FILE_WORD.encode(), maintype="text", subtype="plain", filename="vexmoor.txt")
    kept = inbox.keep_mail(hook_agency_id=cast.a, raw=mail.as_bytes())
    inbox.receive_mail(agency_id=cast.a, mail_id=kept.id, now=now)


def _known(cast: Cast, number: int, now: dt.datetime) -> tuple[uuid.UUID, uuid.UUID, uuid.UUID, uuid.UUID]:
    of: dict[str, Any] = {"agency_id": cast.a, "by": cast.alice.member_id}
    company_id = crm.create_company(name=f"Studio {NAME}", **of)
    field_id = crm.create_field(place="contact", name="Pet", kind="text", **of)
    contact_id = crm.create_contact(
        name=NAME,
        emails=[ADDRESS],
        phones=[PHONE],
        job_title="hollyhock",
        company_id=company_id,
        custom={str(field_id): "hollyhock"},
        **of,
    )
    alias_id = crm.create_contact(name=OTHER_NAME, emails=[OTHER_ADDRESS], **of)
    crm.merge_contacts(keep_id=contact_id, alias_id=alias_id, take=(), now=now, **of)
    deal_id = crm.create_deal(
        title=f"Website for {NAME}", contact_id=contact_id, value_minor=120_000, currency="EUR", **of
    )
    crm.set_labels(place="contact", id=contact_id, names=["VIP"], **of)
    crm.add_note(place="contact", id=contact_id, body="likes rubberstamp", **of)
    crm.add_note(place="deal", id=deal_id, body=f"Ask {ADDRESS} or {PHONE} first", **of)
    with tenancy.agency(cast.a):
        inbox_models.Enquiry.objects.filter(number=number).update(contact_id=contact_id, deal_id=deal_id)
    return alias_id, contact_id, deal_id, company_id


def traces(cluster: postgres_cluster.Cluster, database: Database, folder: Path) -> set[str]:
    """Return what of TRACES stands in a dump of everything, or in any file of the storage or its name."""
    dumped = subprocess.run(
        [
            cluster.home.bin_dir / "pg_dump",
            "--enable-row-security",
            "--data-only",
            database.urls["consult_backup"],
        ],
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    assert b"Studio" in dumped, "nothing was dumped"
    texts = [dumped.lower(), *(path.read_bytes().lower() for path in folder.rglob("*") if path.is_file())]
    texts += [str(path).lower().encode() for path in folder.rglob("*")]
    return {
        trace for trace in TRACES for text in texts if trace.encode() in text or trace.encode().hex().encode() in text
    }
