"""Real rows for every id that the API's addresses and bodies name, and bodies that name them."""

import contextlib
import datetime as dt
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core import signals
from django.db import close_old_connections, connection, transaction

from conftest import Cast, Database, Enquiry
from consult.accounts import services
from consult.accounts.tests.test_set_logo import PNG
from consult.core import tenancy
from consult.crm import services as crm
from consult.inbox import services as inbox
from consult.intake import services as intake
from consult.intake.tests import test_file
from consult.tasks import queries as tasks_queries
from consult.tasks import services as tasks
from consult.thread.services import erasure, person_export
from tests import api

PEOPLE = b"name,email\nAnn,ann@new.example\n"
# What a reference in a body or a query is called where no address has the same name for it.
REFERENCES = {
    **{name: name for name in ("client_id", "site_id", "form_id", "contact_id", "company_id", "stage_id", "other_id")},
    **dict.fromkeys(("owner_id", "member_id", "assignee", "by_id"), "colleague_id"),
    "subject_id": "client_id",
    "project_id": "project_id",
    "label_id": "label_id",
    "stage_ids": "stage_ids",
}


def make(cast: Cast, enquiry: Enquiry, database: Database, folder: Path) -> dict[str, Any]:
    """Return what stands in the addresses, all of it agency A's; files are in `folder` (CONSULT_FILES_URL)."""
    now = dt.datetime.now(dt.UTC)
    eve = services.add_member(
        agency_id=cast.a, user_id=services.create_user(email="eve@example.com", name="Eve"), role="viewer"
    )
    invitation_id = services.invite_member(
        agency_id=cast.a, email="ann@new.example", role="member", by=cast.alice.member_id, now=now
    )
    services.set_logo(agency_id=cast.a, content=PNG, by=None)
    file = test_file.row(cast.a)
    test_file.put(folder, file["location"])
    database.submit(cast.key_a, files=[file])
    return {
        "member_id": eve,
        "invitation_id": invitation_id,
        "file_id": uuid.UUID(file["id"]),
        "set_aside_id": database.set_aside(cast.key_a),
        "job_id": api.fail_jobs(database)[0],
        "colleague_id": cast.alice.member_id,
        "site_id": cast.site_a,
        "form_id": cast.form_a,
        "submission_id": enquiry.submission_id,
        "number": enquiry.number,
        **programs_of(cast, database, cast.alice.member_id),
        **_records(cast, database, now),
        **_mails(cast, database, now),
        **_people(cast, now),
        "block_id": intake.block_sender(agency_id=cast.a, sender="@spam.example", by=None),
        **_tasks(cast, now),
    }


def programs_of(cast: Cast, database: Database, member_id: uuid.UUID) -> dict[str, Any]:
    """Return a member's own: an API token, and a program that they have signed in."""
    api.of_member(cast.a, member_id)
    [(token_id,)] = database.ask(
        "SELECT id FROM accounts_apitoken WHERE member_id = %s ORDER BY id DESC LIMIT 1", [member_id]
    )
    return {"token_id": token_id, "grant_id": api.sign_in_program(cast, member_id)}


def _records(cast: Cast, database: Database, now: dt.datetime) -> dict[str, Any]:
    """The CRM's."""
    client_id = crm.create_client(agency_id=cast.a, name="The Daily Grind")
    company_id = crm.create_company(agency_id=cast.a, name="Rosa GmbH", by=None)
    contact_id, alias_id, other_id = (
        crm.create_contact(agency_id=cast.a, name=name, by=None) for name in ("Ann", "Anna", "Anne")
    )
    merge_id = crm.merge_contacts(agency_id=cast.a, keep_id=contact_id, alias_id=alias_id, take=(), by=None, now=now)
    deal_id = crm.create_deal(agency_id=cast.a, title="New shop", by=None)
    crm.set_labels(agency_id=cast.a, place="deal", id=deal_id, names=["Warm"], by=None)
    [(stage_id,)] = database.ask("SELECT id FROM crm_stage WHERE position = 2")
    [(label_id,)] = database.ask("SELECT id FROM crm_label")
    fields = {
        place: crm.create_field(agency_id=cast.a, place=place, name="Size", kind="text", by=None)
        for place in ("contact", "company", "deal")
    }
    return {
        "client_id": client_id,
        "contact_id": contact_id,
        "other_id": other_id,
        "merge_id": merge_id,
        "company_id": company_id,
        "deal_id": deal_id,
        "stage_id": stage_id,
        "stage_ids": [str(id) for (id,) in database.ask("SELECT id FROM crm_stage ORDER BY position")],
        "label_id": label_id,
        "import_id": _checked(cast, database, now),
        "field_id": fields["deal"],
        "contact_field_id": fields["contact"],
        "company_field_id": fields["company"],
    }


def _checked(cast: Cast, database: Database, now: dt.datetime) -> uuid.UUID:
    """A file that could be imported at once."""
    import_id = crm.create_import(
        agency_id=cast.a, place="contact", name="people.csv", chunks=[PEOPLE], by=cast.alice.member_id, now=now
    )
    database.ask("UPDATE crm_import SET state = 'checked' WHERE id = %s", [import_id])
    return import_id


def _tasks(cast: Cast, now: dt.datetime) -> dict[str, Any]:
    """A project with two tasks, and what Alice said about one of them."""
    project_id = tasks.create_project(agency_id=cast.a, name="Site", key="SITE", by=None)
    for title in ("Fix the menu", "Paint the door"):
        key = tasks.create_task(agency_id=cast.a, project_id=project_id, title=title, by=None, now=now)
    comment_id = tasks.add_comment(agency_id=cast.a, key=key, body="On it", by=cast.alice.member_id, now=now)
    with tenancy.agency(cast.a):
        state_id = tasks_queries.states(cast.a, project_id)[2].id
    return {
        "project_id": project_id,
        "project_key": "SITE",
        "key": key,
        "comment_id": comment_id,
        "task_state_id": state_id,
    }


def _mails(cast: Cast, database: Database, now: dt.datetime) -> dict[str, Any]:
    """A reply that waits to be sent, a mail that nobody could place, and a template."""
    upload = inbox.Upload("a.txt", "text/plain", b"a")
    queued = inbox.send_reply(agency_id=cast.a, number=1, text="On Tuesday", by=None, now=now, uploads=[upload])
    [(attachment_id,)] = database.ask("SELECT id FROM inbox_attachment")
    mail = inbox.keep_mail(hook_agency_id=cast.a, raw=b"From: ann@new.example\r\n\r\nHello")
    inbox.receive_mail(agency_id=cast.a, mail_id=mail.id, now=now)
    inbox.connect_mailbox(
        agency_id=cast.a,
        address="team@in.example",
        plus=True,
        host="imap.in.example",
        port=993,
        security="tls",
        user="team@in.example",
        password="secret",
        folder="INBOX",
        by=None,
        now=now,
    )
    return {
        "message_id": queued.id,
        "attachment_id": attachment_id,
        "mail_id": mail.id,
        "template_id": inbox.create_template(agency_id=cast.a, name="Thanks", body="Thank you", by=None),
    }


def _people(cast: Cast, now: dt.datetime) -> dict[str, Any]:
    """An export of the enquiry's sender, who is no contact, and their erasure, which no job has done yet."""
    whom: dict[str, Any] = {"agency_id": cast.a, "address": "ann@visitor.example", "by": None}
    export_id = person_export.start_person_export(**whom, now=now)
    person_export.build_person_export(agency_id=cast.a, export_id=export_id)
    erasure_id = erasure.erase_person(**whom, reason="asked", typed="ann@visitor.example")
    return {"person_export_id": export_id, "erasure_id": erasure_id}


def _reference(found: Any) -> Any:
    return [str(each) for each in found] if isinstance(found, list) else str(found)


def real(name: str, value: Any, ids: dict[str, Any]) -> Any:
    """Return a body or query of the operation `name` with what is there in the place of its references."""
    if isinstance(value, list):
        return [real(name, each, ids) for each in value]
    if not isinstance(value, dict):
        return value
    place = next((each for each in ("contact", "company") if name.endswith(f"_{each}")), "")
    own = f"{place}_field_id" if place else "field_id"
    known = REFERENCES | {"field_id": own} | ({"state_id": "task_state_id"} if name.endswith("_task") else {})
    return {
        key: _reference(ids[known[key]]) if key in known and item is not None else real(name, item, ids)
        for key, item in value.items()
    }


@contextlib.contextmanager
def undone() -> Iterator[None]:
    """What is written in the block is checked as a commit would, and then forgotten: the next finds the same rows.

    What waits for a commit (jobs that wake a worker, files that go) does not happen.
    """
    outer = transaction.atomic()
    # A test's transaction, as Django's TestCase has it: a service may still open its own.
    outer._from_testcase = True  # type: ignore[attr-defined]
    # Which would close the connection, as the transaction is not the request's.
    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)
    try:
        with outer:
            yield
            connection.check_constraints()
            transaction.set_rollback(True)
    finally:
        for signal in (signals.request_started, signals.request_finished):
            signal.connect(close_old_connections)


def operations(document: dict[str, Any]) -> dict[str, tuple[str, str, Any]]:
    """Return (method, path, example of a body) by operationId."""
    return {
        operation["operationId"]: (
            method.upper(),
            path,
            operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example"),
        )
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def body_of(name: str, example: Any, who: str, ids: dict[str, Any]) -> Any:
    """The document's own example, with what is there in the place of its ids."""
    match name:
        case "start_person_export":
            return {"address": "ann@visitor.example"}
        case "erase_person":
            return {"address": "ann@visitor.example", "reason": "asked", "confirm": "ann@visitor.example"}
        case "create_form":
            return {**example, "site_id": str(ids["site_id"])}
        case "assign_enquiry":
            return {"member_id": str(ids["colleague_id"])}
        case "set_logo":
            return api.Raw(PNG)
        case "create_import":
            return api.Raw(PEOPLE)
        case "reread_import":
            return {"encoding": "utf-8", "delimiter": ",", "has_header": True}
        case "check_import":
            return {"mapping": ["name", "emails"], "on_known": "update"}
        case "create_stage" | "rename_stage":
            return {"name": f"{name} {who}"}
        case "retire_stage":
            return {"to_id": ids["stage_ids"][0]}
        case "reorder_stages":
            return {"stage_ids": ids["stage_ids"]}
        case "invite_member":
            return {"email": f"{who}@new.example"}
        case "update_agency":
            # Another slug would be the next one's, too.
            return {"name": f"Agency of {who}"}
        case "create_api_token" if who in api.SCOPES:
            # No token makes another with more scopes than it has.
            return {**example, "scopes": [who]}
        case "merge_contacts":
            return {"other_id": str(ids["other_id"])}
        case "create_project":
            return {"key": f"P{who[:6].upper()}", "name": "Site"}
        case "move_task":
            return {"state_id": str(ids["task_state_id"])}
        case "move_deal":
            return {"stage_id": str(ids["stage_id"])}
        case "create_template" | "change_template":
            return {"name": f"{name} {who}", "body": "Dear {{ name }}"}
        case "create_field":
            return {"place": "deal", "name": f"Size {who}", "kind": "text"}
        case "type_in_enquiry":
            return {**example, "form_id": str(ids["form_id"]), "name": "Ann"}
        case "open_mail":
            return {"form_id": str(ids["form_id"])}
        case "connect_mailbox":
            # The one that is kept stays; the stranger has none.
            return {**example, "password": ""}
        case "snooze_enquiry":
            return {"until": (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).isoformat()}
        case "convert_enquiry":
            return {"company_name": "Rosa GmbH"}
        case "create_contact":
            return {"name": f"Ann {who}"}
        case "create_client" | "update_client":
            return {"name": f"Of {name} {who}"}
        case _:
            return example
