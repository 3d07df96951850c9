"""Pages of projects and tasks, as somebody walks through them."""

import html
import re

import pytest

from conftest import Cast, Database
from consult.core import tenancy
from consult.tasks import queries, services
from consult.tasks.tests.conftest import NOW, Site


def test_from_nothing_to_a_task_that_is_done(database: Database, cast: Cast) -> None:
    office = cast.alice.client
    assert "Begin the first project" in office.get("/a/tasks/").content.decode()
    answer = office.post("/a/projects/new/", {"name": "The Daily Grind", "key": "site", "client": ""})
    assert answer["Location"] == "/a/projects/SITE/"
    page = office.get("/a/tasks/new/?project=SITE").content.decode()
    state = re.search(r'<option value="([0-9a-f-]+)" selected>To do', page)
    assert state
    typed = {"project": "SITE", "title": "Fix <menu>", "state": state[1], "priority": "high", "estimate": "1h 30m"}
    typed |= {"description": "**Now** <script>alert(1)</script>", "assignees": str(cast.alice.member_id)}
    answer = office.post("/a/tasks/new/", typed)
    assert answer["Location"] == "/a/tasks/SITE-1/"
    page = office.get("/a/tasks/SITE-1/").content.decode()
    for words in ("Fix &lt;menu&gt;", "<strong>Now</strong>", "1h 30m", "High", "made the task"):
        assert words in page, words
    assert "<script>alert" not in page
    assert "Fix &lt;menu&gt;" in office.get("/a/tasks/").content.decode()
    for address in ("/a/projects/", "/a/projects/SITE/", "/a/projects/SITE/board/", "/a/projects/SITE/settings/"):
        assert office.get(address).status_code == 200, address
    assert "SITE-1" in office.get("/a/projects/SITE/?q=menu&assignee=me&priority=high").content.decode()
    assert "SITE-1" not in office.get("/a/projects/SITE/?q=oven").content.decode()
    done = re.search(r'name="state" value="([0-9a-f-]+)" data-done', page)
    assert done
    answer = office.post("/a/tasks/SITE-1/move/", {"state": done[1]})
    page = office.get(answer["Location"]).content.decode()
    assert "changed the state from To do to Done" in page
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version
    office.post("/a/tasks/SITE-1/undo/", {"version": version[1]})
    page = office.get("/a/tasks/SITE-1/").content.decode()
    assert "by taking a change back" in page
    assert "Nothing on your desk" not in office.get("/a/tasks/").content.decode()


def test_a_comment_and_what_it_said_before(site: Site, cast: Cast) -> None:
    key = site.make()
    office = cast.alice.client
    answer = office.post(f"/a/tasks/{key}/comments/", {"body": "See *here*"})
    comment = answer["Location"].partition("#comment-")[2]
    assert "<em>here</em>" in office.get(f"/a/tasks/{key}/").content.decode()
    page = office.get(f"/a/tasks/{key}/comments/{comment}/").content.decode()
    assert "What it said before" not in page
    office.post(f"/a/tasks/{key}/comments/{comment}/", {"body": "See *there*", "version": "1"})
    page = office.get(f"/a/tasks/{key}/comments/{comment}/").content.decode()
    assert "<em>here</em>" in page
    # Bob reads what it said before, and changes nothing of hers.
    assert cast.bob.client.get(f"/a/tasks/{key}/comments/{comment}/").status_code == 200
    assert cast.bob.client.post(f"/a/tasks/{key}/comments/{comment}/", {"body": "No"}).status_code == 403
    assert office.post(f"/a/tasks/{key}/comments/", {"body": "  "}).status_code == 422
    other = site.make("Another")
    assert office.get(f"/a/tasks/{other}/comments/{comment}/").status_code == 404


def test_what_somebody_else_saved_is_not_overwritten(site: Site, cast: Cast) -> None:
    key = site.make()
    office = cast.alice.client
    page = office.get(f"/a/tasks/{key}/edit/").content.decode()
    state = re.search(r'<option value="([0-9a-f-]+)" selected>', page)
    assert state
    site.update(key, title="Fix the footer")
    typed = {"title": "Fix the header", "state": state[1], "priority": "none", "version": "1"}
    answer = office.post(f"/a/tasks/{key}/edit/", typed)
    assert answer.status_code == 409
    text = html.unescape(answer.content.decode())
    assert "changed the title from Fix the menu to Fix the footer" in text
    assert 'value="Fix the header"' in text
    assert site.task(key).title == "Fix the footer"
    version = re.search(r'name="version" value="(\d+)"', text)
    assert version
    answer = office.post(f"/a/tasks/{key}/edit/", typed | {"version": version[1]})
    assert answer.status_code == 302
    assert site.task(key).title == "Fix the header"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("due_on", "0000-01-01", "valid date"),
        ("due_on", "99999-01-01", "valid date"),
        ("due_on", "0001-01-01", "between 1970 and 2199"),
        ("estimate", "soon", "Write it like 2h"),
        ("estimate", "0h", "between a minute"),
        ("title", "", "required"),
        ("title", "x" * 201, "200"),
        ("state", "01900000-0000-7000-8000-000000000001", "valid choice"),
        ("assignees", "nobody", "valid choice"),
        ("description", "x" * 100_001, "100000"),
    ],
)
def test_bad_input_is_told_and_kept(site: Site, cast: Cast, field: str, value: str, words: str) -> None:
    typed = {"project": "SITE", "title": "Kept as typed", "state": str(site.state("To do")), "priority": "none"}
    answer = cast.alice.client.post("/a/tasks/new/", typed | {field: value})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert words in text
    assert field == "title" or "Kept as typed" in text


def test_the_trash(site: Site, cast: Cast) -> None:
    key = site.make()
    office = cast.alice.client
    office.post(f"/a/tasks/{key}/trash/")
    assert key not in office.get("/a/projects/SITE/").content.decode()
    assert key in office.get("/a/tasks/trash/").content.decode()
    assert "in the trash" in office.get(f"/a/tasks/{key}/").content.decode()
    with pytest.raises(services.InTrash):
        site.move(key, "Done")
    office.post(f"/a/tasks/{key}/restore/")
    assert key in office.get("/a/projects/SITE/").content.decode()


def test_states_are_the_agencys_own(site: Site, cast: Cast) -> None:
    key = site.make()
    page = cast.alice.client.get("/a/projects/SITE/settings/").content.decode()
    typed = dict(re.findall(r'name="(states-[A-Za-z0-9_-]+)" value="([^"]*)"', page))
    for number in range(6):
        for field in ("group", "colour"):
            menu = re.search(rf'name="states-{number}-{field}".*?</select>', page, re.DOTALL)
            assert menu
            chosen = re.search(r'value="([a-z]+)" selected', menu[0])
            assert chosen
            typed[f"states-{number}-{field}"] = chosen[1]
    typed |= {"states-0-name": "Ideas", "states-6-name": "Waiting", "states-6-group": "started", "version": "1"}
    typed |= {"states-6-colour": "red", "states-6-place": "4"}
    answer = cast.alice.client.post("/a/projects/SITE/states/", typed)
    assert answer.status_code == 302, answer.content.decode()
    with tenancy.agency(cast.a):
        names = [each.name for each in queries.states(cast.a, site.id)]
    assert names == ["Ideas", "To do", "In progress", "Waiting", "In review", "Done", "Cancelled"]
    # What has tasks, also in the trash, does not go; nor does the last state in which something is done.
    with pytest.raises(services.StateInUse):
        services.set_states(agency_id=cast.a, project_id=site.id, by=None, now=NOW, states=DONE_ONLY)
    services.trash_task(agency_id=cast.a, key=key, by=None, now=NOW)
    with pytest.raises(services.StateInUse):
        services.set_states(agency_id=cast.a, project_id=site.id, by=None, now=NOW, states=DONE_ONLY)
    with pytest.raises(services.BadStates):
        services.set_states(agency_id=cast.a, project_id=site.id, by=None, now=NOW, states=DONE_ONLY[:1])


DONE_ONLY = [services.Wanted("New", "unstarted", "blue"), services.Wanted("Over", "completed", "green")]


def test_an_archived_project_is_read_and_not_changed(site: Site, cast: Cast) -> None:
    key = site.make()
    office = cast.alice.client
    office.post("/a/projects/SITE/archive/")
    assert "This project is archived" in office.get("/a/projects/SITE/").content.decode()
    with pytest.raises(services.ProjectArchived):
        site.move(key, "Done")
    with pytest.raises(services.ProjectArchived):
        site.make("Late")
    assert office.post("/a/projects/new/", {"name": "Other", "key": "SITE", "client": ""}).status_code == 422
    office.post("/a/projects/SITE/reopen/")
    site.move(key, "Done")


def test_one_line_fills_the_form_and_saves_nothing(site: Site, cast: Cast) -> None:
    answer = cast.alice.client.get("/a/tasks/new/", {"line": "Fix menu @ali !2 2027-03-05 SITE ~90m #bug"})
    text = html.unescape(answer.content.decode())
    assert 'value="Fix menu #bug"' in text
    assert 'value="2027-03-05"' in text
    assert 'value="1h 30m"' in text
    assert '<option value="high" selected>' in text
    assert "Not understood, so it stays in the title:" in text
    with tenancy.agency(cast.a):
        assert queries.tasks_after(cast.a, None, 10) == []
