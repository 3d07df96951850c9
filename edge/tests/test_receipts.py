"""Receipts survive being shown, read out and typed."""

import pytest

from edge import receipts


def test_receipts_differ_as_their_ids_do_and_come_back() -> None:
    made = {receipts.of(id.to_bytes(16), b"content") for id in range(1000)}
    assert made == {receipts.of(id.to_bytes(16), b"content") for id in range(1000)}
    assert len(made) == 1000
    assert receipts.of(bytes(16), b"other") not in made
    assert all(receipts.read(receipts.shown(receipt)) == receipt for receipt in made)


def test_misread_letters_are_forgiven() -> None:
    assert receipts.read(" k7qf 2m9x-4tdo ") == "K7QF2M9X4TD0"
    assert receipts.read("ILOI-LOIL-OILO") == "110110110110"


@pytest.mark.parametrize("text", ["", "K7QF", "K7QF-2M9X-4TDU", "K7QF-2M9X-4TDA-X", "é" * 12, "A" * 10_000])
def test_what_is_no_receipt(text: str) -> None:
    assert receipts.read(text) is None
