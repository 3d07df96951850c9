"""Writes of the CRM, by noun."""

from consult.crm.queries import NoSuchCompany, NoSuchContact, NoSuchDeal
from consult.crm.services.clients import (
    NameTaken,
    NoSuchClient,
    create_client,
    ensure_client,
    lock_client,
    update_client,
)
from consult.crm.services.companies import create_company, lock_company, update_company
from consult.crm.services.contacts import KnownAddress, create_contact, lock_contact, update_contact
from consult.crm.services.deals import (
    DealClosed,
    NoReason,
    NoSuchStage,
    StageChanged,
    create_deal,
    ensure_stages,
    lock_deal,
    lose_deal,
    move_deal,
    reopen_deal,
    update_deal,
    win_deal,
)
from consult.crm.services.fields import FieldTaken, NoSuchField, TooManyFields, create_field, retire_field
from consult.crm.services.labels import ensure_labels, set_labels
from consult.crm.services.merges import CannotMerge, CannotUnmerge, merge_contacts, tell_apart, unmerge_contacts
from consult.crm.services.timeline import EmptyNote, add_note, record_event
from consult.crm.services.versions import ChangedMeanwhile

__all__ = [
    "CannotMerge",
    "CannotUnmerge",
    "ChangedMeanwhile",
    "DealClosed",
    "EmptyNote",
    "FieldTaken",
    "KnownAddress",
    "NameTaken",
    "NoReason",
    "NoSuchClient",
    "NoSuchCompany",
    "NoSuchContact",
    "NoSuchDeal",
    "NoSuchField",
    "NoSuchStage",
    "StageChanged",
    "TooManyFields",
    "add_note",
    "create_client",
    "create_company",
    "create_contact",
    "create_deal",
    "create_field",
    "ensure_client",
    "ensure_labels",
    "ensure_stages",
    "lock_client",
    "lock_company",
    "lock_contact",
    "lock_deal",
    "lose_deal",
    "merge_contacts",
    "move_deal",
    "record_event",
    "reopen_deal",
    "retire_field",
    "set_labels",
    "tell_apart",
    "unmerge_contacts",
    "update_client",
    "update_company",
    "update_contact",
    "update_deal",
    "win_deal",
]
