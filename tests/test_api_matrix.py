"""Every operation of the API × every kind of caller: what each of them is answered, as a committed table."""

import datetime as dt
import uuid
from pathlib import Path
from typing import Any

import pytest
import pytest_django

from conftest import Cast, Database, Enquiry
from consult.accounts import services
from consult.accounts.tests.test_set_logo import PNG
from consult.crm import services as crm
from consult.inbox import services as inbox
from consult.intake.tests import test_file
from tests import api
from tests.api import Program

WHO = ("anonymous", "stranger", "viewer", "member", "admin", "agency")

READ = "401 404 200 200 200 200"
# A list is the stranger's own: empty of everything that is another agency's.
LIST = "401 200 200 200 200 200"
WRITE = "401 404 403 200 200 200"
ADD = "401 201 403 403 201 201"
MANAGE = "401 404 403 403 200 200"
# Records: the stranger adds them to an agency of their own.
KEEP = "401 201 403 201 201 201"
NOTE = "401 404 403 201 201 201"
OPERATIONS = {
    "show_me": LIST,
    "list_members": LIST,
    "show_member": READ,
    # Eve's place, which the first of them takes away.
    "change_role": MANAGE,
    "remove_member": "401 404 403 403 204 404",
    "list_invitations": LIST,
    "show_invitation": READ,
    # Somebody invites, by name; the agency's token is nobody.
    "invite_member": "401 201 403 403 201 403",
    "resend_invitation": "401 404 403 403 200 403",
    "revoke_invitation": "401 404 403 403 204 404",
    # The stranger's own agency.
    "show_agency": "401 200 403 403 200 200",
    "update_agency": "401 200 403 403 200 200",
    "logo": READ,
    "set_logo": "401 204 403 403 204 204",
    "remove_logo": "401 204 403 403 204 204",
    "list_clients": LIST,
    "show_client": READ,
    "create_client": ADD,
    "update_client": MANAGE,
    "list_contacts": LIST,
    "show_contact": READ,
    "create_contact": KEEP,
    "update_contact": WRITE,
    # The second finds that it was done.
    "merge_contacts": "401 404 403 200 422 422",
    # Another one lies on top of it by then.
    "unmerge_contacts": "401 404 403 409 409 409",
    "list_contact_notes": READ,
    "add_contact_note": NOTE,
    "list_companies": LIST,
    "show_company": READ,
    "create_company": KEEP,
    "update_company": WRITE,
    "list_company_notes": READ,
    "add_company_note": NOTE,
    "list_deals": LIST,
    "show_deal": READ,
    "create_deal": KEEP,
    "update_deal": WRITE,
    "move_deal": WRITE,
    "win_deal": WRITE,
    # Who has won a deal does not lose it.
    "lose_deal": "401 404 403 409 409 409",
    "reopen_deal": WRITE,
    "list_deal_notes": READ,
    "add_deal_note": NOTE,
    "list_stages": LIST,
    "list_labels": LIST,
    "list_fields": LIST,
    "show_field": READ,
    "create_field": ADD,
    # It is retired once.
    "retire_field": "401 404 403 403 204 404",
    "list_sites": LIST,
    "show_site": READ,
    "create_site": ADD,
    "update_site": MANAGE,
    "list_forms": LIST,
    "show_form": READ,
    # A form stands on a site, and the stranger has no such site.
    "create_form": "401 422 403 403 201 201",
    "update_form": MANAGE,
    "list_submissions": LIST,
    "show_submission": READ,
    "download_file": READ,
    "list_set_aside": LIST,
    "show_set_aside": READ,
    "download_set_aside": READ,
    "resolve_set_aside": MANAGE,
    "reopen_set_aside": MANAGE,
    "list_enquiries": LIST,
    "show_enquiry": READ,
    "close_enquiry": WRITE,
    "reopen_enquiry": WRITE,
    "restore_enquiry": WRITE,
    "confirm_spam": WRITE,
    "assign_enquiry": WRITE,
    "wait_enquiry": WRITE,
    "snooze_enquiry": WRITE,
    "convert_enquiry": WRITE,
    # An enquiry belongs to a form, and the stranger has no such form.
    "type_in_enquiry": "401 422 403 201 201 201",
    "list_notes": READ,
    "add_note": "401 404 403 201 201 201",
    "list_messages": READ,
    "send_reply": NOTE,
    "undo_reply": WRITE,
    # It waits to go out, or was taken back: there is nothing to try again.
    "retry_reply": "401 404 403 409 409 409",
    "download_attachment": READ,
    "list_mails": LIST,
    "download_mail": READ,
    # Once.
    "dismiss_mail": "401 404 403 204 404 404",
    "list_templates": LIST,
    "create_template": KEEP,
    "change_template": WRITE,
    # Once.
    "delete_template": "401 404 403 204 404 404",
    "list_jobs": "401 200 403 403 200 200",
    "show_job": "401 404 403 403 200 200",
    # Once.
    "retry_job": "401 404 403 403 204 404",
    "list_api_tokens": LIST,
    # Alice's own token: for nobody else but those who manage the agency's.
    "show_api_token": "401 404 404 404 200 200",
    # For oneself, with the scope `manage`; the agency's token is nobody.
    "create_api_token": "401 201 403 403 201 422",
    # One each, of Alice's.
    "revoke_api_token": "401 404 404 404 204 204",
    "list_grants": LIST,
    # Alice's own program, like her token.
    "show_grant": "401 404 404 404 200 200",
    "revoke_grant": "401 404 404 404 204 404",
    "list_audit": "401 200 403 403 200 200",
}


READS = ("list_", "show_", "download_", "logo")
# What needs the scope `manage`; everything else that changes something needs `write`.
MANAGED = {
    *("create_client", "update_client", "create_site", "update_site", "create_form", "update_form"),
    *("create_field", "retire_field", "create_api_token", "revoke_api_token", "revoke_grant"),
    *("change_role", "remove_member", "invite_member", "resend_invitation", "revoke_invitation"),
    *("update_agency", "set_logo", "remove_logo", "retry_job", "resolve_set_aside", "reopen_set_aside"),
}


@pytest.fixture
def programs(cast: Cast) -> dict[str, Program]:
    return api.everybody(cast)


@pytest.fixture
def document(database: Database) -> dict[str, Any]:
    found: dict[str, Any] = api.told(api.ANONYMOUS.get("/api/openapi.json"))
    return found


@pytest.fixture
def ids(
    cast: Cast, enquiry: Enquiry, database: Database, settings: pytest_django.Settings, tmp_path: Path
) -> dict[str, Any]:
    """What stands in the addresses: all of it agency A's."""
    settings.CONSULT_FILES_URL = tmp_path.as_uri()
    eve = services.add_member(
        agency_id=cast.a, user_id=services.create_user(email="eve@example.com", name="Eve"), role="viewer"
    )
    invitation_id = services.invite_member(
        agency_id=cast.a, email="ann@new.example", role="member", by=cast.alice.member_id, now=dt.datetime.now(dt.UTC)
    )
    services.set_logo(agency_id=cast.a, content=PNG, by=None)
    file = test_file.row(cast.a)
    test_file.put(tmp_path, file["location"])
    database.submit(cast.key_a, files=[file])
    client_id = crm.create_client(agency_id=cast.a, name="The Daily Grind")
    company_id = crm.create_company(agency_id=cast.a, name="Rosa GmbH", by=None)
    contact_id, alias_id, other_id = (
        crm.create_contact(agency_id=cast.a, name=name, by=None) for name in ("Ann", "Anna", "Anne")
    )
    merge_id = crm.merge_contacts(
        agency_id=cast.a, keep_id=contact_id, alias_id=alias_id, take=(), by=None, now=dt.datetime.now(dt.UTC)
    )
    deal_id = crm.create_deal(agency_id=cast.a, title="New shop", by=None)
    [(stage_id,)] = database.ask("SELECT id FROM crm_stage WHERE position = 2")
    queued = inbox.send_reply(
        agency_id=cast.a,
        number=1,
        text="On Tuesday",
        by=None,
        now=dt.datetime.now(dt.UTC),
        uploads=[inbox.Upload("a.txt", "text/plain", b"a")],
    )
    [(attachment_id,)] = database.ask("SELECT id FROM inbox_attachment")
    mail = inbox.keep_mail(hook_agency_id=cast.a, raw=b"From: ann@new.example\r\n\r\nHello")
    inbox.receive_mail(agency_id=cast.a, mail_id=mail.id, now=dt.datetime.now(dt.UTC))
    template_id = inbox.create_template(agency_id=cast.a, name="Thanks", body="Thank you", by=None)
    field_id = crm.create_field(agency_id=cast.a, place="deal", name="Size", kind="text", by=None)
    api.of_member(cast.a, cast.alice.member_id)
    [(token_id,)] = database.ask(
        "SELECT id FROM accounts_apitoken WHERE member_id = %s ORDER BY id LIMIT 1", [cast.alice.member_id]
    )
    return {
        "member_id": eve,
        "invitation_id": invitation_id,
        "file_id": uuid.UUID(file["id"]),
        "set_aside_id": database.set_aside(cast.key_a),
        "job_id": api.fail_jobs(database)[0],
        "grant_id": api.sign_in_program(cast, cast.alice.member_id),
        "colleague_id": cast.alice.member_id,
        "client_id": client_id,
        "site_id": cast.site_a,
        "form_id": cast.form_a,
        "submission_id": enquiry.submission_id,
        "number": enquiry.number,
        "token_id": token_id,
        "contact_id": contact_id,
        "other_id": other_id,
        "merge_id": merge_id,
        "company_id": company_id,
        "deal_id": deal_id,
        "stage_id": stage_id,
        "message_id": queued.id,
        "attachment_id": attachment_id,
        "mail_id": mail.id,
        "template_id": template_id,
        "field_id": field_id,
    }


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
        case "create_form":
            return {**example, "site_id": str(ids["site_id"])}
        case "assign_enquiry":
            return {"member_id": str(ids["colleague_id"])}
        case "set_logo":
            return api.Raw(PNG)
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
        case "move_deal":
            return {"stage_id": str(ids["stage_id"])}
        case "create_template" | "change_template":
            return {"name": f"{name} {who}", "body": "Dear {{ name }}"}
        case "create_field":
            return {"place": "deal", "name": f"Size {who}", "kind": "text"}
        case "type_in_enquiry":
            return {**example, "form_id": str(ids["form_id"]), "name": "Ann"}
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


def test_every_operation_is_declared(document: dict[str, Any]) -> None:
    assert sorted(operations(document)) == sorted(OPERATIONS)


def test_everybody_gets_what_is_declared(
    programs: dict[str, Program], document: dict[str, Any], ids: dict[str, Any]
) -> None:
    answers: dict[str, str] = {}
    # What takes away comes last: the others need it.
    for name, (method, path, example) in sorted(operations(document).items(), key=lambda each: each[1][0] == "DELETE"):
        got = [
            programs[who].call(method, path.format(**ids), body_of(name, example, who, ids)).status_code for who in WHO
        ]
        answers[name] = " ".join(map(str, got))
    assert answers == OPERATIONS


def test_a_stranger_gets_the_same_as_for_what_is_not_there(
    programs: dict[str, Program], document: dict[str, Any], ids: dict[str, Any]
) -> None:
    nowhere = {name: uuid.uuid4() for name in ids} | {"number": 4711, "job_id": 4711}
    tried = 0
    for name, (method, path, example) in operations(document).items():
        if "{" not in path:
            continue
        body = body_of(name, example, "stranger", ids)
        same = {"X_Request_ID": "the-same-id"}
        there = programs["stranger"].call(method, path.format(**ids), body, **same)
        not_there = programs["stranger"].call(method, path.format(**nowhere), body, **same)
        assert (there.status_code, there.content) == (not_there.status_code, not_there.content), name
        tried += 1
    assert tried > 15


def test_a_stranger_sees_nothing_in_lists(
    programs: dict[str, Program], document: dict[str, Any], ids: dict[str, Any]
) -> None:
    theirs = {str(value) for value in ids.values() if isinstance(value, uuid.UUID)}
    for name, (method, path, _body) in operations(document).items():
        if name.startswith("list_") and "{" not in path:
            text = programs["stranger"].call(method, path).content.decode()
            assert not any(id in text for id in theirs), name


def test_scopes_hold_back_what_the_role_may(cast: Cast, document: dict[str, Any], ids: dict[str, Any]) -> None:
    """The owner's own token, once for each scope: what it is refused is what the scope does not cover."""
    allowed = {}
    for scope in ("read", "write", "manage"):
        program = api.of_member(cast.a, cast.alice.member_id, (scope,))
        allowed[scope] = {
            name
            for name, (method, path, example) in operations(document).items()
            if program.call(method, path.format(**ids), body_of(name, example, scope, ids)).status_code != 403
        }
    always = {"show_me"}
    reads = {name for name in OPERATIONS if name.startswith(READS)} - {
        "list_audit",
        "show_agency",
        "list_jobs",
        "show_job",
    }
    writes = {name for name in OPERATIONS if name not in MANAGED and not name.startswith(READS)}
    assert allowed["read"] == reads
    assert allowed["write"] == writes | always
    assert allowed["manage"] == set(OPERATIONS) - reads - writes | always


def test_no_cookie_lets_anybody_in(cast: Cast, document: dict[str, Any], ids: dict[str, Any]) -> None:
    for method, path, _body in operations(document).values():
        answer = cast.alice.client.generic(method, path.format(**ids))
        assert answer.status_code == 401, path
        assert answer["WWW-Authenticate"] == 'Bearer realm="consult"'
        assert answer["Content-Type"] == "application/problem+json"
        assert api.told(answer)["code"] == "not_signed_in"  # type: ignore[arg-type]


def test_the_document_and_its_page_are_everybodys(database: Database) -> None:
    for path in ("/api/openapi.json", "/api/docs"):
        assert api.ANONYMOUS.get(path).status_code == 200
        assert api.ANONYMOUS.post(path).status_code == 405
