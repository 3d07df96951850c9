"""Every route × everybody: no page is reachable that is not declared here with what it answers to whom."""

import re
import uuid
from collections.abc import Iterable, Iterator

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from conftest import Cast, Database, Enquiry
from consult.accounts import models, queries, services
from consult.crm import services as crm
from consult.tasks import services as tasks
from tests import catalogue, rows

WHO = ("anonymous", "stranger", "viewer", "member", "admin")

# route: (what GET answers, what an empty POST answers) to anonymous, stranger, viewer, member, admin, in this order.
READ = ("302 404 200 200 200", "302 404 405 405 405")
ACT = ("302 404 405 405 405", "302 404 403 302 302")
RULE = ("302 404 405 405 405", "302 404 403 403 302")
NOTE = ("302 404 405 405 405", "302 404 403 422 422")
WRITE = ("302 404 403 200 200", "302 404 403 422 422")
OWN = ("302 404 405 405 405", "302 404 403 403 403")
NO_SUCH = ("302 404 405 405 405", "302 404 403 404 404")
MANAGE = ("302 404 403 403 200", "302 404 403 403 422")
# One's own, whatever agency one is in.
PERSONAL = ("302 200 200 200 200", "302 405 405 405 405")
ROUTES = {
    "": ("200 200 200 200 200", "405 405 405 405 405"),
    "health/": ("200 200 200 200 200", "200 200 200 200 200"),
    "ready/": ("200 200 200 200 200", "200 200 200 200 200"),
    "api/openapi.json": ("200 200 200 200 200", "405 405 405 405 405"),
    "api/docs": ("200 200 200 200 200", "405 405 405 405 405"),
    # What is not there below it; what is there: tests/test_api_matrix.py.
    "^api(?:/|$)": ("404 404 404 404 404", "404 404 404 404 404"),
    # Straight into the only agency.
    "accounts/agencies/": ("302 302 302 302 302", "302 405 405 405 405"),
    # Where it is open to everybody: consult/accounts/tests/test_sign_up.py.
    "accounts/agencies/new/": ("302 404 404 404 404", "302 404 404 404 404"),
    "accounts/": PERSONAL,
    "accounts/profile/": ("302 405 405 405 405", "302 422 422 422 422"),
    "accounts/sessions/": PERSONAL,
    "accounts/sessions/end-others/": ("302 405 405 405 405", "302 302 302 302 302"),
    # Somebody else's; one's own: consult/accounts/tests/test_sign_in_list.py.
    "accounts/sessions/<int:sign_in_id>/end/": ("302 405 405 405 405", "302 404 404 404 404"),
    "accounts/sign-in/<str:token>/": ("302 302 302 302 302", "405 405 405 405 405"),
    "<slug:agency>/": ("302 404 302 302 302", "302 404 405 405 405"),
    # What a link offers is told to whoever has it; this one leads to nothing.
    "accounts/invitations/<str:token>/": ("404 404 404 404 404", "404 404 404 404 404"),
    "<slug:agency>/live-token/": READ,
    "<slug:agency>/notifications/": READ,
    "<slug:agency>/notifications/count/": READ,
    # Everybody's own.
    "<slug:agency>/notifications/read/": ("302 404 405 405 405", "302 404 302 302 302"),
    "<slug:agency>/notifications/choose/": ("302 404 405 405 405", "302 404 302 302 302"),
    "<slug:agency>/settings/audit/": ("302 404 403 403 200", "302 404 405 405 405"),
    "<slug:agency>/settings/audit.csv": ("302 404 403 403 200", "302 404 405 405 405"),
    # There is no logo; who gets one that is there: consult/accounts/tests/test_set_logo.py.
    "<slug:agency>/logo/": ("302 404 404 404 404", "302 404 405 405 405"),
    "<slug:agency>/settings/": MANAGE,
    "<slug:agency>/settings/logo/": ("302 404 405 405 405", "302 404 403 403 422"),
    "<slug:agency>/settings/logo/remove/": RULE,
    "<slug:agency>/settings/people/": READ,
    "<slug:agency>/settings/people/invite/": ("302 404 405 405 405", "302 404 403 403 422"),
    "<slug:agency>/settings/people/<uuid:member_id>/role/": ("302 404 405 405 405", "302 404 403 403 403"),
    "<slug:agency>/settings/people/<uuid:member_id>/remove/": RULE,
    "<slug:agency>/settings/people/<uuid:member_id>/transfer/": OWN,
    "<slug:agency>/settings/invitations/<uuid:invitation_id>/resend/": RULE,
    "<slug:agency>/settings/invitations/<uuid:invitation_id>/revoke/": RULE,
    # The admin of this matrix is no owner; what owners get: consult/accounts/tests/.
    "<slug:agency>/settings/data/": ("302 404 403 403 403", "302 404 405 405 405"),
    "<slug:agency>/settings/data/exports/": OWN,
    "<slug:agency>/settings/data/exports/<uuid:export_id>/": ("302 404 403 403 403", "302 404 405 405 405"),
    "<slug:agency>/settings/data/close/": OWN,
    "<slug:agency>/settings/data/keep/": OWN,
    # Asked without a parameter here; what they give: consult/accounts/tests/test_authorize.py and its neighbours.
    ".well-known/jwks.json": ("200 200 200 200 200", "405 405 405 405 405"),
    ".well-known/oauth-authorization-server": ("200 200 200 200 200", "405 405 405 405 405"),
    "oauth/authorize": ("400 400 400 400 400", "400 400 400 400 400"),
    "oauth/token": ("405 405 405 405 405", "400 400 400 400 400"),
    "oauth/revoke": ("405 405 405 405 405", "400 400 400 400 400"),
    # Everybody may have tokens of their own, no further than their role goes.
    "<slug:agency>/settings/tokens/": READ,
    "<slug:agency>/settings/tokens/new/": ("302 404 200 200 200", "302 404 422 422 422"),
    # Alice's; those who manage the agency's may revoke anybody's.
    "<slug:agency>/settings/tokens/<uuid:token_id>/revoke/": ("302 404 405 405 405", "302 404 404 404 302"),
    "<slug:agency>/settings/tokens/programs/<uuid:grant_id>/revoke/": (
        "302 404 405 405 405",
        "302 404 404 404 302",
    ),
    "<slug:agency>/inbox/": READ,
    "<slug:agency>/inbox/change/": ("302 404 405 405 405", "302 404 403 400 400"),
    "<slug:agency>/inbox/undo/": ACT,
    "<slug:agency>/inbox/new/": ("302 404 403 200 200", "302 404 403 422 422"),
    "<slug:agency>/inbox/views/": ("302 404 405 405 405", "302 404 302 302 302"),
    # There is no such view of theirs: consult/inbox/tests/test_saved_views.py.
    "<slug:agency>/inbox/views/<uuid:view_id>/delete/": ("302 404 405 405 405", "302 404 404 404 404"),
    "<slug:agency>/inbox/<int:number>/": READ,
    "<slug:agency>/inbox/<int:number>/close/": ACT,
    "<slug:agency>/inbox/<int:number>/reopen/": ACT,
    "<slug:agency>/inbox/<int:number>/wait/": ACT,
    # No moment, no snooze.
    "<slug:agency>/inbox/<int:number>/snooze/": ("302 404 405 405 405", "302 404 403 400 400"),
    "<slug:agency>/inbox/<int:number>/convert/": ("302 404 403 200 200", "302 404 403 422 422"),
    "<slug:agency>/inbox/<int:number>/restore/": ACT,
    "<slug:agency>/inbox/<int:number>/spam/": ACT,
    "<slug:agency>/inbox/<int:number>/assign/": ACT,
    "<slug:agency>/inbox/<int:number>/labels/": ACT,
    "<slug:agency>/inbox/<int:number>/looking/": ("302 404 405 405 405", "302 404 200 200 200"),
    "<slug:agency>/palette/": READ,
    "<slug:agency>/inbox/<int:number>/notes/": NOTE,
    "<slug:agency>/inbox/<int:number>/reply/": NOTE,
    # There is no such message, attachment, mail or template; what they do: consult/inbox/tests/.
    "<slug:agency>/inbox/<int:number>/messages/<uuid:message_id>/undo/": NO_SUCH,
    "<slug:agency>/inbox/<int:number>/messages/<uuid:message_id>/retry/": NO_SUCH,
    "<slug:agency>/inbox/<int:number>/messages/<uuid:message_id>/discard/": NO_SUCH,
    "<slug:agency>/inbox/attachments/<uuid:attachment_id>/": ("302 404 404 404 404", "302 404 405 405 405"),
    "<slug:agency>/inbox/mails/": READ,
    "<slug:agency>/inbox/mails/<uuid:mail_id>/raw/": ("302 404 404 404 404", "302 404 405 405 405"),
    "<slug:agency>/inbox/mails/<uuid:mail_id>/dismiss/": NO_SUCH,
    "<slug:agency>/inbox/mails/<uuid:mail_id>/open/": NO_SUCH,
    "<slug:agency>/inbox/mails/<uuid:mail_id>/html/": ("302 404 404 404 404", "302 404 405 405 405"),
    "<slug:agency>/inbox/messages/<uuid:message_id>/html/": ("302 404 404 404 404", "302 404 405 405 405"),
    "<slug:agency>/settings/replies/mailbox/": MANAGE,
    # There is no mailbox: consult/inbox/tests/test_connect_mailbox.py.
    "<slug:agency>/settings/replies/mailbox/check/": ("302 404 405 405 405", "302 404 403 403 404"),
    "<slug:agency>/settings/replies/mailbox/disconnect/": ("302 404 405 405 405", "302 404 403 403 404"),
    "<slug:agency>/settings/replies/hook/renew/": RULE,
    "<slug:agency>/settings/replies/": ("302 404 200 200 200", "302 404 403 422 422"),
    "<slug:agency>/settings/replies/<uuid:template_id>/": ("302 404 403 404 404", "302 404 403 404 404"),
    "<slug:agency>/settings/replies/<uuid:template_id>/delete/": NO_SUCH,
    # Nobody's: it is signed. Who signs: consult/inbox/tests/test_receive_mail.py.
    "hooks/mail/<str:hook_id>": ("405 405 405 405 405", "404 404 404 404 404"),
    "<slug:agency>/settings/blocked/": ("302 404 200 200 200", "302 404 403 422 422"),
    # There is no such block; what it does: consult/intake/tests/test_block_sender.py.
    "<slug:agency>/settings/blocked/<uuid:block_id>/unblock/": NO_SUCH,
    "<slug:agency>/jobs/": ("302 404 403 403 200", "302 404 405 405 405"),
    "<slug:agency>/jobs/<int:job_id>/retry/": ("302 404 405 405 405", "302 404 403 403 302"),
    "<slug:agency>/tasks/": READ,
    "<slug:agency>/tasks/trash/": READ,
    "<slug:agency>/tasks/new/": WRITE,
    "<slug:agency>/tasks/<slug:key>/": READ,
    "<slug:agency>/tasks/<slug:key>/edit/": WRITE,
    # Without a state it is no move.
    "<slug:agency>/tasks/<slug:key>/move/": ("302 404 405 405 405", "302 404 403 400 400"),
    "<slug:agency>/tasks/<slug:key>/assign/": ACT,
    "<slug:agency>/tasks/<slug:key>/undo/": NO_SUCH,
    "<slug:agency>/tasks/<slug:key>/trash/": ACT,
    "<slug:agency>/tasks/<slug:key>/restore/": ACT,
    "<slug:agency>/tasks/<slug:key>/comments/": NOTE,
    "<slug:agency>/tasks/<slug:key>/comments/<uuid:comment_id>/": (
        "302 404 404 404 404",
        "302 404 404 404 404",
    ),
    "<slug:agency>/projects/": READ,
    "<slug:agency>/projects/new/": WRITE,
    "<slug:agency>/projects/<slug:project_key>/": READ,
    "<slug:agency>/projects/<slug:project_key>/board/": READ,
    "<slug:agency>/projects/<slug:project_key>/settings/": WRITE,
    "<slug:agency>/projects/<slug:project_key>/states/": NOTE,
    "<slug:agency>/projects/<slug:project_key>/archive/": ACT,
    "<slug:agency>/projects/<slug:project_key>/reopen/": ACT,
    "<slug:agency>/contacts/": READ,
    "<slug:agency>/contacts/new/": WRITE,
    "<slug:agency>/contacts/<uuid:contact_id>/": READ,
    "<slug:agency>/contacts/<uuid:contact_id>/edit/": WRITE,
    "<slug:agency>/contacts/<uuid:id>/notes/": NOTE,
    "<slug:agency>/contacts/<uuid:id>/labels/": ACT,
    # With itself: it is one contact already, and the page says so.
    "<slug:agency>/contacts/<uuid:contact_id>/merge/<uuid:other_id>/": ("302 404 403 302 302", "302 404 403 302 302"),
    "<slug:agency>/contacts/<uuid:contact_id>/apart/<uuid:other_id>/": ACT,
    "<slug:agency>/contacts/<uuid:contact_id>/unmerge/<uuid:merge_id>/": ACT,
    "<slug:agency>/settings/stages/": MANAGE,
    "<slug:agency>/settings/stages/reorder/": RULE,
    # Without a name, and without where its deal goes.
    "<slug:agency>/settings/stages/<uuid:stage_id>/rename/": ("302 404 405 405 405", "302 404 403 403 422"),
    "<slug:agency>/settings/stages/<uuid:stage_id>/retire/": ("302 404 405 405 405", "302 404 403 403 422"),
    "<slug:agency>/settings/stages/<uuid:stage_id>/restore/": RULE,
    "<slug:agency>/own-fields/": MANAGE,
    "<slug:agency>/own-fields/<uuid:field_id>/retire/": RULE,
    "<slug:agency>/companies/": READ,
    "<slug:agency>/companies/new/": WRITE,
    "<slug:agency>/companies/<uuid:company_id>/": READ,
    "<slug:agency>/companies/<uuid:company_id>/edit/": WRITE,
    "<slug:agency>/companies/<uuid:id>/notes/": NOTE,
    "<slug:agency>/companies/<uuid:id>/labels/": ACT,
    "<slug:agency>/contacts/import/": WRITE,
    "<slug:agency>/contacts/contacts.csv": READ,
    "<slug:agency>/companies/companies.csv": READ,
    "<slug:agency>/deals/deals.csv": READ,
    "<slug:agency>/inbox/enquiries.csv": READ,
    "<slug:agency>/companies/import/": WRITE,
    "<slug:agency>/imports/<uuid:import_id>/": READ,
    "<slug:agency>/imports/<uuid:import_id>/issues.csv": ("302 404 403 200 200", "302 404 405 405 405"),
    # Without an encoding, and without a name among the columns.
    "<slug:agency>/imports/<uuid:import_id>/reread/": NOTE,
    "<slug:agency>/imports/<uuid:import_id>/check/": NOTE,
    "<slug:agency>/imports/<uuid:import_id>/start/": ACT,
    "<slug:agency>/imports/<uuid:import_id>/undo/": ACT,
    # Once.
    "<slug:agency>/imports/<uuid:import_id>/discard/": ("302 404 405 405 405", "302 404 403 302 404"),
    "<slug:agency>/deals/": READ,
    "<slug:agency>/deals/list/": READ,
    "<slug:agency>/deals/new/": WRITE,
    "<slug:agency>/deals/<uuid:deal_id>/": READ,
    "<slug:agency>/deals/<uuid:deal_id>/edit/": WRITE,
    # Without a stage.
    "<slug:agency>/deals/<uuid:deal_id>/move/": ("302 404 405 405 405", "302 404 403 400 400"),
    "<slug:agency>/deals/<uuid:deal_id>/lose/": NOTE,
    "<slug:agency>/deals/<uuid:deal_id>/win/": ACT,
    "<slug:agency>/deals/<uuid:deal_id>/reopen/": ACT,
    "<slug:agency>/deals/<uuid:id>/notes/": NOTE,
    "<slug:agency>/deals/<uuid:id>/labels/": ACT,
    "<slug:agency>/sites/": READ,
    "<slug:agency>/sites/new/": MANAGE,
    "<slug:agency>/sites/<uuid:site_id>/": READ,
    "<slug:agency>/sites/<uuid:site_id>/forms/new/": MANAGE,
    # There is no such file; who gets one that is there: consult/intake/tests/test_file.py.
    "<slug:agency>/files/<uuid:file_id>/": ("302 404 404 404 404", "302 404 405 405 405"),
    "<slug:agency>/forms/<uuid:form_id>/": READ,
    "<slug:agency>/forms/<uuid:form_id>/edit/": MANAGE,
    "<slug:agency>/sites/<uuid:site_id>/edit/": MANAGE,
    "<slug:agency>/reports/": READ,
    "<slug:agency>/attention/": READ,
    "<slug:agency>/attention/<uuid:set_aside_id>/raw/": READ,
    "<slug:agency>/attention/<uuid:set_aside_id>/resolve/": RULE,
    "<slug:agency>/attention/<uuid:set_aside_id>/reopen/": RULE,
    "<slug:agency>/settings/privacy/": ("302 404 403 403 200", "302 404 405 405 405"),
    # Of nobody; of somebody: consult/thread/tests/test_people.py.
    "<slug:agency>/settings/privacy/person/": ("302 404 403 403 404", "302 404 405 405 405"),
    "<slug:agency>/settings/privacy/person/export/": ("302 404 405 405 405", "302 404 403 403 404"),
    "<slug:agency>/settings/privacy/person/erase/": ("302 404 405 405 405", "302 404 403 403 404"),
    # There is no such export: it is the whole agency's.
    "<slug:agency>/settings/privacy/exports/<uuid:export_id>/": ("302 404 403 403 404", "302 404 405 405 405"),
    # The last one: whoever has left is a stranger.
    "<slug:agency>/settings/people/leave/": ("302 404 405 405 405", "302 404 302 302 302"),
}
# allauth's pages, under /accounts/: each that is mounted, with what it is for, and what GET and an empty POST answer to
# anonymous and to who is signed in, in whatever role: they are of no agency. Nothing else of allauth is reachable.
ALLAUTH = {
    "login/": ("sign-in by password, and the other ways", "200 302", "200 302"),
    "logout/": ("sign-out, asked for first", "302 200", "302 302"),
    "inactive/": ("an account that is switched off", "200 200", "405 405"),
    "signup/": ("sign-up, where it is open or by invitation", "200 302", "200 302"),
    "confirm-email/": ("the code that verifies an address", "302 302", "302 302"),
    "login/code/": ("sign-in by a code: asking for it", "200 302", "200 302"),
    "login/code/confirm/": ("sign-in by a code: typing it", "302 302", "302 302"),
    "reauthenticate/": ("the password once more before what is sensitive", "302 200", "302 200"),
    "email/": ("another address", "302 200", "302 302"),
    "password/change/": ("another password", "302 200", "302 200"),
    "password/set/": ("a first password", "302 302", "302 302"),
    "password/reset/": ("a forgotten password: asking for the link", "200 200", "200 200"),
    "password/reset/done/": ("the link is on its way", "200 200", "405 405"),
    "password/reset/key/done/": ("the new password is saved", "200 200", "405 405"),
    # Which link it is decides: consult/accounts/tests/test_profile.py.
    r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)/$": ("the link itself", "", ""),
    "2fa/": ("the second factors, and where allauth leads after each change", "302 200", "302 405"),
    "2fa/authenticate/": ("the second step of a sign-in", "302 302", "302 302"),
    "2fa/reauthenticate/": ("a second factor once more before what is sensitive", "302 302", "302 302"),
    "2fa/totp/activate/": ("an app with codes: on", "302 302", "302 302"),
    "2fa/totp/deactivate/": ("an app with codes: off", "302 404", "302 404"),
    "2fa/recovery-codes/": ("recovery codes, shown", "302 404", "302 405"),
    "2fa/recovery-codes/generate/": ("new recovery codes", "302 302", "302 302"),
    "2fa/recovery-codes/download/": ("recovery codes as a file", "302 404", "302 404"),
    "passkeys/": ("one's passkeys", "302 200", "302 405"),
    "passkeys/add/": ("a new one", "302 302", "302 302"),
    "passkeys/login/": ("sign-in by passkey", "200 200", "302 302"),
    "passkeys/reauthenticate/": ("a passkey once more before what is sensitive", "302 302", "302 302"),
    "passkeys/<int:pk>/edit/": ("its name", "302 302", "302 302"),
    "passkeys/<int:pk>/remove/": ("away with it", "302 302", "302 302"),
    "github/": ("the GitHub account that one is connected with", "302 200", "302 200"),
    "github/login/": ("on to GitHub (404 where it is not set up)", "404 404", "404 404"),
    "github/login/callback/": ("back from GitHub (404 where it is not set up)", "404 404", "404 404"),
    "github/login/cancelled/": ("said no on GitHub", "200 200", "405 405"),
    "github/login/error/": ("GitHub's answer made no sense", "401 401", "405 405"),
    "github/signup/": ("sign-up by GitHub: name and agency", "302 302", "302 302"),
}
ADMIN = re.compile(r"admin/")
# Lets nobody in by cookie, and is walked from its own document: tests/test_api_matrix.py.
API = re.compile(r"api/v1/")
OPEN_IN_ADMIN = {"admin/login/", "admin/logout/"}


def walk(patterns: Iterable[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, route)
        else:
            yield route


def undeclared(routes: Iterable[str]) -> list[str]:
    known = {*ROUTES, *(f"accounts/{route}" for route in ALLAUTH)}
    return [route for route in routes if route not in known and not any(other.match(route) for other in (ADMIN, API))]


@pytest.fixture
def clients(cast: Cast) -> dict[str, Client]:
    user_id = services.create_user(email="ada@example.com", name="Ada")
    services.add_member(agency_id=cast.a, user_id=user_id, role="admin")
    ada = Client()
    ada.force_login(models.User.objects.get(pk=user_id))
    people = (cast.stranger, cast.charlie.client, cast.vera.client, cast.bob.client, ada)
    return dict(zip(WHO, people, strict=True))


# One of each of the CRM's, made anew in agency A for every test here.
OF_CRM: dict[str, uuid.UUID] = {}
# And of the settings', by the name of its id.
OF_SETTINGS: dict[str, uuid.UUID] = {}
NOT_THERE = uuid.UUID(int=4)


@pytest.fixture(autouse=True)
def known(database: Database, cast: Cast) -> None:
    OF_CRM["companies"] = crm.create_company(agency_id=cast.a, name="Company", by=None)
    OF_CRM["contacts"] = crm.create_contact(agency_id=cast.a, name="Contact", by=None)
    OF_CRM["fields"] = crm.create_field(agency_id=cast.a, place="deal", name="Size", kind="text", by=None)
    OF_CRM["deals"] = crm.create_deal(agency_id=cast.a, title="Deal", by=None)
    [(OF_CRM["stages"],)] = database.ask("SELECT stage_id FROM crm_deal WHERE agency_id = %s", [cast.a])
    OF_SETTINGS.update(rows.made(cast))
    project_id = tasks.create_project(agency_id=cast.a, name="Site", key="SITE", by=None)
    tasks.create_task(agency_id=cast.a, project_id=project_id, title="Fix the menu", by=None, now=timezone.now())


MAILS = ("block_id", "message_id", "attachment_id", "mail_id", "template_id")
# What is set aside in agency A, in every test here.
SET_ASIDE = uuid.UUID("01900000-0000-7000-8000-000000000001")


@pytest.fixture(autouse=True)
def aside(database: Database, cast: Cast) -> None:
    id = database.set_aside(cast.key_a)
    database.ask("UPDATE intake_setaside SET id = %s WHERE id = %s", [SET_ASIDE, id])


def path(route: str, cast: Cast, agency: str = "a") -> str:
    values = {
        "slug:agency": agency,
        "int:number": "1",
        "int:job_id": "1",
        "uuid:site_id": cast.site_a,
        "uuid:form_id": cast.form_a,
    }
    values |= {
        "uuid:contact_id": OF_CRM.get("contacts", NOT_THERE),
        "uuid:other_id": OF_CRM.get("contacts", NOT_THERE),
        "uuid:company_id": OF_CRM.get("companies", NOT_THERE),
        "uuid:deal_id": OF_CRM.get("deals", NOT_THERE),
        "uuid:field_id": OF_CRM.get("fields", NOT_THERE),
        "uuid:stage_id": OF_CRM.get("stages", NOT_THERE),
        "uuid:merge_id": NOT_THERE,
        "uuid:comment_id": NOT_THERE,
        "slug:project_key": "SITE",
        "slug:key": "SITE-1",
        "uuid:id": OF_CRM.get(route.removeprefix("<slug:agency>/").split("/")[0], NOT_THERE),
    }
    values["uuid:set_aside_id"] = SET_ASIDE
    for nothing in ("file_id", *MAILS):
        values[f"uuid:{nothing}"] = NOT_THERE
    for name in ("token_id", "grant_id", "member_id", "invitation_id", "export_id", "import_id", "view_id"):
        values[f"uuid:{name}"] = OF_SETTINGS.get(name, NOT_THERE)
    values["str:token"] = values["str:hook_id"] = "no-such-token"
    values["int:sign_in_id"] = "1"
    route = route.replace("^api(?:/|$)", "api/no/such/")
    return "/" + re.sub(r"<([a-z]+:[a-z_]+)>", lambda match: str(values[match[1]]), route)


def test_every_route_is_declared() -> None:
    routes = list(walk(get_resolver().url_patterns))
    assert undeclared(routes) == []
    assert sorted(set(ROUTES) - set(routes)) == []
    assert undeclared([*routes, "<slug:agency>/export/"]) == ["<slug:agency>/export/"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_everybody_gets_what_is_declared(method: str, clients: dict[str, Client], cast: Cast, enquiry: Enquiry) -> None:
    answers = {
        route: " ".join(str(getattr(clients[who], method)(path(route, cast)).status_code) for who in WHO)
        for route in ROUTES
    }
    assert answers == {route: declared[method == "post"] for route, declared in ROUTES.items()}


def test_anonymous_learns_nothing(cast: Cast, enquiry: Enquiry) -> None:
    same = {"X-Request-ID": "the-same-id"}
    inside = [route for route in ROUTES if route.startswith("<slug:agency>")]
    assert len(inside) > 10
    for route in inside:
        there = cast.stranger.get(path(route, cast), headers=same)
        nowhere = cast.stranger.get(path(route, cast, "no-such-agency"), headers=same)
        assert there["Location"] == f"/accounts/login/?next={path(route, cast)}"
        assert nowhere["Location"] == there["Location"].replace("/a/", "/no-such-agency/", 1)
        assert (there.status_code, there.content) == (nowhere.status_code, nowhere.content)
        assert set(there.headers) == set(nowhere.headers)
        for agency in ("a", "no-such-agency"):
            told = cast.stranger.get(path(route, cast, agency), headers={"Accept": "application/json", **same})
            assert told.status_code == 401
            assert told["Content-Type"] == "application/problem+json"
            assert told.json()["code"] == "not_signed_in"


def test_a_stranger_learns_nothing(cast: Cast, enquiry: Enquiry) -> None:
    inside = [route for route in ROUTES if route.startswith("<slug:agency>")]
    for accept in ("text/html", "application/json"):
        headers = {"X-Request-ID": "the-same-id", "Accept": accept}
        nothing = cast.charlie.client.get("/no/such/page/", headers=headers)
        assert nothing.status_code == 404
        for route in inside:
            for method in (cast.charlie.client.get, cast.charlie.client.post):
                there = method(path(route, cast), headers=headers)
                nowhere = method(path(route, cast, "no-such-agency"), headers=headers)
                assert there.status_code == nowhere.status_code == 404
                assert there.content == nowhere.content == nothing.content
                assert dict(there.headers) == dict(nowhere.headers)
        # What belongs to another agency, asked for inside one's own.
        for foreign in ("/b/inbox/1/", f"/b/sites/{cast.site_a}/", f"/b/forms/{cast.form_a}/"):
            assert cast.charlie.client.get(foreign, headers=headers).content == nothing.content


def test_allauths_pages_answer_what_is_declared(cast: Cast) -> None:
    bob = models.User.objects.get(pk=cast.bob.user_id)
    answers = {}
    for route, (what, *declared) in ALLAUTH.items():
        address = f"/accounts/{route}".replace("<int:pk>", "1")
        found = []
        for method in ("get", "post") if declared[0] else ():
            # A browser each: one of these pages signs out, others count tries.
            cache.clear()
            anonymous, signed_in = Client(), Client()
            signed_in.force_login(bob)
            statuses = [getattr(client, method)(address).status_code for client in (anonymous, signed_in)]
            found.append(" ".join(map(str, statuses)))
        answers[route] = (what, *(found or declared))
    assert answers == ALLAUTH


def test_allauths_pages_open_no_account(database: Database, cast: Cast) -> None:
    mounted = {route.removeprefix("accounts/") for route in walk(get_resolver().url_patterns)}
    assert [route for route in ALLAUTH if route not in mounted] == []
    routes = [f"/accounts/{route}".replace("<int:pk>", "1") for route in ALLAUTH if "(" not in route]
    before = database.ask("SELECT count(*) FROM accounts_user")
    everything = {
        "name": "New",
        "email": "new@example.com",
        "password1": "correct horse battery staple",
        "password": "no",
        "agency_name": "New",
    }
    for route in routes:
        assert Client().post(route, everything).status_code in (200, 302, 404, 405), route
    assert database.ask("SELECT count(*) FROM accounts_user") == before


def test_the_admin_is_closed(clients: dict[str, Client]) -> None:
    values = {"path:object_id": "1", "path:content_type_id": "1"}
    routes = [route for route in walk(get_resolver().url_patterns) if ADMIN.match(route) and "(" not in route]
    assert len(routes) > 30
    for route in routes:
        address = "/" + re.sub(r"<([a-z]+:[a-z_]+)>", lambda match: values[match[1]], route)
        for client in (clients["anonymous"], clients["admin"]):
            for method in (client.get, client.post):
                answer = method(address)
                if route not in OPEN_IN_ADMIN:
                    assert answer.status_code == 302, (address, answer.status_code)
                    assert answer["Location"].startswith(("/admin/login/", "/accounts/login/")), address


def test_the_cast_is_what_it_says(clients: dict[str, Client], cast: Cast) -> None:
    roles = {person.email: queries.memberships(person.user_id)[0].role for person in (cast.vera, cast.bob, cast.alice)}
    assert roles == {"vera@example.com": "viewer", "bob@example.com": "member", "alice@example.com": "owner"}
    assert [membership.slug for membership in queries.memberships(cast.charlie.user_id)] == ["b"]


# What the forms and actions of the routes take: enough to change something, were it let through.
DATA = {
    "member": "",
    "until": "tomorrow",
    "body": "Hello",
    "name": "Taken over",
    "url": "https://evil.example",
    "role": "owner",
    "email": "charlie@example.com",
    "scopes": "read",
    "confirm": "a",
}


# What reading notes, table by table: that the audit was saved as a file, and that an enquiry was opened.
NOTED = {"accounts_audit", "inbox_delivery"}


def rows_of(database: Database, agency_id: int) -> dict[str, list[object]]:
    """Return everything that an agency has, table by table."""
    return {
        table: database.ask(f"SELECT to_jsonb(t) FROM {table} t WHERE {isolated.column} = {agency_id} ORDER BY t.id")  # noqa: S608
        for table, isolated in catalogue.isolated().items()
    }


# What is not there any more is said to be gone, on the page on which it stood.
SAID_TO_BE_GONE = {
    "<slug:agency>/jobs/<int:job_id>/retry/",
    "<slug:agency>/settings/invitations/<uuid:invitation_id>/resend/",
    "<slug:agency>/settings/invitations/<uuid:invitation_id>/revoke/",
}


def test_nothing_of_another_agency_is_changed_by_posting_to_it(
    database: Database, clients: dict[str, Client], cast: Cast, enquiry: Enquiry
) -> None:
    """With data that a form would take: at the other agency's address, and with its ids at one's own."""
    before, attacked, led = rows_of(database, cast.a), 0, {}
    inside = [route for route in ROUTES if route.startswith("<slug:agency>")]
    # With the first deal come the stages.
    crm.create_deal(agency_id=cast.b, title="Theirs", by=None)
    [(stage,)] = database.ask("SELECT id FROM crm_stage WHERE agency_id = %s AND position = 2", [cast.b])
    for route in inside:
        data = {**DATA, "member": str(cast.charlie.member_id), "stage": str(stage)}
        for who in ("anonymous", "stranger"):
            answer = clients[who].post(path(route, cast), data)
            assert answer.status_code == (302 if who == "anonymous" else 404), route
        # Ids of agency A under the address of agency B, by B's owner: what is not theirs is not there.
        if re.search(r"<(?:uuid|int):", route):
            attacked += 1
            for method in (clients["stranger"].get, clients["stranger"].post):
                answer = method(path(route, cast, "b"), data)
                if answer.status_code not in (404, 405):
                    led[route] = answer.status_code
    assert attacked > 45
    assert led == dict.fromkeys(SAID_TO_BE_GONE, 302)
    assert rows_of(database, cast.a) == before


def test_reading_changes_nothing(database: Database, clients: dict[str, Client], cast: Cast, enquiry: Enquiry) -> None:
    """GET, of every page, by whoever may see most: but for what is said to be noted."""
    before, began = rows_of(database, cast.a), timezone.now()
    for route in ROUTES:
        for who in ("member", "admin"):
            clients[who].get(path(route, cast))
        cast.alice.client.get(path(route, cast))
    after = rows_of(database, cast.a)
    assert {table for table in before if before[table] != after[table]} == NOTED
    done = database.ask(
        "SELECT DISTINCT action FROM accounts_audit WHERE by_id IS NOT NULL AND created_at >= %s", [began]
    )
    downloads = ("crm.download_contacts", "crm.download_companies", "crm.download_deals", "inbox.download_enquiries")
    assert {action for (action,) in done} == {"accounts.download_audit", *downloads}


def test_readers_change_nothing_with_data_either(
    database: Database, clients: dict[str, Client], cast: Cast, enquiry: Enquiry
) -> None:
    # Their own tokens, views and choices are theirs to make, and everybody may leave.
    own = ("/tokens/", "/leave/", "/inbox/views/", "/notifications/", "/looking/")
    routes = [route for route in ROUTES if route.startswith("<slug:agency>") and not any(each in route for each in own)]
    before = rows_of(database, cast.a)
    for route in routes:
        answer = clients["viewer"].post(path(route, cast), {**DATA, "member": str(cast.vera.member_id)})
        assert answer.status_code in (403, 404, 405), (route, answer.status_code)
    assert rows_of(database, cast.a) == before
