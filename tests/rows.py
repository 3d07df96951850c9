"""One row of agency A for each id that stands in an address of its settings: what an attack has to aim at."""

import datetime as dt
import tempfile
import uuid
from pathlib import Path
from typing import Any

from django.test import override_settings

from conftest import Cast
from consult.accounts import services
from consult.crm import services as crm
from consult.inbox import rules
from consult.inbox import services as inbox
from tests import api


def made(cast: Cast) -> dict[str, uuid.UUID]:
    """Return ids by their names in the routes; whose they are is Alice's but for the member, who is Eve, a viewer."""
    now = dt.datetime.now(dt.UTC)
    whose: dict[str, Any] = {"agency_id": cast.a, "by": cast.alice.member_id}
    eve = services.create_user(email="eve@example.com", name="Eve")
    token_id, _secret = services.create_api_token(
        **whose, name="Alice's", scopes=("read",), member_id=cast.alice.member_id
    )
    return {
        "member_id": services.add_member(agency_id=cast.a, user_id=eve, role="viewer"),
        "invitation_id": services.invite_member(**whose, email="ann@new.example", role="member", now=now),
        "token_id": token_id,
        "grant_id": api.sign_in_program(cast, cast.alice.member_id),
        "export_id": services.start_export(**whose, now=now),
        "import_id": _import(cast),
        "view_id": inbox.save_view(**whose, name="Mine", filters=rules.Filters(), shared=True),
    }


def _import(cast: Cast) -> uuid.UUID:
    """A file that is to be imported, of which nothing is there any more but the row."""
    with tempfile.TemporaryDirectory() as folder, override_settings(CONSULT_FILES_URL=Path(folder).as_uri()):
        return crm.create_import(
            agency_id=cast.a,
            place="contact",
            name="people.csv",
            chunks=[b"name,email\nAnn,ann@new.example\n"],
            by=cast.alice.member_id,
            now=dt.datetime.now(dt.UTC),
        )
