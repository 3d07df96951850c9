"""Requests that are sent again: the first answer is kept for a day and given again, and nothing is done twice."""

import dataclasses
import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from uuid import UUID

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from consult.accounts import models
from consult.core import encryption, tenancy

KEPT = dt.timedelta(hours=24)
# How long the second of two requests at once waits for the first, in milliseconds.
PATIENCE_MS = 5_000


class KeyReused(Exception):
    """The key belongs to another request."""


class InProgress(Exception):
    """Another request with this key is still being worked on."""


@dataclasses.dataclass(frozen=True)
class Kept:
    """The first answer."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def claim_idempotency_key(
    *, agency_id: int, token_id: UUID, key: str, request: bytes, now: dt.datetime
) -> tuple[UUID, Kept | None]:
    """Take the key for the current transaction, or return the answer that it has already; and the row's id.

    A second one at the same time waits for the first's commit. `request` is what must be the same again.
    Raise KeyReused, InProgress.
    """
    request_hash = hashlib.sha256(request).hexdigest()
    rows = models.IdempotencyKey.objects.filter(agency_id=agency_id, token_id=token_id, key=key)
    with tenancy.agency(agency_id):
        rows.filter(created_at__lte=now - KEPT).delete()
        claimed = models.IdempotencyKey(agency_id=agency_id, token_id=token_id, key=key, request_hash=request_hash)
        _insert(claimed)
        row = rows.get()
        if row.request_hash != request_hash:
            raise KeyReused
        if row.id == claimed.id:
            return row.id, None
    return row.id, Kept(row.status, row.headers, encryption.open_sealed(row.answer, bound_to=_bound_to(row.id)))


def _insert(row: models.IdempotencyKey) -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = %s", [PATIENCE_MS])
            models.IdempotencyKey.objects.bulk_create([row], ignore_conflicts=True)
            cursor.execute("SET LOCAL lock_timeout = DEFAULT")
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise InProgress from error
        raise


def keep_answer(*, agency_id: int, id: UUID, status: int, headers: Mapping[str, str], content: bytes) -> None:
    """Keep what a claimed key was answered, in the transaction of what it did."""
    sealed = encryption.seal(content, bound_to=_bound_to(id))
    with tenancy.agency(agency_id):
        models.IdempotencyKey.objects.filter(agency_id=agency_id, id=id).update(
            status=status, headers=dict(headers), answer=sealed
        )


def sweep_idempotency_keys(*, agency_id: int, now: dt.datetime) -> int:
    """Remove the answers that nobody gets any more; return how many."""
    with tenancy.agency(agency_id):
        old = models.IdempotencyKey.objects.filter(agency_id=agency_id, created_at__lte=now - KEPT)
        return old.delete()[0]


def forget_answers(*, agency_id: int, names: re.Pattern[str] | None) -> int:
    """Delete kept answers that name a person, and keys that do; return how many. The same request is a new one then.

    What an older encryption key has sealed that is no longer there cannot be read by anybody, and is deleted as well.
    """
    if names is None:
        return 0
    with tenancy.agency(agency_id):
        rows = models.IdempotencyKey.objects.filter(agency_id=agency_id).values_list("id", "key", "answer")
        ids = [id for id, key, answer in rows if names.search(key) or _names(answer, id, names)]
        return models.IdempotencyKey.objects.filter(agency_id=agency_id, id__in=ids).delete()[0]


def _names(answer: str, id: UUID, names: re.Pattern[str]) -> bool:
    if not answer:
        return False
    try:
        content = encryption.open_sealed(answer, bound_to=_bound_to(id)).decode(errors="replace")
    except encryption.CannotOpen:
        return True
    # JSON as the API writes it, and as it may spell letters beyond ASCII.
    return bool(names.search(content) or names.search(content.encode().decode("unicode_escape", errors="replace")))


def _bound_to(id: UUID) -> str:
    return f"accounts_idempotencykey.answer/{id}"
