"""docs/api.md is true: its codes are those of the registry, those in use are registered, and its walk runs."""

import ast
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connection

from conftest import Cast, Database, Enquiry
from consult.core import errors
from tests import api

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "api.md").read_text("utf-8")


def test_the_table_is_the_registry() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (.+?) \| (.+) \|$", TEXT, re.MULTILINE)
    assert rows == [(code, str(kind.status), kind.title, kind.words) for code, kind in errors.KINDS.items()]


def codes_in_use() -> set[str]:
    """Return every code that the office's own program names: Refused("…"), code="…", {SomeError: ("…", pointer)}."""
    found = set()
    for file in (ROOT / "consult").rglob("*.py"):
        # The codes of views/oauth.py are those of RFC 6749, in its own kind of answer.
        if "tests" in file.parts or file.name == "oauth.py":
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name == "Refused" and node.args and isinstance(node.args[0], ast.Constant):
                    found.add(node.args[0].value)
                if name in ("problem", "answer"):
                    given = [each.value for each in node.keywords if each.arg == "code"]
                    found |= {each.value for each in given if isinstance(each, ast.Constant)}
            if isinstance(node, ast.Dict) and "api" in (file.stem, file.parent.name):
                pairs = [each.elts[0] for each in node.values if isinstance(each, ast.Tuple) and len(each.elts) == 2]
                found |= {each.value for each in pairs if isinstance(each, ast.Constant)}
    return {str(code) for code in found}


def test_every_code_in_use_is_registered() -> None:
    used = codes_in_use()
    assert {"not_signed_in", "precondition_failed", "name_taken", "invalid", "database_away"} <= used
    assert used - set(errors.KINDS) == set()


def test_each_status_has_a_code_of_its_own() -> None:
    assert all(errors.KINDS[code].status == status for status, code in errors.CODES.items())
    assert errors.CODES[401] == "not_signed_in"


def test_the_document_is_complete(database: Database) -> None:
    found = api.told(api.ANONYMOUS.get("/api/openapi.json"))
    assert found["openapi"].startswith("3.1")
    assert found["security"] == [{"bearer": []}]
    assert found["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    tags = {tag["name"] for tag in found["tags"]}
    names = []
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            names.append(operation["operationId"])
            assert set(operation["tags"]) <= tags
            assert operation["summary"]
            assert {"400", "401", "403", "404", "422", "429", "503"} <= set(operation["responses"])
            assert ("409" in operation["responses"]) is (method in ("post", "patch", "put"))
            success = [status for status in operation["responses"] if status.startswith("2")]
            assert len(success) == 1, path
            for content in operation.get("requestBody", {}).get("content", {}).values():
                assert content["example"]
    assert len(names) == len(set(names)) > 25
    assert {"close_enquiry", "create_client", "update_form", "revoke_api_token", "list_audit"} <= set(names)
    for name in re.findall(r'"#/components/(\w+/[\w-]+)"', str(found).replace("'", '"')):
        kind, _slash, rest = name.partition("/")
        assert rest in found["components"][kind], name


def test_no_two_schemas_have_one_name() -> None:
    """Ninja names a schema as its class or type is called, and lets the later one of a name stand for both."""
    named: dict[str, list[str]] = {}
    for file in sorted((ROOT / "consult").glob("*/api/*.py")):
        for node in ast.parse(file.read_text("utf-8")).body:
            name = ""
            if isinstance(node, ast.TypeAlias):
                name = node.name.id
            # What a query string is read into stands in the document as parameters, without a name.
            elif isinstance(node, ast.ClassDef) and not any(ast.unparse(base) == "api.Paging" for base in node.bases):
                name = node.name
            if name:
                named.setdefault(name, []).append(str(file.relative_to(ROOT)))
    assert {"Contact", "OwnField", "FieldKind"} <= set(named)
    assert {name: files for name, files in named.items() if len(files) > 1} == {}


def test_fixed_addresses(database: Database, cast: Cast) -> None:
    program = api.of_member(cast.a, cast.alice.member_id)
    crm = ("clients", "contacts", "companies", "deals", "stages", "labels", "fields")
    for name in (
        *crm,
        *("sites", "forms", "submissions", "enquiries", "tokens", "audit", "members", "me"),
        *("projects", "tasks"),
        *("invitations", "agency", "attention", "jobs", "programs", "reports"),
    ):
        assert program.get(f"/api/v1/{name}").status_code == 200
    # Of features to come, and of nothing at all: a problem, whatever is asked and by whom.
    for path in ("/api/v1/sessions", "/api/v1/worktime/today", "/api/v1/clients/", "/api/v2/clients", "/api/", "/api"):
        for method in ("GET", "POST", "DELETE"):
            for headers in ({}, {"Accept": "text/html"}):
                answer = program.call(method, path, **headers)
                assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json"), path
                assert api.told(answer)["code"] == "not_found"


def test_the_page_shows_every_operation_without_a_script(database: Database) -> None:
    page = api.ANONYMOUS.get("/api/docs")
    text = page.content.decode()
    found = api.told(api.ANONYMOUS.get("/api/openapi.json"))
    for methods in found["paths"].values():
        for operation in methods.values():
            assert f'id="{operation["operationId"]}"' in text
    for code in errors.KINDS:
        assert f'<code class="w-56">{code}</code>' in text
    assert re.findall(r"<script(?! src=)", text) == []
    assert " style=" not in text
    assert "unsafe" not in page["Content-Security-Policy"]


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def office(cast: Cast) -> Iterator[str]:
    """The office at a real address."""
    with make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet) as server:

        def serve() -> None:
            try:
                server.serve_forever()
            finally:
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_walk_runs(office: str, database: Database, cast: Cast, enquiry: Enquiry, tmp_path: Path) -> None:
    [walk] = re.findall(r"^## A walk$.*?^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    program = api.of_member(cast.a, cast.alice.member_id)
    shell = shutil.which("sh")
    assert shell
    done = subprocess.run(
        [shell, "-c", walk],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "CONSULT_URL": office, "CONSULT_TOKEN": program.token},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("412")
    assert done.stdout.count('"name":"The Daily Grind"') == 2
    assert database.ask("SELECT name FROM crm_client") == [("The Daily Grind",)]
    assert database.ask("SELECT status FROM inbox_enquiry") == [("closed",)]
    assert len(database.ask("SELECT 1 FROM inbox_note")) == 1
