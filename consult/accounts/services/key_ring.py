"""The public keys as this process has them: asked for rarely, and again for a kid that nobody knows yet."""

import threading
import time

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from consult.accounts import queries

# A next key is published much longer than this before it signs: it is always there in time.
MAX_AGE_SECONDS = 30.0
# Made-up kids must not become a way to query the database at will.
AGAIN_SECONDS = 3.0

type Keys = dict[str, ec.EllipticCurvePublicKey]


class KeyRing:
    """Safe for several threads: each sees the whole list of one moment."""

    def __init__(self) -> None:
        self._keys: Keys = {}
        self._asked_at = float("-inf")
        self._stale = True
        self._turn = threading.Lock()

    def outdated(self) -> None:
        """Ask again at the next look: this process has changed the keys itself."""
        self._stale = True

    def find(self, kid: str) -> ec.EllipticCurvePublicKey | None:
        """Return the key, or None when there is none of that kid, or no longer."""
        if self._wants(kid):
            with self._turn:
                # Another thread may have asked while this one waited.
                if self._wants(kid):
                    self._ask()
        return self._keys.get(kid)

    def _wants(self, kid: str) -> bool:
        age = time.monotonic() - self._asked_at
        return self._stale or age > MAX_AGE_SECONDS or (kid not in self._keys and age > AGAIN_SECONDS)

    def _ask(self) -> None:
        asked_at = time.monotonic()
        # Before the question: a change that comes while it is answered must count.
        self._stale = False
        try:
            self._keys = _load(queries.public_keys())
        except BaseException:
            self._stale = True
            raise
        self._asked_at = asked_at


def _load(pems: dict[str, str]) -> Keys:
    found: Keys = {}
    for kid, pem in pems.items():
        key = load_pem_public_key(pem.encode())
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
            found[kid] = key
    return found


ring = KeyRing()
