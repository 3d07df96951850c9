"""Reads of accounts: who is who, where."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest

from consult.accounts import models, rules
from consult.core import tenancy


@dataclasses.dataclass(frozen=True)
class Membership:
    """A place in one agency, as known before that agency is entered: a user's, or an agency token's own."""

    agency_id: int
    slug: str
    name: str
    time_zone: str
    # None: a token of the agency itself.
    member_id: UUID | None
    role: str
    currency: str = "EUR"
    week_start: int = 1
    # Until then its owners may take back that it is to be deleted.
    closes_at: dt.datetime | None = None
    # Where its logo lies; empty: it has none.
    logo: str = ""


@dataclasses.dataclass(frozen=True)
class Caller:
    """A program that calls the API: in whose place, within which scopes, with which token or sign-in."""

    here: Membership
    # None: a token of the agency itself.
    user_id: int | None
    scopes: frozenset[str]
    token_id: UUID


@dataclasses.dataclass(frozen=True)
class Person:
    """A member, for choosing and for showing."""

    id: UUID
    name: str
    email: str
    role: str
    has_left: bool = False


def memberships(user_id: int | None) -> list[Membership]:
    """Return the agencies of a user by name, through the door that knows no agency yet."""
    return [Membership(*row) for row in _rows("SELECT * FROM accounts_memberships_v3(%s)", [user_id])]


def agencies() -> list[tuple[int, str, str]]:
    """Return (id, slug, name) of every agency; for the admin's chooser and for commands."""
    return [(row[0], row[1], row[2]) for row in _rows("SELECT * FROM accounts_agencies_v1()", [])]


def may_take_slug(slug: str) -> bool:
    """Whether a new agency could be called this in addresses; another may be faster still."""
    if slug in rules.RESERVED:
        return False
    return not _rows("SELECT accounts_slug_taken_v1(%s)", [slug])[0][0]


def _rows(statement: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def members(agency_id: int) -> list[Person]:
    """Return the agency's members by name; not those who have left."""
    return [person for person in people(agency_id) if not person.has_left]


def people(agency_id: int) -> list[Person]:
    """Return the agency's members by name, also those who have left."""
    found = models.Member.objects.filter(agency_id=agency_id).select_related("user").order_by("user__name", "id")
    return [_person(member) for member in found]


def _person(member: models.Member) -> Person:
    return Person(member.id, str(member.user), member.user.email, member.role, member.left_at is not None)


def people_after(agency_id: int, after: UUID | None, limit: int) -> list[Person]:
    """Return the members from `after` on in the order of their ids, also those who have left."""
    found = models.Member.objects.filter(agency_id=agency_id).select_related("user").order_by("id")
    return [_person(member) for member in (found.filter(id__gt=after) if after else found)[:limit]]


def person(agency_id: int, member_id: UUID) -> Person | None:
    """Return one member, also one who has left, or None."""
    found = models.Member.objects.filter(agency_id=agency_id, id=member_id).select_related("user").first()
    return _person(found) if found else None


def member_names(agency_id: int) -> dict[UUID, str]:
    """Return every member's name by id, also of those who have left."""
    return {person.id: person.name for person in people(agency_id)}


def member_of(agency_id: int, user_id: int | None) -> UUID | None:
    """Return the user's member id in the agency, or None: a superuser need not be a member."""
    if user_id is None:
        return None
    found = models.Member.objects.filter(agency_id=agency_id, user_id=user_id, left_at=None)
    return found.values_list("id", flat=True).first()


def agency_name(agency_id: int) -> str:
    """Return the agency's name for people."""
    return models.Agency.objects.values_list("name", flat=True).get(id=agency_id)


def agency_slug(agency_id: int) -> str:
    """Return the agency's part of addresses."""
    return models.Agency.objects.values_list("slug", flat=True).get(id=agency_id)


def agency_exists(agency_id: int) -> bool:
    """Whether this code is inside an agency that is still there."""
    return models.Agency.objects.filter(id=agency_id).exists()


def agency_time_zone(agency_id: int) -> str:
    """Return the agency's time zone by its name in the time zone database."""
    return models.Agency.objects.values_list("time_zone", flat=True).get(id=agency_id)


def agency_currency(agency_id: int) -> str:
    """Return the currency (ISO 4217) of the agency's money that is in no other."""
    return models.Agency.objects.values_list("currency", flat=True).get(id=agency_id)


# What services.update_agency changes.
SETTINGS = ("name", "slug", "time_zone", "currency", "week_start", "sender_address")


def settings_of(agency_id: int) -> dict[str, Any]:
    """Return the agency's settings by their name, and its logo."""
    found: dict[str, Any] = models.Agency.objects.values(*SETTINGS, "logo").get(id=agency_id)
    return found


def closes_at(agency_id: int) -> dt.datetime | None:
    """Return when all of the agency is deleted; None: nobody has asked for it."""
    return models.Agency.objects.values_list("closes_at", flat=True).get(id=agency_id)


def logo(agency_id: int) -> str:
    """Return where the agency's logo lies; empty when it has none."""
    return models.Agency.objects.values_list("logo", flat=True).get(id=agency_id)


def mail_sender(agency_id: int) -> str:
    """Return whom the agency's mail says it is from: its own sender, or the installation's."""
    found = models.Agency.objects.filter(id=agency_id).values_list("sender_address", flat=True).first()
    return found or settings.DEFAULT_FROM_EMAIL


@dataclasses.dataclass(frozen=True)
class Invitation:
    """A place that is offered, as the link to it shows it. `state`: open, accepted, revoked or expired."""

    agency_id: int
    id: UUID
    state: str
    slug: str
    agency: str
    logo: str
    email: str
    role: str
    inviter: str
    expires_at: dt.datetime


def invitation(*, token_hash: str, now: dt.datetime) -> Invitation | None:
    """Return what an invitation's link offers, through the door that knows no agency yet; None: nobody knows it."""
    found = _rows("SELECT * FROM accounts_invitation_v1(%s, %s)", [token_hash, now])
    if not found:
        return None
    agency_id, id, state = found[0]
    with tenancy.agency(agency_id):
        row = models.Invitation.objects.select_related("agency").get(agency_id=agency_id, id=id)
        return Invitation(
            agency_id,
            id,
            state,
            row.agency.slug,
            row.agency.name,
            row.agency.logo,
            row.email,
            row.role,
            member_names(agency_id).get(row.invited_by_id, ""),
            row.expires_at,
        )


@dataclasses.dataclass(frozen=True)
class Colleague:
    """A member as the people page shows one."""

    id: UUID
    name: str
    email: str
    role: str
    since: dt.datetime
    last_active_at: dt.datetime | None


def colleagues(agency_id: int) -> list[Colleague]:
    """Return the agency's members, owners first, then by name."""
    found = models.Member.objects.filter(agency_id=agency_id, left_at=None).select_related("user")
    people = [
        Colleague(each.id, str(each.user), each.user.email, each.role, each.created_at, each.user.last_active_at)
        for each in found
    ]
    return sorted(people, key=lambda person: (rules.ROLES.index(person.role), person.name.casefold(), person.id))


@dataclasses.dataclass(frozen=True)
class Offer:
    """An invitation that nobody has taken yet, for the people page."""

    id: UUID
    email: str
    role: str
    inviter: str
    sent_at: dt.datetime | None
    expires_at: dt.datetime
    expired: bool


def open_invitations(agency_id: int, now: dt.datetime) -> list[Offer]:
    """Return what is neither taken nor taken back, the latest first."""
    names = member_names(agency_id)
    found = models.Invitation.objects.filter(agency_id=agency_id, accepted_at=None, revoked_at=None)
    return [
        Offer(
            each.id,
            each.email,
            each.role,
            names.get(each.invited_by_id, ""),
            each.sent_at,
            each.expires_at,
            each.expires_at <= now,
        )
        for each in found.order_by("-created_at", "-id")
    ]


@dataclasses.dataclass(frozen=True)
class OpenInvitation:
    """An invitation that nobody has taken yet, as programs read it. Its link is known to the mail alone."""

    id: UUID
    email: str
    role: str
    invited_by_id: UUID
    # None: the mail with the present link waits in the queue.
    sent_at: dt.datetime | None
    expires_at: dt.datetime
    created_at: dt.datetime


_INVITATION = [field.name for field in dataclasses.fields(OpenInvitation)]


def _open_invitations(agency_id: int) -> QuerySet[models.Invitation]:
    return models.Invitation.objects.filter(agency_id=agency_id, accepted_at=None, revoked_at=None)


def open_invitations_after(agency_id: int, after: UUID | None, limit: int) -> list[OpenInvitation]:
    """Return what is neither taken nor taken back, from `after` on in the order of their ids."""
    found = _open_invitations(agency_id).order_by("id")
    rows = (found.filter(id__gt=after) if after else found).values_list(*_INVITATION)[:limit]
    return [OpenInvitation(*row) for row in rows]


def open_invitation(agency_id: int, invitation_id: UUID) -> OpenInvitation | None:
    row = _open_invitations(agency_id).filter(id=invitation_id).values_list(*_INVITATION).first()
    return OpenInvitation(*row) if row else None


def role_offered(agency_id: int, email: str) -> str:
    """Return the role that an open invitation offers to this address; empty when there is none."""
    found = _open_invitations(agency_id).filter(email=models.normalise_email(email))
    return found.values_list("role", flat=True).first() or ""


@dataclasses.dataclass(frozen=True)
class Export:
    """An export as its page shows it; `location` is for the office alone."""

    id: UUID
    state: str
    by: str
    done: int
    total: int
    size: int
    error: str
    created_at: dt.datetime
    expires_at: dt.datetime | None
    location: str


def exports(agency_id: int, limit: int = 10) -> list[Export]:
    """Return the agency's exports, the latest first."""
    names = member_names(agency_id)
    found = models.Export.objects.filter(agency_id=agency_id).order_by("-created_at", "-id")[:limit]
    return [_export(each, names) for each in found]


def export(agency_id: int, export_id: UUID) -> Export | None:
    """Return one export, or None."""
    found = models.Export.objects.filter(agency_id=agency_id, id=export_id).first()
    return _export(found, {}) if found else None


def _export(row: models.Export, names: dict[UUID, str]) -> Export:
    by = names.get(row.asked_by_id, "")
    return Export(
        row.id,
        row.state,
        by,
        row.done,
        row.total,
        row.size,
        row.error,
        row.created_at,
        row.expires_at,
        row.location,
    )


def audit_of(agency_id: int, subject_id: UUID) -> list[models.Audit]:
    """Return what was done to `subject_id`, oldest first."""
    return list(models.Audit.objects.filter(agency_id=agency_id, subject_id=subject_id).order_by("created_at", "id"))


def here(request: HttpRequest) -> Membership:
    """Return the agency that this request is inside and the caller's place in it."""
    found = getattr(request, "agency", None)
    if not isinstance(found, Membership):
        raise TypeError("this view's route names no agency")
    return found


def permit(request: HttpRequest, permission: str) -> Membership:
    """Like `here`, for who has this permission (rules.PERMISSIONS). Raise PermissionDenied (403) for others.

    A token needs the permission's scope as well: `request.scopes` is set by whoever believed the token.
    """
    found = here(request)
    scopes: frozenset[str] | None = getattr(request, "scopes", None)
    if scopes is not None and not rules.within(scopes, permission):
        raise PermissionDenied("This token's scopes do not cover it.")
    if not rules.may(found.role, permission):
        words = rules.PERMISSIONS[permission][1]
        raise PermissionDenied(f"Your role, {found.role}, may not {words}. Ask an owner or admin of the agency.")
    return found


def person_here(here: Membership) -> UUID:
    """Return the member who acts. Raise Http404 for a token of the agency, which is nobody."""
    if here.member_id is None:
        raise Http404
    return here.member_id


def scopes_of(role: str) -> list[str]:
    """Return the scopes that a token of this role can do something with."""
    return rules.scopes_of(role)


def may(here: Membership, permission: str) -> bool:
    """Whether this member has the permission."""
    return rules.may(here.role, permission)


@dataclasses.dataclass(frozen=True)
class WaysIn:
    """How a person may sign in, for their own page."""

    email: str
    has_password: bool
    has_totp: bool
    passkeys: int
    recovery_codes: bool
    github_username: str
    github_offered: bool
    sign_ins: int


def ways_in(user_id: int) -> WaysIn:
    """Return how this person may sign in. Raise User.DoesNotExist."""
    user = models.User.objects.get(pk=user_id)
    kinds = list(Authenticator.objects.filter(user_id=user.pk).values_list("type", flat=True))
    return WaysIn(
        email=user.email,
        has_password=user.has_usable_password(),
        has_totp=Authenticator.Type.TOTP in kinds,
        passkeys=kinds.count(Authenticator.Type.WEBAUTHN),
        recovery_codes=Authenticator.Type.RECOVERY_CODES in kinds,
        github_username=user.github_username if user.github_user_id else "",
        github_offered=bool(settings.CONSULT_GITHUB_CLIENT_ID),
        sign_ins=UserSession.objects.filter(user_id=user.pk).count(),
    )


@dataclasses.dataclass(frozen=True)
class SignIn:
    """A browser in which somebody is signed in; `device` as it calls itself, perhaps empty."""

    id: int
    device: str
    address: str
    since: dt.datetime
    is_this: bool


def sign_ins(user_id: int, *, session_key: str | None) -> list[SignIn]:
    """Return where this person is signed in, this browser first, then the latest."""
    # Deletes those that have ended meanwhile, by time or by a new password: nobody tells of these.
    found = UserSession.objects.purge_and_list(models.User.objects.get(pk=user_id))
    shown = [
        SignIn(each.pk, rules.device(each.user_agent), each.ip, each.created_at, each.session_key == session_key)
        for each in found
    ]
    return sorted(shown, key=lambda each: (each.is_this, each.since), reverse=True)


def user_by_email(email: str) -> models.User | None:
    """Return the active user of that address, whatever its case, or None."""
    return models.User.objects.filter(email=models.normalise_email(email), is_active=True).first()


@dataclasses.dataclass(frozen=True)
class SigningKey:
    """A signing key without its private part; `state` is one of rules.KEY_STATES."""

    kid: str
    state: str
    public_key: str
    created_at: dt.datetime
    not_before: dt.datetime
    activated_at: dt.datetime | None
    retired_at: dt.datetime | None
    revoked_at: dt.datetime | None


def signing_keys() -> list[SigningKey]:
    """Return every key there is, oldest first."""
    names = [field.name for field in dataclasses.fields(SigningKey)]
    return [SigningKey(**row) for row in models.SigningKey.objects.order_by("created_at", "kid").values(*names)]


def public_keys() -> dict[str, str]:
    """Return the PEMs of the keys that are believed, by kid; the next one is among them before it signs."""
    found = models.SigningKey.objects.exclude(state="revoked").order_by("created_at")
    return dict(found.values_list("kid", "public_key"))


@dataclasses.dataclass(frozen=True)
class ApiToken:
    """An API token in a list; its secret is known to nobody. `member_id` is None for the agency's own."""

    id: UUID
    name: str
    hint: str
    member_id: UUID | None
    member_name: str
    role: str
    scopes: Sequence[str]
    created_at: dt.datetime
    last_used_at: dt.datetime | None
    expires_at: dt.datetime | None
    # Who made the agency's token and has left since; they have seen its secret.
    maker_gone: str


def api_tokens(agency_id: int, *, member_id: UUID | None = None) -> list[ApiToken]:
    """Return the tokens that are not revoked, newest first: the member's own, or everybody's and the agency's."""
    found = models.ApiToken.objects.filter(agency_id=agency_id, revoked_at=None).select_related("member__user")
    if member_id is not None:
        found = found.filter(member_id=member_id)
    makers = models.Member.objects.filter(
        agency_id=agency_id,
        left_at__isnull=False,
        id__in=found.filter(member=None).values("made_by_id"),
    )
    gone = {} if member_id else {member.id: str(member.user) for member in makers.select_related("user")}
    return [
        ApiToken(
            token.id,
            token.name,
            token.hint,
            token.member.id if token.member else None,
            str(token.member.user) if token.member else "",
            token.member.role if token.member else token.role,
            token.scopes,
            token.created_at,
            token.last_used_at,
            token.expires_at,
            gone.get(token.made_by_id, "") if token.made_by_id and not token.member else "",
        )
        for token in found.order_by("-created_at", "-id")
    ]


def tokens_of_makers(agency_id: int) -> dict[UUID, list[str]]:
    """Return the names of the agency's own tokens that stand, by who made them: they stay when their maker goes."""
    found: dict[UUID, list[str]] = {}
    for token in models.ApiToken.objects.filter(
        agency_id=agency_id, member=None, revoked_at=None, made_by_id__isnull=False
    ).order_by("name", "id"):
        if token.made_by_id:
            found.setdefault(token.made_by_id, []).append(token.name)
    return found


@dataclasses.dataclass(frozen=True)
class Grant:
    """A program that a member has signed in."""

    id: UUID
    client_id: str
    member_id: UUID
    member_name: str
    scopes: Sequence[str]
    # What it runs on, as it says.
    device: str
    address: str
    created_at: dt.datetime
    last_used_at: dt.datetime
    ends_at: dt.datetime


def grants(agency_id: int, *, now: dt.datetime, member_id: UUID | None = None) -> list[Grant]:
    """Return the sign-ins of programs that stand, last used first: the member's own, or everybody's."""
    return [_grant(each) for each in _standing(agency_id, now, member_id).order_by("-last_used_at", "-id")]


def _standing(agency_id: int, now: dt.datetime, member_id: UUID | None = None) -> QuerySet[models.Grant]:
    found = models.Grant.objects.filter(agency_id=agency_id, revoked_at=None, ends_at__gt=now)
    return (found.filter(member_id=member_id) if member_id else found).select_related("member__user")


def _grant(row: models.Grant) -> Grant:
    return Grant(
        row.id,
        row.client_id,
        row.member.id,
        str(row.member.user),
        row.scopes,
        rules.device(row.user_agent),
        row.address,
        row.created_at,
        row.last_used_at,
        row.ends_at,
    )


def grants_after(
    agency_id: int, after: UUID | None, limit: int, *, now: dt.datetime, member_id: UUID | None = None
) -> list[Grant]:
    """Return the sign-ins of programs that stand, all or a member's, from `after` on in the order of their ids."""
    found = _standing(agency_id, now, member_id).order_by("id")
    return [_grant(each) for each in (found.filter(id__gt=after) if after else found)[:limit]]


def grant(agency_id: int, grant_id: UUID, *, now: dt.datetime) -> Grant | None:
    """Return a sign-in of a program that stands, or None."""
    found = _standing(agency_id, now).filter(id=grant_id).first()
    return _grant(found) if found else None


@dataclasses.dataclass(frozen=True)
class TokenRecord:
    """An API token as programs read it, also a revoked one."""

    id: UUID
    name: str
    hint: str
    # None: the agency's own, with `role`.
    member_id: UUID | None
    role: str
    scopes: list[str]
    made_by_id: UUID | None
    created_at: dt.datetime
    expires_at: dt.datetime | None
    last_used_at: dt.datetime | None
    revoked_at: dt.datetime | None


_TOKEN = [field.name for field in dataclasses.fields(TokenRecord)]


def api_tokens_after(
    agency_id: int, after: UUID | None, limit: int, *, member_id: UUID | None = None
) -> list[TokenRecord]:
    """Return the agency's tokens, or those of one member, in the order in which they were made."""
    found = models.ApiToken.objects.filter(agency_id=agency_id, **({"member_id": member_id} if member_id else {}))
    rows = (found.filter(id__gt=after) if after else found).order_by("id").values_list(*_TOKEN)[:limit]
    return [TokenRecord(*row) for row in rows]


def api_token(agency_id: int, token_id: UUID) -> TokenRecord | None:
    row = models.ApiToken.objects.filter(agency_id=agency_id, id=token_id).values_list(*_TOKEN).first()
    return TokenRecord(*row) if row else None


@dataclasses.dataclass(frozen=True)
class Audited:
    """A line of the audit."""

    id: UUID
    action: str
    by_id: UUID | None
    token_id: UUID | None
    origin: str
    subject_id: UUID | None
    data: dict[str, Any]
    created_at: dt.datetime


def lying_before(found: QuerySet[models.Audit], place: tuple[dt.datetime, UUID] | None) -> QuerySet[models.Audit]:
    """Return of the audit's lines those before that place (created_at, id); all of them without a place."""
    if place is None:
        return found
    at, id = place
    return found.filter(Q(created_at__lt=at) | Q(created_at=at, id__lt=id))


def audit_before(
    agency_id: int,
    before: tuple[dt.datetime, UUID] | None,
    limit: int,
    *,
    action: str = "",
    by_id: UUID | None = None,
    subject_id: UUID | None = None,
) -> list[Audited]:
    """Return the audit's lines before that place, the latest first; only those of an action, a member, a subject."""
    wanted = {"action": action, "by_id": by_id, "subject_id": subject_id}
    found = models.Audit.objects.filter(agency_id=agency_id, **{name: each for name, each in wanted.items() if each})
    found = lying_before(found, before)
    names = [field.name for field in dataclasses.fields(Audited)]
    return [Audited(*row) for row in found.order_by("-created_at", "-id").values_list(*names)[:limit]]
