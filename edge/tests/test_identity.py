"""Which submission is it: ids that a retry makes again."""

import datetime
import uuid

from hypothesis import given
from hypothesis import strategies as st

from edge import identity, receipts
from edge.submission import Submission, pack, unpack

FORM = "frm_" + "a" * 22
NOW = 1_800_000_123.0


def test_the_same_key_makes_the_same_id_in_its_form_alone() -> None:
    assert identity.of_key(FORM, "k1") == identity.of_key(FORM, "k1")
    other = "frm_" + "b" * 22
    assert len({identity.of_key(FORM, "k1"), identity.of_key(FORM, "k2"), identity.of_key(other, "k1")}) == 3
    assert uuid.UUID(bytes=identity.of_key(FORM, "k1")).version == 5


@given(st.text(), st.text(max_size=60), st.binary(min_size=16, max_size=16))
def test_content_ids_are_valid_and_know_the_bucket_before(form: str, address: str, digest: bytes) -> None:
    id, earlier = identity.of_content(form, address, digest, NOW)
    now, before = uuid.UUID(bytes=id), uuid.UUID(bytes=earlier)
    assert (now.version, now.variant) == (before.version, before.variant) == (8, uuid.RFC_4122)
    # What is `earlier` now was the id itself ten minutes ago.
    assert identity.of_content(form, address, digest, NOW - identity.BUCKET_SECONDS)[0] == earlier
    assert id != earlier


def test_content_ids_tell_forms_addresses_and_contents_apart() -> None:
    ids = {
        identity.of_content(form, address, digest, NOW)[0]
        for form in (FORM, "frm_" + "b" * 22)
        for address in ("203.0.113.1", "203.0.113.2", "2001:db8:1234:5678:9abc:def0:1234:5678", "")
        for digest in (b"a" * 16, b"b" * 16)
    }
    assert len(ids) == 16


def test_content_ids_lie_together_in_time() -> None:
    earlier = identity.of_content(FORM, "203.0.113.1", b"x" * 16, NOW - 86_400)[0]
    assert earlier < identity.of_content(FORM, "203.0.113.1", b"y" * 16, NOW)[0]
    millis = int.from_bytes(identity.of_content(FORM, "203.0.113.1", b"x" * 16, NOW)[0][:6])
    assert NOW - identity.BUCKET_SECONDS < millis / 1000 <= NOW


def test_line_breaks_of_browsers_and_of_scripts_are_the_same_content() -> None:
    assert identity.digest(b'[["m","a\\r\\nb"]]') == identity.digest(b'[["m","a\\nb"]]')
    assert identity.digest(b'[["m","a"]]') != identity.digest(b'[["m","b"]]')


def test_another_content_under_the_same_id_gets_an_id_of_its_own() -> None:
    row = a_row(b"1" * 16, '["cleaned"]')
    other = identity.rekeyed(row)
    assert other.id != row.id
    # It may be given out already; that of the other content is another one.
    assert other.receipt == row.receipt != a_row(b"2" * 16, "[]").receipt
    assert other.signals == '["cleaned","key_reused"]'
    # A retry of it makes the same one again.
    assert identity.rekeyed(row) == other
    assert identity.rekeyed(a_row(b"2" * 16, "[]")).id != other.id


def test_a_row_survives_being_packed() -> None:
    row = a_row(b"1" * 16, "[]")
    assert unpack(pack(row)) == row


def a_row(digest: bytes, signals: str) -> Submission:
    id = identity.of_key(FORM, "k1")
    at = datetime.datetime(2026, 3, 1, 12, 30, tzinfo=datetime.UTC)
    return Submission(
        id,
        None,
        FORM,
        1,
        1,
        receipts.of(id, digest),
        at,
        digest,
        "[]",
        "",
        "",
        "",
        "203.0.113.1",
        "",
        "",
        signals,
        "request",
    )
