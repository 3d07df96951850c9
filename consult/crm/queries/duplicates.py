"""Who may be the same person, and what speaks for it. Nobody is merged by it."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Collection, Iterable
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from consult.crm import models, rules
from consult.crm.queries.companies import company_names
from consult.crm.queries.contacts import Contact, contact_rows, survivors
from consult.crm.queries.phones import phone_region

MOST = 10


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A contact that may be the one who is looked for; `evidence` says in words why, the strongest first."""

    id: UUID
    name: str
    email: str
    company: str
    evidence: tuple[str, ...]


# What a piece of evidence weighs: an address is nearly somebody's own, a number may be an office's.
EMAIL, PHONE, COMPANY, DOMAIN = 8, 4, 2, 1


def contact_candidates(agency_id: int, *, email: str, phone: str, name: str, company: str) -> list[Candidate]:
    """Return contacts who may be this person, best first, at most ten; texts may be empty. Nothing is decided here.

    Evidence: the same address (whatever its +tag), the same number, the same name at the same company, or the same
    name and an address at the same domain, unless that is a free provider's.
    """
    key, number = rules.email_key(email), rules.phone_key(phone, phone_region(agency_id)) if phone.strip() else ""
    return _candidates(
        agency_id,
        emails=[key] if key else [],
        phones=[number] if number else [],
        name=name,
        company_key=rules.company_key(company),
        domains=[rules.email_domain(email)],
    )


def duplicates_of(agency_id: int, contact: Contact) -> list[Candidate]:
    """Return contacts who may be the same person as this one, without those found to be another."""
    phones = models.Phone.objects.filter(agency_id=agency_id, contact_id=contact.id).exclude(normal="")
    apart = models.Distinct.objects.filter(Q(one_id=contact.id) | Q(other_id=contact.id), agency_id=agency_id)
    known = {each for pair in apart.values_list("one_id", "other_id") for each in pair}
    return _candidates(
        agency_id,
        emails=[key for address in contact.emails if (key := rules.email_key(address))],
        phones=list(phones.values_list("normal", flat=True)) if contact.phones else [],
        name=contact.name,
        company_key=rules.company_key(contact.company_name),
        domains=[rules.email_domain(address) for address in contact.emails],
        without=known | {contact.id},
    )


def _candidates(
    agency_id: int,
    *,
    emails: list[str],
    phones: list[str],
    name: str,
    company_key: str,
    domains: list[str],
    without: frozenset[UUID] | set[UUID] = frozenset(),
) -> list[Candidate]:
    weight: dict[UUID, int] = {}

    def found(ids: Iterable[UUID], points: int) -> None:
        for id in set(ids) - without:
            weight[id] = weight.get(id, 0) | points

    if emails:
        same = models.Email.objects.filter(agency_id=agency_id, normal__in=emails)
        found(same.values_list("contact_id", flat=True)[:50], EMAIL)
    if phones:
        having = models.Phone.objects.filter(agency_id=agency_id, normal__in=phones)
        found(having.values_list("contact_id", flat=True)[:50], PHONE)
    if folded := rules.folded(name):
        _namesakes(agency_id, folded, company_key, {domain for domain in domains if domain}, without, found)
    now = survivors(agency_id, weight)
    total: dict[UUID, int] = {}
    for id, points in weight.items():
        total[now[id]] = total.get(now[id], 0) | points
    best = sorted((id for id in total if id not in without), key=lambda id: (-total[id], id))[:MOST]
    rows = contact_rows(agency_id, best)
    return [
        Candidate(id, rows[id].name, rows[id].email, rows[id].company_name, _evidence(total[id]))
        for id in best
        if id in rows
    ]


def _namesakes(
    agency_id: int,
    folded: str,
    company_key: str,
    domains: set[str],
    without: Collection[UUID],
    found: Callable[[Iterable[UUID], int], None],
) -> None:
    people = models.Contact.objects.filter(agency_id=agency_id, normal_name=folded, merged_into_id=None)
    same = dict(people.exclude(id__in=without).values_list("id", "company_id")[:50])
    if not same:
        return
    if company_key:
        firms = company_names(agency_id, same.values())
        found((id for id, firm in same.items() if firm and rules.company_key(firms[firm]) == company_key), COMPANY)
    if domains:
        written = models.Email.objects.filter(agency_id=agency_id, contact_id__in=list(same))
        found(
            (
                id
                for id, address in written.values_list("contact_id", "address")
                if rules.email_domain(address) in domains
            ),
            DOMAIN,
        )


def _evidence(points: int) -> tuple[str, ...]:
    words = (
        (EMAIL, _("same e-mail")),
        (PHONE, _("same phone")),
        (COMPANY, _("same name and company")),
        (DOMAIN, _("same name and e-mail domain")),
    )
    return tuple(word for bit, word in words if points & bit)


@dataclasses.dataclass(frozen=True)
class Merged:
    """The last merge into a contact, which can be taken back; `name` is the one that the alias has of its own."""

    id: UUID
    alias_id: UUID
    name: str
    merged_at: dt.datetime


def last_merge(agency_id: int, contact_id: UUID) -> Merged | None:
    """Return the last merge into a contact that was not taken back."""
    found = models.Merge.objects.filter(agency_id=agency_id, kept_id=contact_id, undone_at=None)
    row = found.order_by("-merged_at", "-id").first()
    if row is None:
        return None
    name = models.Contact.objects.values_list("name", flat=True).get(agency_id=agency_id, id=row.alias_id)
    return Merged(row.id, row.alias_id, name, row.merged_at)


def is_free_mail(host: str) -> bool:
    """Whether everybody may have an address at this host: it says nothing about where somebody works."""
    return host.lower() in rules.FREE_MAIL


def company_domain(address: str) -> str:
    """Return the domain of an address that says where somebody works, or nothing for a free provider's."""
    return rules.email_domain(address)
