"""How names, addresses, numbers and money are compared and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.crm import rules


@pytest.mark.parametrize(
    ("text", "expected"),
    [("  Ann   MÜLLER ", "ann muller"), ("Straße", "strasse"), ("Łódź", "łodz"), ("\t", ""), ("Ÿ", "y")],
)
def test_folded(text: str, expected: str) -> None:
    assert rules.folded(text) == expected


@given(st.text(max_size=200))
def test_folding_is_stable_and_fits_its_column(text: str) -> None:
    assert rules.folded(rules.folded(text)) == rules.folded(text)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (" Ann@Example.COM ", "ann@example.com"),
        ("ann+shop@example.com", "ann@example.com"),
        ("+ann@example.com", "+ann@example.com"),
        ("a.n.n+x@googlemail.com", "ann@gmail.com"),
        ("a.n.n@example.com", "a.n.n@example.com"),
        ("nobody", ""),
        ("", ""),
    ],
)
def test_email_key(address: str, expected: str) -> None:
    assert rules.email_key(address) == expected


def test_free_providers_say_nothing_about_where_somebody_works() -> None:
    assert rules.email_domain("ann@rosa.example") == "rosa.example"
    for free in ("ann@gmail.com", "ann@web.de", "ann@Outlook.com", "ann@localhost", "ann"):
        assert rules.email_domain(free) == "", free


@pytest.mark.parametrize(
    ("number", "region", "expected"),
    [
        ("+44 (0)20 7946 0000", "", "+442079460000"),
        ("020 7946 0000", "GB", "+442079460000"),
        ("020 7946 0000", "", "02079460000"),
        ("030/901820", "DE", "+4930901820"),
        ("٠٢٠ ٧٩٤٦ ٠٠٠٠", "GB", "+442079460000"),
        ("1234", "GB", ""),
        ("call me", "GB", ""),
        ("", "GB", ""),
        ("9" * 50, "GB", ""),
    ],
)
def test_phone_key(number: str, region: str, expected: str) -> None:
    assert rules.phone_key(number, region) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Rosa GmbH", "rosa"), ("ROSA & Co. KG", "rosa"), ("Rosa S.p.A.", "rosa"), ("Co.", "co"), ("&", "")],
)
def test_company_key(name: str, expected: str) -> None:
    assert rules.company_key(name) == expected


@pytest.mark.parametrize(
    ("website", "expected"),
    [
        ("https://www.Rosa.example/shop", "rosa.example"),
        ("rosa.example", "rosa.example"),
        ("http://[", ""),
        ("nowhere", ""),
        ("", ""),
    ],
)
def test_domain(website: str, expected: str) -> None:
    assert rules.domain(website) == expected


@pytest.mark.parametrize(
    ("text", "currency", "expected"),
    [
        ("4800", "EUR", 480_000),
        ("4,800.50", "EUR", 480_050),
        ("4.800,5", "EUR", 480_050),
        ("4 800", "EUR", 480_000),
        ("4'800", "CHF", 480_000),
        ("1.234", "EUR", 123_400),
        ("1,234,567", "EUR", 123_456_700),
        ("1,00,000", "INR", 10_000_000),
        ("1.234", "KWD", 1_234),
        ("1,234", "JPY", 1_234),
        ("0", "EUR", 0),
        ("12.", "EUR", 1_200),
    ],
)
def test_money_as_typed(text: str, currency: str, expected: int) -> None:
    assert rules.to_minor(text, currency) == expected


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("", "EUR"),
        ("-5", "EUR"),
        ("1e9", "EUR"),
        ("1.5", "JPY"),
        ("1.2345", "EUR"),
        ("1,2,3", "EUR"),
        ("9" * 20, "EUR"),
    ],
)
def test_what_is_no_money(text: str, currency: str) -> None:
    with pytest.raises(rules.BadMoney):
        rules.to_minor(text, currency)


@given(st.integers(0, rules.MOST_MINOR), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_money_is_read_as_it_was_written(minor: int, currency: str) -> None:
    assert rules.to_minor(rules.money(minor, currency, grouped=False), currency) == minor
    assert rules.to_minor(rules.money(minor, currency), currency) == minor
