"""That nobody overwrites what another has saved since they began to type."""


class ChangedMeanwhile(Exception):
    """Somebody else has saved it since; nothing was changed."""


def expect(row_version: int, seen_version: int | None) -> None:
    """Raise ChangedMeanwhile when the row is not as it was seen; None means that it was not looked at before."""
    if seen_version is not None and row_version != seen_version:
        raise ChangedMeanwhile
