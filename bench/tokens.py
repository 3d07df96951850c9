"""What believing a token costs: the signature alone, and the whole way with its one query.

Needs Django's settings and a migrated database in which the agency and the member are; makes a sign-in of its own.
"""

import base64
import datetime as dt
import statistics
import time
from collections.abc import Callable
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

# Issue: at most so much for one verification.
TARGET_MICROSECONDS = 150.0


def verification(*, agency_id: int, member_id: UUID, rounds: int = 2_000) -> dict[str, float]:
    """Return microseconds: `verify` and `verify_p95` (signature and claims), `ecdsa` (the library's check of
    the signature alone, what no code of ours can be faster than), `believe` (with its query), `sign`.

    `verify` is the median over `rounds` calls with the process's keys warm.
    """
    from consult.accounts import services
    from consult.accounts.services import access_tokens, key_ring

    now = dt.datetime.now(dt.UTC)
    given = {"client_id": "bench", "redirect_uri": "https://bench.chromiumapp.org/"}
    code = services.authorize(
        agency_id=agency_id,
        member_id=member_id,
        challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        scopes=["read"],
        now=now,
        **given,
    )
    issued = services.exchange_code(
        code=code,
        # The pair of RFC 7636, appendix B.
        verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        device=services.Device("bench"),
        now=now,
        **given,
    )
    token = issued.access_token
    claims = access_tokens.verify(token, now=now)
    verified = _microseconds(lambda: access_tokens.verify(token, now=now), rounds)
    bare = _microseconds(_signature_alone(token, key_ring.ring.find(claims.kid)), rounds)
    believed = _microseconds(lambda: services.believe(token, now=now), rounds // 4)
    signed = _microseconds(
        lambda: access_tokens.access_token(
            agency_id=agency_id,
            member_id=member_id,
            grant_id=claims.grant_id,
            client_id="bench",
            scopes=["read"],
            now=now,
        ),
        rounds // 4,
    )
    services.revoke_grant(agency_id=agency_id, grant_id=claims.grant_id, by=member_id, now=now)
    return {
        "verify": statistics.median(verified),
        "verify_p95": statistics.quantiles(verified, n=20)[-1],
        "ecdsa": statistics.median(bare),
        "believe": statistics.median(believed),
        "sign": statistics.median(signed),
    }


def _signature_alone(token: str, key: ec.EllipticCurvePublicKey | None) -> Callable[[], object]:
    assert key is not None  # noqa: S101 - found a moment ago
    signed, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    content, algorithm = signed.encode(), ec.ECDSA(hashes.SHA256())
    return lambda: key.verify(der, content, algorithm)


def _microseconds(call: Callable[[], object], rounds: int) -> list[float]:
    for _ in range(20):
        call()
    found = []
    for _ in range(rounds):
        started = time.perf_counter_ns()
        call()
        found.append((time.perf_counter_ns() - started) / 1_000)
    return found
