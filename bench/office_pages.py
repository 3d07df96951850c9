"""What the office's pages cost among a million enquiries, and how much of that is because of the million."""

import dataclasses
import json
import re
import statistics
from collections.abc import Callable
from html import unescape
from pathlib import Path

import httpx

from bench import office_rows

# How much slower than in an agency of ten thousand rows.
RATIO = 1.3


@dataclasses.dataclass(frozen=True)
class Page:
    """A page as it is asked of each agency. `send` asks; `limit` is in milliseconds, None: nothing is promised."""

    name: str
    limit: float | None
    send: Callable[[httpx.Client, "Agency"], httpx.Response]


@dataclasses.dataclass(frozen=True)
class Agency:
    """Where an agency's pages are, found by looking at them."""

    slug: str
    next_page: str
    middle: str
    enquiry: str
    contact: str
    deal: str
    stages: list[str]
    rare: str
    csrf: str
    before: list[str] = dataclasses.field(default_factory=list)


def get(path: str) -> Callable[[httpx.Client, Agency], httpx.Response]:
    """Return what asks for this path of an agency; `{name}` stands for what the agency has under that name."""
    return lambda client, agency: client.get(f"/{agency.slug}/{path.format_map(vars(agency))}")


def move(client: httpx.Client, agency: Agency) -> httpx.Response:
    """Move the first deal of the board one stage on or back, as the board does."""
    here, there = agency.before or agency.stages[:2]
    agency.before[:] = [there, here]
    sent = {"page": "board", "from": here, "stage": there, "csrfmiddlewaretoken": agency.csrf}
    headers = {"HX-Request": "true", "X-CSRFToken": agency.csrf}
    return client.post(f"/{agency.slug}/deals/{agency.deal}/move/", data=sent, headers=headers)


PAGES = (
    Page("inbox", 40, get("inbox/")),
    Page("inbox, next page", 40, get("inbox/{next_page}")),
    Page("inbox, all, in the middle", 40, get("inbox/{middle}")),
    Page("inbox, unassigned", 40, get("inbox/?view=unassigned")),
    Page("search, a rare word", 80, get("inbox/?view=all&q={rare}")),
    Page("search, a frequent word", 80, get("inbox/?view=all&q=beralin")),
    Page("search, two words", 80, get("inbox/?view=all&q=beralin+diralin")),
    Page("search, the beginning of words", 80, get("inbox/?view=all&q=be")),
    Page("search, mistyped", 80, get("inbox/?view=all&q=bezalxin")),
    Page("enquiry", 30, get("inbox/{enquiry}/")),
    Page("timeline of a contact", 40, get("contacts/{contact}/")),
    Page("contacts", 40, get("contacts/")),
    Page("contacts, a rare name", 80, get("contacts/?find={rare}")),
    Page("contacts, a frequent one", 80, get("contacts/?find=visitor")),
    Page("contacts, nothing found", 80, get("contacts/?find=qqxqqxqq")),
    Page("companies, search", 80, get("companies/?find=qqxqqxqq")),
    Page("deals, board of 2,000", 100, get("deals/")),
    Page("deals, a move", 30, move),
    Page("deals, won", 40, get("deals/list/?status=won")),
    Page("reports", 100, get("reports/?from=2026-10-21&to=2026-11-19")),
    Page("sites", None, get("sites/")),
)


def found(client: httpx.Client, plan: office_rows.Agency) -> Agency:
    """Look around in an agency as somebody would."""
    here = f"/{plan.slug}"
    inbox = client.get(f"{here}/inbox/").raise_for_status().text
    # A page of the list of everything, half-way back in time.
    every = client.get(f"{here}/inbox/?view=all").raise_for_status().text
    board = client.get(f"{here}/deals/").raise_for_status().text
    columns = re.findall(r'data-stage="([^"]+)"', board)
    middle = office_rows.middle(plan)
    return Agency(
        slug=plan.slug,
        next_page=_first(r'href="(\?[^"]*before=[^"]*)"', inbox),
        middle=f"?view=all&before={middle}",
        enquiry=_first(r'id="enquiry-(\d+)"', every),
        contact=str(office_rows.first_contact(plan)),
        deal=_first(r'id="deal-([^"]+)"', board),
        stages=columns,
        rare=_first(r'font-medium">([A-Z]\w+ [A-Z]\w+)</span></span>', every).split()[1].lower(),
        csrf=_first(r'name="csrfmiddlewaretoken" value="([^"]+)"', inbox),
    )


def _first(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise SystemExit(f"The page shows no {pattern}.")
    return unescape(match[1])


def measure(
    client: httpx.Client, log: Path, plans: list[office_rows.Agency], *, requests: int, only: str = ""
) -> dict[str, list[tuple[float, int, int]]]:
    """Ask each page of each agency in turn; return, by page, (median ms at the server, statements, bytes) by agency."""
    agencies = [found(client, plan) for plan in plans]
    told: dict[str, list[tuple[float, int, int]]] = {}
    for page in PAGES:
        if only not in page.name:
            continue
        answers: list[list[httpx.Response]] = [[] for _ in agencies]
        for _turn in range(requests + 10):
            for agency, kept in zip(agencies, answers, strict=True):
                answer = page.send(client, agency)
                if answer.status_code >= 400:
                    raise SystemExit(f"{page.name}: {answer.status_code}")
                kept.append(answer)
        times = durations(log)
        told[page.name] = [
            (
                statistics.median(times[each.headers["X-Request-ID"]] for each in kept[10:]),
                max(int(each.headers["X-Statements"]) for each in kept[10:]),
                len(kept[-1].content),
            )
            for kept in answers
        ]
    return told


def durations(log: Path) -> dict[str, float]:
    """Return what the office's log says of each request: its id, and the milliseconds that it took at the server."""
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines() if line.startswith("{")]
    return {line["request_id"]: line["duration_ms"] for line in lines if "duration_ms" in line}
