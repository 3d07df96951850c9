"""What pages change, programs can change too: each page's action × its operation of the API, as a committed table.

Whoever adds a route that changes something gives it an operation, or says here and in ADR 035 why programs have none.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from django.urls import get_resolver

from conftest import Database
from tests import api
from tests.test_route_matrix import ADMIN, ALLAUTH, API, ROUTES, walk

DOCS = Path(__file__).resolve().parents[1] / "docs"
# Acts that are pages' alone, by name, with the reason: ADR 035 and docs/api.md say the same.
EXCEPTIONS = {
    "owners' acts": "A stolen token must not hand over, copy away or end an agency.",
    "leaving": "A person's own act; a lost token must not put its person out, and would end itself.",
    "another agency": "A token belongs to one agency and knows of no other.",
    "one's own account": "Sign-ins, factors, passkeys and profile are the person's, not the agency's.",
    "taking an invitation": "The link's secret is for whoever owns the address, signed in.",
    "consent": "A person says yes in their own browser; the program's side is OAuth, not this API.",
    "several at once": "A program calls once for each.",
    "undo": "It takes back what somebody has just done at the screen; a program does the opposite.",
    "saved views": "They are pages as people like to see them; a program says its filters.",
    "drafts": "What somebody has half written at the screen; a program sends what it has.",
    "mail coming in": "A mail server hands it over, signed; no token of a member is in it.",
    "looking": "It says whose page is open just now; a program has none.",
    "keeping apart": "It silences a suggestion that pages alone make.",
}
# Each route that a POST may change something with: an operation's name, or [an exception].
TABLE = {
    "accounts/agencies/new/": ["another agency"],
    "accounts/profile/": ["one's own account"],
    "accounts/sessions/end-others/": ["one's own account"],
    "accounts/sessions/<int:sign_in_id>/end/": ["one's own account"],
    "accounts/invitations/<str:token>/": ["taking an invitation"],
    "oauth/authorize": ["consent"],
    "oauth/token": ["consent"],
    "oauth/revoke": ["consent"],
    "<slug:agency>/settings/": "update_agency",
    "<slug:agency>/settings/logo/": "set_logo",
    "<slug:agency>/settings/logo/remove/": "remove_logo",
    "<slug:agency>/settings/people/invite/": "invite_member",
    "<slug:agency>/settings/people/leave/": ["leaving"],
    "<slug:agency>/settings/people/<uuid:member_id>/role/": "change_role",
    "<slug:agency>/settings/people/<uuid:member_id>/remove/": "remove_member",
    "<slug:agency>/settings/people/<uuid:member_id>/transfer/": ["owners' acts"],
    "<slug:agency>/settings/invitations/<uuid:invitation_id>/resend/": "resend_invitation",
    "<slug:agency>/settings/invitations/<uuid:invitation_id>/revoke/": "revoke_invitation",
    "<slug:agency>/settings/data/exports/": ["owners' acts"],
    "<slug:agency>/settings/data/close/": ["owners' acts"],
    "<slug:agency>/settings/data/keep/": ["owners' acts"],
    "<slug:agency>/notifications/read/": "read_notifications",
    "<slug:agency>/notifications/choose/": "choose_notifications",
    "<slug:agency>/settings/tokens/new/": "create_api_token",
    "<slug:agency>/settings/tokens/<uuid:token_id>/revoke/": "revoke_api_token",
    "<slug:agency>/settings/tokens/programs/<uuid:grant_id>/revoke/": "revoke_grant",
    "<slug:agency>/inbox/<int:number>/close/": "close_enquiry",
    "<slug:agency>/inbox/<int:number>/reopen/": "reopen_enquiry",
    "<slug:agency>/inbox/<int:number>/restore/": "restore_enquiry",
    "<slug:agency>/inbox/<int:number>/spam/": "confirm_spam",
    "<slug:agency>/inbox/<int:number>/assign/": "assign_enquiry",
    "<slug:agency>/inbox/<int:number>/labels/": "label_enquiry",
    "<slug:agency>/inbox/<int:number>/looking/": ["looking"],
    "<slug:agency>/inbox/<int:number>/notes/": "add_note",
    "<slug:agency>/jobs/<int:job_id>/retry/": "retry_job",
    "<slug:agency>/inbox/<int:number>/reply/": "send_reply",
    "<slug:agency>/inbox/<int:number>/messages/<uuid:message_id>/undo/": "undo_reply",
    "<slug:agency>/inbox/<int:number>/messages/<uuid:message_id>/retry/": "retry_reply",
    "<slug:agency>/inbox/<int:number>/messages/<uuid:message_id>/discard/": ["drafts"],
    "<slug:agency>/inbox/mails/<uuid:mail_id>/dismiss/": "dismiss_mail",
    "<slug:agency>/inbox/mails/<uuid:mail_id>/open/": "open_mail",
    "<slug:agency>/settings/replies/mailbox/": "connect_mailbox",
    "<slug:agency>/settings/replies/mailbox/check/": "check_mailbox",
    "<slug:agency>/settings/replies/mailbox/disconnect/": "disconnect_mailbox",
    "<slug:agency>/settings/replies/hook/renew/": "renew_hook",
    "<slug:agency>/settings/blocked/": "block_sender",
    "<slug:agency>/settings/blocked/<uuid:block_id>/unblock/": "unblock_sender",
    "<slug:agency>/settings/replies/": "create_template",
    "<slug:agency>/settings/replies/<uuid:template_id>/": "change_template",
    "<slug:agency>/settings/replies/<uuid:template_id>/delete/": "delete_template",
    "hooks/mail/<str:hook_id>": ["mail coming in"],
    "<slug:agency>/sites/new/": "create_site",
    "<slug:agency>/sites/<uuid:site_id>/edit/": "update_site",
    "<slug:agency>/sites/<uuid:site_id>/forms/new/": "create_form",
    "<slug:agency>/forms/<uuid:form_id>/edit/": "update_form",
    "<slug:agency>/attention/<uuid:set_aside_id>/resolve/": "resolve_set_aside",
    "<slug:agency>/attention/<uuid:set_aside_id>/reopen/": "reopen_set_aside",
    "<slug:agency>/contacts/new/": "create_contact",
    "<slug:agency>/contacts/<uuid:contact_id>/edit/": "update_contact",
    "<slug:agency>/contacts/<uuid:id>/notes/": "add_contact_note",
    "<slug:agency>/companies/new/": "create_company",
    "<slug:agency>/companies/<uuid:company_id>/edit/": "update_company",
    "<slug:agency>/companies/<uuid:id>/notes/": "add_company_note",
    "<slug:agency>/deals/new/": "create_deal",
    "<slug:agency>/deals/<uuid:deal_id>/edit/": "update_deal",
    "<slug:agency>/deals/<uuid:id>/notes/": "add_deal_note",
    "<slug:agency>/contacts/<uuid:contact_id>/merge/<uuid:other_id>/": "merge_contacts",
    "<slug:agency>/contacts/<uuid:contact_id>/unmerge/<uuid:merge_id>/": "unmerge_contacts",
    "<slug:agency>/contacts/<uuid:contact_id>/apart/<uuid:other_id>/": ["keeping apart"],
    "<slug:agency>/deals/<uuid:deal_id>/move/": "move_deal",
    "<slug:agency>/deals/<uuid:deal_id>/win/": "win_deal",
    "<slug:agency>/deals/<uuid:deal_id>/lose/": "lose_deal",
    "<slug:agency>/deals/<uuid:deal_id>/reopen/": "reopen_deal",
    "<slug:agency>/settings/stages/": "create_stage",
    "<slug:agency>/settings/stages/reorder/": "reorder_stages",
    "<slug:agency>/settings/stages/<uuid:stage_id>/rename/": "rename_stage",
    "<slug:agency>/settings/stages/<uuid:stage_id>/retire/": "retire_stage",
    "<slug:agency>/settings/stages/<uuid:stage_id>/restore/": "restore_stage",
    "<slug:agency>/projects/new/": "create_project",
    "<slug:agency>/projects/<slug:project_key>/settings/": "update_project",
    "<slug:agency>/projects/<slug:project_key>/states/": "set_states",
    "<slug:agency>/projects/<slug:project_key>/archive/": "archive_project",
    "<slug:agency>/projects/<slug:project_key>/reopen/": "reopen_project",
    "<slug:agency>/tasks/new/": "create_task",
    "<slug:agency>/tasks/<slug:key>/edit/": "update_task",
    "<slug:agency>/tasks/<slug:key>/move/": "move_task",
    "<slug:agency>/tasks/<slug:key>/undo/": ["undo"],
    "<slug:agency>/tasks/<slug:key>/trash/": "trash_task",
    "<slug:agency>/tasks/<slug:key>/restore/": "restore_task",
    "<slug:agency>/tasks/<slug:key>/comments/": "add_comment",
    "<slug:agency>/tasks/<slug:key>/comments/<uuid:comment_id>/": "edit_comment",
    "<slug:agency>/own-fields/": "create_field",
    "<slug:agency>/own-fields/<uuid:field_id>/retire/": "retire_field",
    "<slug:agency>/settings/privacy/person/export/": "start_person_export",
    "<slug:agency>/settings/privacy/person/erase/": "erase_person",
    "<slug:agency>/contacts/import/": "create_import",
    "<slug:agency>/imports/<uuid:import_id>/reread/": "reread_import",
    "<slug:agency>/imports/<uuid:import_id>/check/": "check_import",
    "<slug:agency>/imports/<uuid:import_id>/start/": "start_import",
    "<slug:agency>/imports/<uuid:import_id>/undo/": "undo_import",
    "<slug:agency>/imports/<uuid:import_id>/discard/": "discard_import",
    "<slug:agency>/inbox/new/": "type_in_enquiry",
    "<slug:agency>/inbox/<int:number>/wait/": "wait_enquiry",
    "<slug:agency>/inbox/<int:number>/snooze/": "snooze_enquiry",
    "<slug:agency>/inbox/<int:number>/convert/": "convert_enquiry",
    "<slug:agency>/inbox/change/": ["several at once"],
    "<slug:agency>/inbox/undo/": ["undo"],
    "<slug:agency>/inbox/views/": ["saved views"],
    "<slug:agency>/inbox/views/<uuid:view_id>/delete/": ["saved views"],
    # All of allauth's: signing in and out, and what belongs to it.
    **{f"accounts/{route}": ["one's own account"] for route in ALLAUTH},
}
# Pages that change a part of what an operation changes at once.
PARTS = {
    "<slug:agency>/tasks/<slug:key>/assign/": "update_task",
    "<slug:agency>/contacts/<uuid:id>/labels/": "update_contact",
    "<slug:agency>/companies/<uuid:id>/labels/": "update_company",
    "<slug:agency>/deals/<uuid:id>/labels/": "update_deal",
    # The same, of companies.
    "<slug:agency>/companies/import/": "create_import",
}
# They answer a POST like a GET, and change nothing.
READ_ONLY = {"health/", "ready/", "^api(?:/|$)"}
# What pages only show or give: the operation for each, so that nothing is to be seen on a page alone.
SHOWN = {
    "<slug:agency>/settings/": "show_agency",
    "<slug:agency>/logo/": "logo",
    "<slug:agency>/settings/audit/": "list_audit",
    "<slug:agency>/settings/people/": "list_members",
    "<slug:agency>/settings/tokens/": "list_api_tokens",
    "<slug:agency>/notifications/": "list_notifications",
    "<slug:agency>/inbox/": "list_enquiries",
    "<slug:agency>/inbox/<int:number>/": "show_enquiry",
    "<slug:agency>/jobs/": "list_jobs",
    "<slug:agency>/inbox/mails/": "list_mails",
    "<slug:agency>/inbox/mails/<uuid:mail_id>/raw/": "download_mail",
    # The mail holds the HTML; a program makes it harmless for itself.
    "<slug:agency>/inbox/mails/<uuid:mail_id>/html/": "download_mail",
    "<slug:agency>/inbox/messages/<uuid:message_id>/html/": "list_messages",
    "<slug:agency>/settings/replies/mailbox/": "show_mailbox",
    "<slug:agency>/inbox/attachments/<uuid:attachment_id>/": "download_attachment",
    "<slug:agency>/settings/blocked/": "list_blocked_senders",
    "<slug:agency>/settings/replies/": "list_templates",
    "<slug:agency>/settings/privacy/person/": "show_person",
    "<slug:agency>/settings/privacy/exports/<uuid:export_id>/": "download_person_export",
    "<slug:agency>/contacts/": "list_contacts",
    "<slug:agency>/contacts/<uuid:contact_id>/": "show_contact",
    "<slug:agency>/companies/": "list_companies",
    "<slug:agency>/companies/<uuid:company_id>/": "show_company",
    "<slug:agency>/deals/": "list_deals",
    "<slug:agency>/deals/<uuid:deal_id>/": "show_deal",
    "<slug:agency>/settings/stages/": "list_stages",
    "<slug:agency>/projects/": "list_projects",
    "<slug:agency>/projects/<slug:project_key>/": "list_tasks",
    "<slug:agency>/projects/<slug:project_key>/board/": "list_tasks",
    "<slug:agency>/projects/<slug:project_key>/settings/": "show_states",
    "<slug:agency>/tasks/": "list_tasks",
    "<slug:agency>/tasks/trash/": "list_tasks",
    "<slug:agency>/tasks/<slug:key>/": "show_task",
    "<slug:agency>/own-fields/": "list_fields",
    "<slug:agency>/contacts/import/": "list_imports",
    "<slug:agency>/contacts/contacts.csv": "list_contacts",
    "<slug:agency>/companies/companies.csv": "list_companies",
    "<slug:agency>/deals/deals.csv": "list_deals",
    "<slug:agency>/inbox/enquiries.csv": "list_enquiries",
    "<slug:agency>/companies/import/": "list_imports",
    "<slug:agency>/imports/<uuid:import_id>/": "show_import",
    "<slug:agency>/imports/<uuid:import_id>/issues.csv": "list_import_issues",
    "<slug:agency>/sites/": "list_sites",
    "<slug:agency>/sites/<uuid:site_id>/": "show_site",
    "<slug:agency>/forms/<uuid:form_id>/": "show_form",
    "<slug:agency>/files/<uuid:file_id>/": "download_file",
    "<slug:agency>/reports/": "show_figures",
    "<slug:agency>/attention/": "list_set_aside",
    "<slug:agency>/attention/<uuid:set_aside_id>/raw/": "download_set_aside",
}


def changing() -> set[str]:
    """Every mounted route that takes a POST from somebody, as the route matrix (which is tested itself) says."""
    mounted = {route for route in walk(get_resolver().url_patterns) if not ADMIN.match(route) and not API.match(route)}
    # Whoever gets as far as the view is told that it takes no POST.
    refused = {route for route, (_get, post) in ROUTES.items() if "405" in post}
    return mounted - refused - READ_ONLY


@pytest.fixture
def operations(database: Database) -> dict[str, tuple[str, str]]:
    document: dict[str, Any] = api.told(api.ANONYMOUS.get("/api/openapi.json"))
    return {
        operation["operationId"]: (method, path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_every_change_of_a_page_has_its_operation_or_its_reason() -> None:
    assert sorted(changing() - set(TABLE) - set(PARTS)) == []
    assert sorted({*TABLE, *PARTS} - changing()) == []
    assert set(PARTS.values()) <= {name for name in TABLE.values() if isinstance(name, str)}


def test_what_is_named_is_there(operations: dict[str, tuple[str, str]]) -> None:
    named = [name for name in TABLE.values() if isinstance(name, str)]
    assert sorted(set(named) - set(operations)) == []
    assert len(named) == len(set(named)), "two pages share an operation: say which is which"
    assert [name for name in named if operations[name][0] == "get"] == []
    assert sorted(set(SHOWN.values()) - set(operations)) == []


def test_nothing_is_changed_by_programs_alone(operations: dict[str, tuple[str, str]]) -> None:
    """Nor the other way round, but for clients, which pages make together with a site."""
    changes = {name for name, (method, _path) in operations.items() if method != "get"}
    assert changes - {name for name in TABLE.values() if isinstance(name, str)} == {"create_client", "update_client"}


@pytest.mark.parametrize("document", ["adr/035-json-api.md", "api.md"])
def test_the_exceptions_are_told(document: str) -> None:
    used = {name for names in TABLE.values() if isinstance(names, list) for name in names}
    assert used == set(EXCEPTIONS)
    text = (DOCS / document).read_text("utf-8")
    assert dict(re.findall(r"^\| ([a-z][a-z' ]+) \| [^|]+ \| ([^|`]+) \|$", text, re.MULTILINE)) == EXCEPTIONS
