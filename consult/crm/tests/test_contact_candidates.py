"""Who may be the same person: the evidence, and who is never suggested."""

from conftest import Cast, Database
from consult.core import tenancy
from consult.crm import queries, services
from consult.crm.tests.conftest import NOT_ALLOWED, Known, refused


def found(cast: Cast, **asked: str) -> list[tuple[str, tuple[str, ...]]]:
    with tenancy.agency(cast.a):
        every = {"email": "", "phone": "", "name": "", "company": ""} | asked
        return [(each.name, each.evidence) for each in queries.contact_candidates(cast.a, **every)]


def test_each_piece_of_evidence(cast: Cast, known: Known) -> None:
    assert found(cast, email="ANN+news@rosa.example") == [("Ann Müller", ("same e-mail",))]
    assert found(cast, email="a.n.n@googlemail.com") == [("Ann Müller", ("same e-mail",))]
    assert found(cast, phone="+44 (0)20 79460000") == [("Ann Müller", ("same phone",))]
    assert found(cast, name="ann muller", company="ROSA") == [("Ann Müller", ("same name and company",))]
    assert found(cast, name="Ann Müller", email="other@rosa.example") == [
        ("Ann Müller", ("same name and e-mail domain",))
    ]
    assert found(cast, email="ann@rosa.example", phone="+442079460000", name="Ann Müller", company="Rosa GmbH") == [
        ("Ann Müller", ("same e-mail", "same phone", "same name and company", "same name and e-mail domain"))
    ]


def test_what_is_no_evidence(cast: Cast, known: Known) -> None:
    # A name alone; a name at a free provider; a company or a domain alone; nothing.
    for asked in (
        {"name": "Ann Müller"}, {"name": "Ann Müller", "email": "x@gmail.com"}, {"company": "Rosa"},
        {"email": "ben@rosa.example"}, {"phone": "123"}, {"name": "\0"}, {},
    ):  # fmt: skip
        assert found(cast, **asked) == [], asked
    with tenancy.agency(cast.b):
        assert queries.contact_candidates(cast.b, email="ann@rosa.example", phone="", name="", company="") == []


def test_a_number_is_read_as_the_agencys_country_has_it(database: Database, cast: Cast, known: Known) -> None:
    assert found(cast, phone="020 7946 0000") == []
    database.ask("UPDATE accounts_agency SET time_zone = 'Europe/London'")
    assert found(cast, phone="020 7946 0000") == [("Ann Müller", ("same phone",))]


def test_the_best_come_first_and_at_most_ten(cast: Cast, known: Known) -> None:
    for number in range(12):
        services.create_contact(
            agency_id=cast.a, name=f"Office {number}", by=None, emails=[f"{number}@x.example"], phones=["+442079460000"]
        )
    names = [name for name, _why in found(cast, phone="+442079460000", email="5@x.example")]
    assert names[0] == "Office 5"
    assert len(names) == 10


def test_tell_apart_ends_the_suggestion(database: Database, cast: Cast, known: Known) -> None:
    other = services.create_contact(agency_id=cast.a, name="Anne Miller", by=None, emails=["ann@rosa.example"])
    page = f"/a/contacts/{known.contact_id}/"
    assert "Perhaps the same person" in cast.vera.client.get(page).content.decode()
    assert "same e-mail" in cast.vera.client.get(f"/a/contacts/{other}/").content.decode()
    assert refused(cast, f"contacts/{other}/apart/{known.contact_id}/") == NOT_ALLOWED
    assert cast.bob.client.post(f"/a/contacts/{other}/apart/{known.contact_id}/").status_code == 302
    # From both sides, and once.
    for each in (page, f"/a/contacts/{other}/"):
        assert "Perhaps the same person" not in cast.vera.client.get(each).content.decode()
    cast.bob.client.post(f"/a/contacts/{known.contact_id}/apart/{other}/")
    assert database.ask("SELECT count(*) FROM crm_distinct") == [(1,)]
