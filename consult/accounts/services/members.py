"""Places in an agency: roles, leaving, removal, handing it over."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from consult.accounts import models, rules
from consult.accounts.services.audit import record
from consult.accounts.services.grants import revoke_of_member
from consult.accounts.services.notifications import forget_notifications
from consult.core import queue, tenancy


class NoSuchMember(Exception):
    """The agency has no member of this id, or they have left."""


class NotYours(Exception):
    """The role of whoever asks does not reach that far: admins neither touch owners nor make them."""


class LastOwner(Exception):
    """The agency would be left without an owner."""


def add_member(*, agency_id: int, user_id: int, role: str, by: UUID | None = None) -> UUID:
    """Give a user a place in the agency; return the member's id. Who was there before has the same place again."""
    with tenancy.agency(agency_id):
        member = models.Member.objects.filter(agency_id=agency_id, user_id=user_id).exclude(left_at=None).first()
        if member is None:
            member = models.Member.objects.create(agency_id=agency_id, user_id=user_id, role=role)
        else:
            member.role, member.left_at = role, None
            member.save(update_fields=["role", "left_at"])
        record("accounts.add_member", agency_id=agency_id, by=by, subject_id=member.id, data={"role": role})
    return member.id


def change_role(*, agency_id: int, member_id: UUID, role: str, by: UUID | None, by_role: str, now: dt.datetime) -> None:
    """Give a member another role. `by_role` is asked where `by` is None, a token of the agency.

    Raise NoSuchMember, NotYours, LastOwner.
    """
    with _members(agency_id) as members:
        member = _found(members, member_id)
        if role not in rules.ROLES or not rules.may_change(_role(members, by, by_role), member.role, role):
            raise NotYours
        if member.role == role:
            return
        _keep_an_owner(members, member, role)
        before, member.role = member.role, role
        member.save(update_fields=["role"])
        withdraw_invitations(agency_id=agency_id, member_id=member_id, role=role, by=by, now=now)
        data = {"before": {"role": before}, "after": {"role": role}}
        record("accounts.change_role", agency_id=agency_id, by=by, subject_id=member_id, data=data)


def transfer_agency(*, agency_id: int, member_id: UUID, by: UUID, now: dt.datetime) -> None:
    """Make another member owner and whoever does it admin, together or not at all. Raise NoSuchMember, NotYours."""
    with _members(agency_id) as members:
        member, giver = _found(members, member_id), _found(members, by)
        if giver.role != "owner" or member.id == giver.id:
            raise NotYours
        before = {str(member.id): member.role, str(giver.id): giver.role}
        member.role, giver.role = "owner", "admin"
        for changed in (member, giver):
            changed.save(update_fields=["role"])
        withdraw_invitations(agency_id=agency_id, member_id=by, role="admin", by=by, now=now)
        data = {"before": before, "after": {str(member.id): "owner", str(giver.id): "admin"}}
        record("accounts.transfer_agency", agency_id=agency_id, by=by, subject_id=member_id, data=data)


def remove_member(*, agency_id: int, member_id: UUID, by: UUID | None, by_role: str, now: dt.datetime) -> None:
    """Take somebody's place away. Raise NoSuchMember, NotYours, LastOwner."""
    with _members(agency_id) as members:
        member = _found(members, member_id)
        if not rules.may_remove(_role(members, by, by_role), member.role):
            raise NotYours
        _end("accounts.remove_member", members, member, by, now)


def leave_agency(*, agency_id: int, member_id: UUID, now: dt.datetime) -> None:
    """Leave: everybody may, but for the last owner. Raise NoSuchMember, LastOwner."""
    with _members(agency_id) as members:
        _end("accounts.leave_agency", members, _found(members, member_id), member_id, now)


def end_access(*, agency_id: int, member_id: UUID, now: dt.datetime) -> None:
    """End what a member's programs may, inside the transaction in which the member goes.

    The one place for it: whatever else comes to sign in for a member is ended here as well. Their sign-ins as a person
    stay: they are of no agency.
    """
    with tenancy.agency(agency_id):
        models.ApiToken.objects.filter(agency_id=agency_id, member_id=member_id, revoked_at=None).update(revoked_at=now)
        revoke_of_member(agency_id=agency_id, member_id=member_id, now=now)


def withdraw_invitations(*, agency_id: int, member_id: UUID, role: str, by: UUID | None, now: dt.datetime) -> None:
    """Revoke the open invitations of a member that somebody of `role` could not make; an empty role: all of them."""
    with tenancy.agency(agency_id):
        for invitation in models.Invitation.objects.select_for_update().filter(
            agency_id=agency_id, invited_by_id=member_id, accepted_at=None, revoked_at=None
        ):
            if role and rules.may(role, "members.manage") and rules.may_give(role, invitation.role):
                continue
            invitation.revoked_at = now
            invitation.save(update_fields=["revoked_at"])
            record("accounts.revoke_invitation", agency_id=agency_id, by=by, subject_id=invitation.id)


@contextmanager
def _members(agency_id: int) -> Iterator[dict[UUID, models.Member]]:
    """Give who is in the agency, by id, under a lock that lets only one such change happen at a time.

    Without it two owners who leave at once would each see the other one stay. Rows that refer to the agency may be
    written meanwhile.
    """
    with tenancy.agency(agency_id):
        models.Agency.objects.select_for_update(no_key=True).get(id=agency_id)
        yield {member.id: member for member in models.Member.objects.filter(agency_id=agency_id, left_at=None)}


def _found(members: dict[UUID, models.Member], member_id: UUID) -> models.Member:
    if member_id not in members:
        raise NoSuchMember(member_id)
    return members[member_id]


def _role(members: dict[UUID, models.Member], by: UUID | None, by_role: str) -> str:
    """The role as it is now, under the lock: it may have been taken away a moment ago."""
    return by_role if by is None else _found(members, by).role


def _keep_an_owner(members: dict[UUID, models.Member], member: models.Member, to: str | None) -> None:
    owners = sum(each.role == "owner" for each in members.values())
    if rules.needs_an_owner(owners, member.role, to):
        raise LastOwner


def _end(
    action: str, members: dict[UUID, models.Member], member: models.Member, by: UUID | None, now: dt.datetime
) -> None:
    _keep_an_owner(members, member, None)
    agency_id = member.agency_id
    member.left_at = now
    member.save(update_fields=["left_at"])
    end_access(agency_id=agency_id, member_id=member.id, now=now)
    withdraw_invitations(agency_id=agency_id, member_id=member.id, role="", by=by, now=now)
    forget_notifications(agency_id=agency_id, member_id=member.id)
    record(action, agency_id=agency_id, by=by, subject_id=member.id, data={"role": member.role})
    # What features above hold for a member is handed back by their jobs. A running timer will be stopped here in the
    # same way, by a job of worktime's.
    queue.enqueue("inbox.release_member", member_id=str(member.id))
