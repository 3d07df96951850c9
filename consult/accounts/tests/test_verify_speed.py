"""Believing a token is cheap; `bench/tokens.py` measures it, and this shows that it still can."""

from bench import tokens
from conftest import Cast


def test_it_measures(cast: Cast) -> None:
    figures = tokens.verification(agency_id=cast.a, member_id=cast.bob.member_id, rounds=200)
    assert set(figures) == {"verify", "verify_p95", "ecdsa", "believe", "sign"}
    # The figure itself is for a quiet machine; ten times as much is a mistake on any.
    assert 0 < figures["verify"] < 10 * tokens.TARGET_MICROSECONDS
