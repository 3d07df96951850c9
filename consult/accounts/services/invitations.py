"""Invitations: a place offered by e-mail, taken by whoever owns the address."""

import datetime as dt
import secrets
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import mail
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from consult.accounts import models, queries, rules
from consult.accounts.services.audit import record
from consult.accounts.services.members import NotYours
from consult.core import encryption, queue, tenancy
from consult.core import mail as core_mail

INVITATION_DAYS = 7
MOST_INVITATION_DAYS = 30
# So many mails with invitations an agency may cause within a day: nobody's mail server is to be used by strangers.
MOST_A_DAY = 50


class NoSuchInvitation(Exception):
    """The agency has no invitation of this id that is still open, or nobody knows this link."""


class InvitationSpent(Exception):
    """An invitation that cannot be taken any more; `state` is accepted, revoked or expired."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


class AlreadyMember(Exception):
    """Somebody with this address has a place in the agency."""


class OtherAddress(Exception):
    """Whoever is signed in does not own the address that was invited."""


class TooManyInvitations(Exception):
    """The agency has sent MOST_A_DAY within the last day."""


class BadInvitation(ValueError):
    """An address, a role or a number of days that no invitation can have."""


def invite_member(
    *,
    agency_id: int,
    email: str,
    role: str,
    by: UUID,
    now: dt.datetime,
    days: int = INVITATION_DAYS,
) -> UUID:
    """Offer an address a place for so many days; return the invitation's id. A job sends the link.

    An address that has an open invitation gets a new link, and the old one is dead. Raise BadInvitation, NotYours,
    AlreadyMember, TooManyInvitations.
    """
    address = rules.one_address(models.normalise_email(email))
    if not address or role not in rules.ROLES or not 1 <= days <= MOST_INVITATION_DAYS:
        raise BadInvitation
    with tenancy.agency(agency_id):
        # One at a time: of two for one address the second renews the first.
        models.Agency.objects.select_for_update(no_key=True).get(id=agency_id)
        _may_give(agency_id, by, role)
        if any(models.normalise_email(person.email) == address for person in queries.members(agency_id)):
            raise AlreadyMember(address)
        invitation = _open(agency_id).filter(email=address).first()
        if invitation is None:
            invitation = models.Invitation(agency_id=agency_id, email=address)
        else:
            # One that only an owner may make is not an admin's to change.
            _may_give(agency_id, by, invitation.role)
        invitation.role, invitation.invited_by_id = role, by
        _renew(invitation, now, days)
        data = {"role": role, "days": days}
        record("accounts.invite_member", agency_id=agency_id, by=by, subject_id=invitation.id, data=data)
    return invitation.id


def lock_invitation(*, agency_id: int, invitation_id: UUID) -> None:
    """Let nobody else change it until the transaction is done. Raise NoSuchInvitation."""
    with tenancy.agency(agency_id):
        _locked(agency_id, invitation_id)


def resend_invitation(*, agency_id: int, invitation_id: UUID, by: UUID, now: dt.datetime) -> None:
    """Send a new link, good for INVITATION_DAYS; the old one is dead.

    Raise NoSuchInvitation, NotYours, TooManyInvitations.
    """
    with tenancy.agency(agency_id):
        invitation = _locked(agency_id, invitation_id)
        _may_give(agency_id, by, invitation.role)
        invitation.invited_by_id = by
        _renew(invitation, now, INVITATION_DAYS)
        record("accounts.resend_invitation", agency_id=agency_id, by=by, subject_id=invitation_id)


def revoke_invitation(*, agency_id: int, invitation_id: UUID, by: UUID | None, by_role: str, now: dt.datetime) -> None:
    """Take an invitation back. Raise NoSuchInvitation, NotYours."""
    with tenancy.agency(agency_id):
        invitation = _locked(agency_id, invitation_id)
        if not rules.may_give(by_role, invitation.role):
            raise NotYours
        invitation.revoked_at = now
        invitation.save(update_fields=["revoked_at"])
        record("accounts.revoke_invitation", agency_id=agency_id, by=by, subject_id=invitation_id)


def send_invitation(*, agency_id: int, invitation_id: UUID) -> None:
    """Mail the link; a second run sends nothing. The secret is made here, so that it never lies in the queue.

    Its hash is stored before the mail leaves: one that arrives works. Raise what core.mail.send raises.
    """
    token = secrets.token_urlsafe(32)
    with tenancy.agency(agency_id):
        invitation = _open(agency_id).select_for_update().filter(id=invitation_id, sent_at=None).first()
        if invitation is None:
            return
        invitation.token_hash = encryption.hashed(token)
        invitation.save(update_fields=["token_hash"])
        message = _message(invitation, token)
    core_mail.send(message)
    with tenancy.agency(agency_id):
        # Not of one that was renewed meanwhile: its own job is in the queue.
        sent = _open(agency_id).filter(id=invitation_id, token_hash=encryption.hashed(token))
        sent.update(sent_at=dt.datetime.now(dt.UTC))


def accept_invitation(*, token: str, user_id: int, now: dt.datetime) -> str:
    """Take the place and return the agency's slug. Who has one already keeps it as it is.

    Raise NoSuchInvitation, InvitationSpent, OtherAddress.
    """
    found = queries.invitation(token_hash=encryption.hashed(token), now=now)
    if found is None:
        raise NoSuchInvitation
    user = models.User.objects.get(id=user_id, is_active=True)
    with tenancy.agency(found.agency_id):
        # The agency first, as every change of its members: two clicks at once come one after the other.
        models.Agency.objects.select_for_update(no_key=True).get(id=found.agency_id)
        invitation = models.Invitation.objects.select_for_update().get(agency_id=found.agency_id, id=found.id)
        member = models.Member.objects.filter(agency_id=found.agency_id, user_id=user_id).first()
        if not owns(user, invitation.email):
            raise OtherAddress
        inside = member is not None and member.left_at is None
        if (state := _state(invitation, now)) != "open":
            if inside and state == "accepted":
                return found.slug
            raise InvitationSpent(state)
        if member is None:
            member = models.Member(agency_id=found.agency_id, user_id=user_id)
        if not inside:
            member.role, member.left_at = invitation.role, None
            member.save()
        invitation.accepted_at = now
        invitation.save(update_fields=["accepted_at"])
        data = {"invitation": str(invitation.id), "role": member.role}
        record("accounts.accept_invitation", agency_id=found.agency_id, by=member.id, subject_id=member.id, data=data)
    return found.slug


def owns(user: models.User, email: str) -> bool:
    """Whether an address is the person's own: the one that they sign in with, or another that they have verified."""
    if models.normalise_email(user.email) == email:
        return True
    others = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    return email in map(models.normalise_email, others)


def invitation_of(token: str, *, now: dt.datetime) -> queries.Invitation | None:
    """Return what the link with this secret offers, None when nobody knows it."""
    return queries.invitation(token_hash=encryption.hashed(token), now=now)


def _open(agency_id: int) -> QuerySet[models.Invitation]:
    return models.Invitation.objects.filter(agency_id=agency_id, accepted_at=None, revoked_at=None)


def _locked(agency_id: int, invitation_id: UUID) -> models.Invitation:
    invitation = _open(agency_id).select_for_update().filter(id=invitation_id).first()
    if invitation is None:
        raise NoSuchInvitation(invitation_id)
    return invitation


def _state(invitation: models.Invitation, now: dt.datetime) -> str:
    if invitation.accepted_at:
        return "accepted"
    if invitation.revoked_at:
        return "revoked"
    return "expired" if invitation.expires_at <= now else "open"


def _may_give(agency_id: int, by: UUID, role: str) -> None:
    giver = models.Member.objects.filter(agency_id=agency_id, id=by, left_at=None).first()
    if giver is None or not rules.may_give(giver.role, role):
        raise NotYours


SENT = ("accounts.invite_member", "accounts.resend_invitation")


def _renew(invitation: models.Invitation, now: dt.datetime, days: int) -> None:
    """Kill the link that there is; the next one is made by the job that sends it. Raise TooManyInvitations."""
    lately = models.Audit.objects.filter(
        agency_id=invitation.agency_id, created_at__gt=now - dt.timedelta(days=1), action__in=SENT
    )
    if lately.count() >= MOST_A_DAY:
        raise TooManyInvitations
    invitation.token_hash = encryption.hashed(secrets.token_urlsafe(32))
    invitation.sent_at, invitation.expires_at = None, now + dt.timedelta(days=days)
    invitation.save()
    queue.enqueue("accounts.send_invitation", invitation_id=str(invitation.id))


def _message(invitation: models.Invitation, token: str) -> mail.EmailMultiAlternatives:
    agency = models.Agency.objects.get(id=invitation.agency_id)
    context: dict[str, Any] = {
        "agency": agency.name,
        "inviter": queries.member_names(agency.id).get(invitation.invited_by_id, ""),
        "role": invitation.role,
        "address": invitation.email,
        "expires_at": invitation.expires_at,
        "link": settings.CONSULT_OFFICE_URL + reverse("accounts:accept_invitation", args=[token]),
    }
    context["subject"] = _("An invitation to work together")
    message = mail.EmailMultiAlternatives(
        subject=context["subject"],
        body=render_to_string("accounts/mail/invitation.txt", context),
        # Not in the agency's name: it goes to people who have never heard of it, and nobody has looked at that name.
        to=[invitation.email],
        reply_to=[sender] if (sender := queries.mail_sender(agency.id)) else None,
        headers={"Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(render_to_string("accounts/mail/invitation.html", context), "text/html")
    return message
