"""Proof of work: what is signed, what is believed, and how often."""

import base64
import json
import subprocess
import sys
import time

import altcha
import pytest

from edge import challenge, forms

FORM = forms.Form(key="frm_" + "a" * 22, version=1, secret="s" * 43, proof_of_work=True)
OTHER = forms.Form(key="frm_" + "b" * 22, version=1, secret="t" * 43, proof_of_work=True)


def _solved(form: forms.Form, now: float) -> str:
    asked = altcha.Challenge.from_dict(json.loads(challenge.create(form, now)))
    found = altcha.solve_challenge(asked)
    assert found is not None
    return altcha.Payload(asked, found).to_base64()


@pytest.fixture(scope="module")
def now() -> float:
    return time.time()


@pytest.fixture(scope="module")
def solution(now: float) -> str:
    return _solved(FORM, now)


def test_solution_is_believed_once(solution: str, now: float) -> None:
    proofs = challenge.Proofs()
    assert proofs.check(FORM, solution, now) == "proof_ok"
    assert proofs.check(FORM, solution, now) == "proof_bad"


def test_retry_of_the_same_submission_brings_the_same_solution(solution: str, now: float) -> None:
    proofs = challenge.Proofs()
    assert proofs.check(FORM, solution, now, "key-1") == "proof_ok"
    assert proofs.check(FORM, solution, now, "key-1") == "proof_ok"
    assert proofs.check(FORM, solution, now, "key-2") == "proof_bad"
    assert proofs.check(FORM, solution, now) == "proof_bad"


def test_absence_says_nothing(now: float) -> None:
    assert challenge.Proofs().check(FORM, "", now) is None


def test_another_forms_solution_and_a_late_one(solution: str, now: float) -> None:
    assert challenge.Proofs().check(OTHER, solution, now) == "proof_bad"
    assert challenge.Proofs().check(FORM, solution, now + challenge.LIFETIME_SECONDS + 1) == "proof_bad"


def test_form_without_a_secret_believes_nothing(solution: str, now: float) -> None:
    assert challenge.Proofs().check(forms.Form(key=FORM.key, version=1), solution, now) == "proof_bad"


def _changed(solution: str, path: str, value: object) -> str:
    content = place = json.loads(base64.b64decode(solution))
    *way, last = path.split(".")
    for step in way:
        place = place[step]
    place[last] = value
    return base64.b64encode(json.dumps(content).encode()).decode()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("solution.derivedKey", "00" * 32),
        ("solution.derivedKey", None),
        ("solution", []),
        ("challenge.parameters.expiresAt", 9_999_999_999),
        ("challenge.parameters.expiresAt", "soon"),
        ("challenge.parameters.expiresAt", 1e400),
        ("challenge.parameters.cost", 1),
        ("challenge.parameters.nonce", {"a": 1}),
        ("challenge.parameters", 7),
        ("challenge.signature", "0" * 64),
        ("challenge.signature", None),
    ],
)
def test_forged(solution: str, now: float, path: str, value: object) -> None:
    assert challenge.Proofs().check(FORM, _changed(solution, path, value), now) == "proof_bad"


@pytest.mark.parametrize("text", ["x", "ü", "e30=", "bnVsbA==", "A" * 5_000, "W10=", "eyJjaGFsbGVuZ2UiOjF9", "\x00"])
def test_not_even_a_solution(now: float, text: str) -> None:
    assert challenge.Proofs().check(FORM, text, now) == "proof_bad"


def test_what_was_used_is_forgotten_when_it_is_no_longer_valid(monkeypatch: pytest.MonkeyPatch, now: float) -> None:
    monkeypatch.setattr(challenge, "_REMEMBERED", 2)
    proofs = challenge.Proofs()
    solutions = [_solved(FORM, now) for _ in range(3)]
    assert [proofs.check(FORM, one, now) for one in solutions] == ["proof_ok"] * 3
    assert len(proofs._used) == 2, "bounded"
    assert proofs.check(FORM, solutions[2], now) == "proof_bad"
    late = _solved(FORM, now + 600)
    assert proofs.check(FORM, late, now + challenge.LIFETIME_SECONDS + 1) == "proof_ok"
    assert len(proofs._used) == 1, "the others are out of date"


def test_library_costs_nothing_until_a_form_asks() -> None:
    code = "import sys; import edge.challenge; sys.exit('altcha' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
