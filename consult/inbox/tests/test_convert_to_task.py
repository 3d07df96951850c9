"""An enquiry becomes a task, in the transaction that makes the rest of it."""

import pytest

from conftest import Cast, Database, Enquiry
from consult.inbox import services
from consult.tasks.tests.conftest import NOW, Site, site

__all__ = ["site"]


def test_the_whole_thread(site: Site, cast: Cast, enquiry: Enquiry, database: Database) -> None:
    office = cast.alice.client
    page = office.get("/a/inbox/1/").content.decode()
    assert "/a/inbox/1/convert/?task=1#task" in page
    page = office.get("/a/inbox/1/convert/?task=1").content.decode()
    assert f'<option value="{site.id}" selected>SITE' in page
    typed = {"contact": "new", "contact_name": "Ann", "company": "", "task": "on", "project": str(site.id)}
    answer = office.post("/a/inbox/1/convert/", typed | {"task_title": "Call Ann back", "offered": "0"})
    assert answer.status_code == 302
    task = site.task("SITE-1")
    assert (task.title, task.enquiry_number, task.origin_submission_id) == ("Call Ann back", 1, enquiry.submission_id)
    page = office.get("/a/inbox/1/").content.decode()
    assert '<a class="link-text" href="/a/tasks/SITE-1/">Call Ann back</a>' in page
    page = office.get("/a/tasks/SITE-1/").content.decode()
    [(receipt,)] = database.ask("SELECT receipt FROM intake_submission WHERE id = %s", [enquiry.submission_id])
    assert 'href="/a/inbox/1/"' in page
    assert receipt[:4] in page
    [(contact,)] = database.ask("SELECT id FROM crm_contact")
    assert "made task SITE-1" in office.get(f"/a/contacts/{contact}/").content.decode()
    # A second click makes no second one.
    again = {"contact": "", "company": "", "task": "on", "project": str(site.id), "task_title": "Call Ann back"}
    assert office.post("/a/inbox/1/convert/", again).status_code == 302
    assert database.ask("SELECT number FROM tasks_task") == [(1,)]


def test_all_or_nothing(site: Site, cast: Cast, enquiry: Enquiry, database: Database) -> None:
    from consult.tasks import services as tasks_services

    tasks_services.archive_project(agency_id=cast.a, project_id=site.id, by=None, now=NOW)
    plan = services.Plan(contact_name="Ann", project_id=site.id, task_title="Call her back")
    with pytest.raises(services.NotThere):
        services.convert_enquiry(agency_id=cast.a, number=1, plan=plan, by=None, now=NOW)
    assert database.ask("SELECT count(*) FROM crm_contact") == [(0,)]


@pytest.mark.parametrize("missing", ["project", "task_title"])
def test_a_task_needs_a_project_and_a_title(site: Site, cast: Cast, enquiry: Enquiry, missing: str) -> None:
    typed = {"contact": "", "company": "", "task": "on", "project": str(site.id), "task_title": "Kept as typed"}
    answer = cast.alice.client.post("/a/inbox/1/convert/", typed | {missing: ""})
    assert answer.status_code == 422
    assert missing == "task_title" or "Kept as typed" in answer.content.decode()
