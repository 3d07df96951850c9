"""The edge learns of a form once, and of its changes by NOTIFY."""

import asyncio
import pathlib

import httpx

from edge import forms
from edge.tests import rows
from edge.tests.database import Database
from edge.tests.program import PAGE, Gate, running, until


def test_change_is_heard(http: httpx.Client, office: Database, key: str) -> None:
    assert "Contact" in http.get(f"/f/{key}").text
    office.rename_form(key, "Ask us")
    until(lambda: "Ask us" in http.get(f"/f/{key}").text)


def test_removal_and_return_are_heard(http: httpx.Client, office: Database, key: str) -> None:
    http.get(f"/f/{key}")
    office.remove_form(key, told=True)
    until(lambda: http.get(f"/f/{key}").status_code == 404)
    office.return_form(key, told=False)
    assert http.get(f"/f/{key}").status_code == 404, "the unknown key is remembered until NOTIFY"
    office.notify("consult_forms", key)
    until(lambda: http.get(f"/f/{key}").status_code == 200)


def test_change_unheard_is_noticed_after_reconnecting(gate: Gate, office: Database, key: str) -> None:
    with running(gate.dsn) as program:
        url = f"{program.url}/f/{key}"
        assert "Contact" in httpx.get(url).text
        gate.shut()
        office.rename_form(key, "Ask us")
        assert "Contact" in httpx.get(url).text, "kept while the database is away"
        gate.open()
        until(lambda: "Ask us" in httpx.get(url).text)


def test_definition_that_cannot_be_read_keeps_the_text(http: httpx.Client, office: Database) -> None:
    key = office.add_form(fields="none")
    page = http.post(f"/f/{key}", data={"message": "Keep me"}, headers=PAGE)
    assert page.status_code == 503
    assert "Keep me" in page.text


def test_definition_of_another_version_does_not_keep_the_edge_from_starting(
    edge_database: tuple[str, str], key: str, tmp_path: pathlib.Path
) -> None:
    """What lies in the spool was written by whichever edge ran here before."""

    async def remember() -> None:
        kept = await rows.opened(tmp_path / "spool")
        await kept.remember_form(key, 3, '{"of": "another time"}')
        await kept.close()

    asyncio.run(remember())
    with running(edge_database[0], CONSULT_DATA_DIR=str(tmp_path)) as program:
        assert httpx.get(f"{program.url}/f/{key}").status_code == 200


def test_origin_of() -> None:
    assert forms.origin_of("https://Name.example:443/path?x") == "https://name.example"
    assert forms.origin_of("http://127.0.0.1:4321/") == "http://127.0.0.1:4321"
    assert forms.origin_of("http://[::1]:80/") == "http://[::1]"
    for bad in ("javascript:alert(1)", "/path", "", "http://", "http://x:port/", "http://[::1"):
        assert forms.origin_of(bad) == ""
