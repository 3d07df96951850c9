"""Nudges: “something changed, fetch it again”. Ids only, since every database role can read a notification."""

import json
from uuid import UUID

from django.db import connection

from consult.core import tenancy

CHANNEL = "consult_live"


def nudge(*, kind: str, id: UUID) -> None:
    """Tell the pages open in the current agency that `kind` `id` changed, once this transaction commits."""
    payload = json.dumps({"agency": tenancy.current(), "kind": kind, "id": str(id)})
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])
