"""What this process has accepted lately: a repetition gets its receipt at once, and no limit ever stands in its way."""

import collections
import time

# As long as the same content counts as the same submission.
_SECONDS = 600.0
_MOST = 10_000


class Recent:
    """Ids and digests are bytes; receipts are as stored."""

    def __init__(self) -> None:
        self._known: collections.OrderedDict[bytes, tuple[bytes, str, float]] = collections.OrderedDict()

    def receipt(self, id: bytes, earlier: bytes | None, digest: bytes) -> str | None:
        """The receipt that this content has; None when it is not known, or when the id belongs to another content."""
        known = self._known.get(id) or (self._known.get(earlier) if earlier is not None else None)
        if known is None or known[0] != digest or known[2] < time.monotonic():
            return None
        return known[1]

    def remember(self, id: bytes, digest: bytes, receipt: str) -> None:
        """After it is kept."""
        self._known[id] = digest, receipt, time.monotonic() + _SECONDS
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
