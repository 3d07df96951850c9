"""The walk of one enquiry (docs/map.md), through real HTTP, a real PostgreSQL and a real worker."""

import httpx

from tests.conftest import Running, eventually

MESSAGE = "Two dozen cinnamon buns for Friday, please: “fresh” & warm <3"


def test_an_enquiry_walks_from_the_form_to_the_inbox(running: Running) -> None:
    facts = running.facts

    # 1–5: posted, understood, stored; the answer comes after the commit.
    sent = httpx.post(
        facts["form"]["post"],
        data={"name": "Wanda Walker", "email": "wanda@visitor.example", "message": MESSAGE},
        headers={"Accept": "text/html"},
    )
    assert sent.status_code == 303
    receipt = sent.headers["Location"].partition("receipt=")[2]
    stored = running.ask("SELECT id, fields FROM intake_submission WHERE receipt = %s", (receipt.replace("-", ""),))
    assert len(stored) == 1
    assert ["message", MESSAGE] in stored[0][1]

    # 6–7: the job that was stored with it opens a numbered enquiry.
    [(number,)] = eventually(
        lambda: running.ask("SELECT number FROM inbox_enquiry WHERE submission_id = %s", (stored[0][0],))
    )

    # 8: staff find it in the inbox, read it as it was sent, and close it.
    with running.browser() as staff:
        assert "Wanda Walker" in staff.get("/demo/inbox/").text
        page = staff.get(f"/demo/inbox/{number}/")
        assert page.status_code == 200
        assert receipt in page.text
        assert "Two dozen cinnamon buns for Friday, please: “fresh” &amp; warm &lt;3" in page.text
        token = staff.cookies["csrftoken"]
        closed = staff.post(
            f"/demo/inbox/{number}/close/",
            headers={"X-CSRFToken": token, "Referer": facts["office"], "Origin": facts["office"]},
        )
        assert closed.status_code == 200
        assert "Wanda Walker" not in staff.get("/demo/inbox/").text
        assert "Wanda Walker" in staff.get("/demo/inbox/?view=closed").text
        assert "Wanda Walker" in staff.get("/demo/inbox/", params={"q": receipt.lower()}).text

        # 18: it becomes a contact and a task, which lead back to it and to the receipt.
        headers = {"X-CSRFToken": token, "Referer": facts["office"], "Origin": facts["office"]}
        begun = staff.post("/demo/projects/new/", data={"name": "Buns", "key": "BUNS", "client": ""}, headers=headers)
        assert begun.status_code == 200
        [(project,)] = running.ask("SELECT id FROM tasks_project WHERE key = 'BUNS'")
        chosen = {"contact": "new", "contact_name": "Wanda Walker", "email": "wanda@visitor.example", "company": ""}
        chosen |= {"task": "on", "project": str(project), "task_title": "Bake two dozen buns", "offered": "0"}
        assert staff.post(f"/demo/inbox/{number}/convert/", data=chosen, headers=headers).status_code == 200
        task = staff.get("/demo/tasks/BUNS-1/").text
        assert "Bake two dozen buns" in task
        assert f'href="/demo/inbox/{number}/"' in task
        assert receipt in task
        assert "/demo/tasks/BUNS-1/" in staff.get(f"/demo/inbox/{number}/").text


def test_the_same_thread_by_json(running: Running) -> None:
    sent = httpx.post(
        running.facts["form"]["post"],
        json={"name": "Jason", "email": "jason@visitor.example", "message": "From a script"},
    )
    assert sent.status_code == 201
    answer = sent.json()
    assert answer["ok"] is True
    assert answer["next"].startswith("http")
    eventually(lambda: running.ask("SELECT 1 FROM inbox_enquiry WHERE submission_id = %s", (answer["id"],)))
