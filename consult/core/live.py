"""Nudges: “something changed, fetch it again”. Ids only, since every database role can read a notification."""

import json
from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from consult.core import tenancy

CHANNEL = "consult_live"


def nudge(*, kind: str, id: UUID) -> None:
    """Tell the pages open in the current agency that `kind` `id` changed, once this transaction commits."""
    nudge_each(kind=kind, ids=[id])


def nudge_each(*, kind: str, ids: Sequence[UUID]) -> None:
    """Nudge for several at once."""
    payloads = [json.dumps({"agency": tenancy.current(), "kind": kind, "id": str(id)}) for id in ids]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, payload) FROM unnest(%s::text[]) AS payload", [CHANNEL, payloads])
