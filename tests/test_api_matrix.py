"""Every operation of the API × every kind of caller: what each of them is answered, as a committed table."""

import uuid
from typing import Any

import pytest

from conftest import Cast, Database
from tests import api
from tests.api import Program
from tests.api_rows import body_of, operations

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
    "list_projects": LIST,
    "show_project": READ,
    # A key is taken once.
    "create_project": KEEP,
    "update_project": WRITE,
    "archive_project": WRITE,
    "reopen_project": WRITE,
    "show_states": READ,
    # The states that the example leaves out have tasks.
    "set_states": "401 404 403 409 409 409",
    "list_tasks": LIST,
    "show_task": READ,
    # A task belongs to a project, and the stranger has no such project.
    "create_task": "401 422 403 201 201 201",
    "update_task": WRITE,
    "move_task": WRITE,
    "trash_task": WRITE,
    "restore_task": WRITE,
    "show_history": READ,
    "list_comments": READ,
    "add_comment": NOTE,
    # Alice's, who is the owner.
    "edit_comment": "401 404 403 403 403 403",
    "list_stages": LIST,
    "create_stage": "401 201 403 403 201 201",
    "rename_stage": MANAGE,
    # The stranger's pipeline has other stages.
    "reorder_stages": "401 422 403 403 422 422",
    # Once.
    "retire_stage": "401 404 403 403 204 404",
    "restore_stage": MANAGE,
    "show_figures": LIST,
    "list_labels": LIST,
    "list_fields": LIST,
    "show_field": READ,
    "create_field": ADD,
    # It is retired once.
    "retire_field": "401 404 403 403 204 404",
    "list_imports": LIST,
    "show_import": READ,
    "list_import_issues": READ,
    "create_import": KEEP,
    "reread_import": WRITE,
    # Once: then a job is at it.
    "check_import": "401 404 403 200 409 409",
    "start_import": "401 404 403 409 409 409",
    "undo_import": "401 404 403 409 409 409",
    # Once.
    "discard_import": "401 404 403 204 404 404",
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
    "label_enquiry": WRITE,
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
    # It belongs to a form, and the stranger has neither.
    "open_mail": "401 404 403 201 404 404",
    "show_mailbox": "401 404 403 403 200 200",
    "connect_mailbox": "401 422 403 403 200 200",
    "check_mailbox": "401 404 403 403 202 202",
    "disconnect_mailbox": "401 404 403 403 204 404",
    "renew_hook": "401 200 403 403 200 200",
    "list_blocked_senders": LIST,
    "block_sender": KEEP,
    # Once.
    "unblock_sender": "401 404 403 204 404 404",
    "list_templates": LIST,
    "create_template": KEEP,
    "change_template": WRITE,
    # Once.
    "delete_template": "401 404 403 204 404 404",
    # Without saying of whom.
    "show_person": "401 404 403 403 404 404",
    # Of an address that the stranger's own agency knows nothing of.
    "start_person_export": "401 422 403 403 202 202",
    "show_person_export": "401 404 403 403 200 200",
    "download_person_export": "401 404 403 403 200 200",
    "erase_person": "401 422 403 403 202 202",
    "show_erasure": "401 404 403 403 200 200",
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
    # One's own; the agency's token is nobody.
    "list_notifications": LIST,
    "read_notifications": "401 204 204 204 204 404",
    "show_notification_choices": "401 200 200 200 200 404",
    "choose_notifications": "401 200 200 200 200 404",
    "list_audit": "401 200 403 403 200 200",
}


READS = ("list_", "show_", "download_", "logo")
# What needs the scope `manage`; everything else that changes something needs `write`.
MANAGED = {
    *("create_client", "update_client", "create_site", "update_site", "create_form", "update_form"),
    *("create_stage", "rename_stage", "reorder_stages", "retire_stage", "restore_stage"),
    *("create_field", "retire_field", "create_api_token", "revoke_api_token", "revoke_grant"),
    *("change_role", "remove_member", "invite_member", "resend_invitation", "revoke_invitation"),
    *("start_person_export", "erase_person"),
    *("update_agency", "set_logo", "remove_logo", "retry_job", "resolve_set_aside", "reopen_set_aside"),
    *("connect_mailbox", "check_mailbox", "disconnect_mailbox", "renew_hook"),
}


# They change nothing but how the caller sees things: whoever may read may do them.
OWN = {"read_notifications", "choose_notifications"}


@pytest.fixture
def programs(cast: Cast) -> dict[str, Program]:
    return api.everybody(cast)


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
    reads = {name for name in OPERATIONS if name.startswith(READS)} | OWN
    reads -= {
        "list_audit",
        "show_agency",
        "list_jobs",
        "show_job",
        "show_mailbox",
        "show_person",
        "show_person_export",
        "download_person_export",
        "show_erasure",
    }
    writes = {name for name in OPERATIONS if name not in MANAGED | OWN and not name.startswith(READS)}
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
