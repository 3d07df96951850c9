"""A reply leaves through a real mail server, its answer comes back over real IMAP into the page that is still open."""

import email
import email.policy
import queue
import re
from collections.abc import Iterator
from email.message import EmailMessage

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from playwright.sync_api import Browser, Page, expect

from tests import imap
from tests.conftest import Running, eventually, started
from tests.e2e.conftest import picture
from tests.github import GitHub

HTML = """<div style="font-family: Georgia; color: #334155"><h2>Tuesday is <u>fine</u></h2>
<p>See you at <a href="https://honest.example/">our shop</a>.</p>
<table border="1" cellpadding="6"><tr><td bgcolor="#fef3c7">Coffee</td><td>2</td></tr></table>
<img src="http://127.0.0.1:19999/pixel.gif" onerror="parent.document.title='broken out'">
<script>parent.document.title = 'broken out'; fetch('http://127.0.0.1:19999/script')</script>
<style>@import url(http://127.0.0.1:19999/style.css);</style>
<form action="http://127.0.0.1:19999/form"><input name="password"><button>Sign in</button></form>
<svg onload="parent.document.title='broken out'"></svg>
<p style="background:url(http://127.0.0.1:19999/background.gif)">Bye</p></div>"""


class Outgoing:
    """The mail server that replies leave through."""

    def __init__(self) -> None:
        self.mails: queue.Queue[EmailMessage] = queue.Queue()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        if not message["Auto-Submitted"]:
            self.mails.put(message)
        return "250 OK"


@pytest.fixture
def outgoing() -> Iterator[tuple[Outgoing, int]]:
    box, port = Outgoing(), imap.free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


@pytest.fixture
def house(
    tmp_path_factory: pytest.TempPathFactory, github: GitHub, outgoing: tuple[Outgoing, int]
) -> Iterator[Running]:
    more = {"EMAIL_URL": f"smtp://127.0.0.1:{outgoing[1]}", "CONSULT_IMAP_NETWORKS": "127.0.0.0/8"}
    with started(tmp_path_factory.mktemp("house") / "var", github, **more) as found:
        yield found


def connect(page: Page, server: imap.Server) -> None:
    """Connect the mailbox on its page, which says by itself that it works."""
    page.get_by_label("E-mail address").fill(imap.USER)
    page.get_by_label("IMAP server").fill("127.0.0.1")
    page.get_by_label("Port").fill(str(server.port))
    page.get_by_label("Encryption").select_option("plain")
    page.get_by_label("User name").fill(imap.USER)
    page.get_by_label("Password").fill("wrong")
    picture(page, "mailbox-new")
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_text("refuses this user name and password")).to_be_visible(timeout=20_000)
    picture(page, "mailbox-wrong")
    page.get_by_label("Password").fill(imap.PASSWORD)
    page.get_by_role("button", name="Save and try").click()
    expect(page.get_by_text("Connected")).to_be_visible(timeout=20_000)
    picture(page, "mailbox")


def answer_to(sent: EmailMessage) -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "Jenny <jenny@visitor.example>", sent["Reply-To"], "Re: weddings"
    made["Message-ID"], made["In-Reply-To"] = "<answer@visitor.example>", sent["Message-ID"]
    made.set_content("Tuesday is fine.\n\nOn Monday you wrote:\n> When can you come?")
    made.add_alternative(HTML, subtype="html")
    return made.as_bytes()


def test_a_reply_and_its_answer(house: Running, browser: Browser, outgoing: tuple[Outgoing, int]) -> None:
    asked: list[str] = []
    errors: list[str] = []
    with imap.running() as server:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.on("request", lambda request: asked.append(request.url) if ":19999/" in request.url else None)
        page, settings = context.new_page(), context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        settings.goto(house.sign_in_link())
        office = house.facts["office"]
        settings.goto(f"{office}/demo/settings/replies/mailbox/")
        connect(settings, server)
        sent = {"name": "Jenny", "email": "jenny@visitor.example", "message": "Do you cater for weddings?"}
        assert httpx.post(house.facts["form"]["post"], data=sent, headers={"Accept": "text/html"}).status_code == 303

        opened = "SELECT number, status FROM inbox_enquiry WHERE sender_email = 'jenny@visitor.example'"
        [(number, status)] = eventually(lambda: house.ask(opened), seconds=60)
        assert status == "open"
        page.goto(f"{office}/demo/inbox/{number}/")
        expect(page.locator("#live")).to_have_attribute("data-state", "live", timeout=10_000)
        page.evaluate("window.notReloaded = true")
        page.locator("#reply").fill("When can you come?")
        page.locator("#reply-form").get_by_role("button", name="Send", exact=True).click()
        mail = outgoing[0].mails.get(timeout=40)
        assert mail["To"] == "jenny@visitor.example"
        assert re.fullmatch(r"team\+[a-z2-7]{32}@in\.example", mail["Reply-To"])

        server.deliver(answer_to(mail))
        settings.get_by_role("button", name="Look now").click()
        conversation = page.locator("#enquiry-messages")
        expect(conversation.get_by_text("Tuesday is fine.").first).to_be_visible(timeout=90_000)
        assert page.evaluate("window.notReloaded") is True
        picture(page, "answer")

        page.get_by_text("As it was formatted").click()
        frame = page.frame_locator(".mail-frame")
        expect(frame.get_by_role("heading", name="Tuesday is fine")).to_be_visible()
        picture(page, "answer-formatted")
        assert frame.locator("form, input, script, svg").count() == 0
        assert asked == [], "nobody is told that it was read"
        assert page.evaluate("window.notReloaded") is True
        page.get_by_role("link", name="Load pictures from elsewhere").click()
        expect(frame.get_by_role("heading", name="Tuesday is fine")).to_be_visible()
        expect(frame.get_by_text("not loaded")).to_have_count(0)
        assert asked == ["http://127.0.0.1:19999/pixel.gif"], "the picture, and nothing else"
        assert "broken out" not in page.title()
        assert errors == []
        shots(page, settings, office)
        context.close()


def shots(page: Page, settings: Page, office: str) -> None:
    """Pictures of what is new, light and dark, wide and narrow."""
    for width in (1280, 390):
        for theme in ("light", "dark"):
            for name, address in (("mailbox", "settings/replies/mailbox/"), ("replies", "settings/replies/")):
                settings.set_viewport_size({"width": width, "height": 900})
                settings.emulate_media(color_scheme="dark" if theme == "dark" else "light")
                settings.goto(f"{office}/demo/{address}")
                picture(settings, f"{name}-{theme}-{width}")
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            picture(page, f"answer-{theme}-{width}")
