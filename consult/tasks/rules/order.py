"""The order of a column: whole numbers with room between them, dealt out anew when there is none left."""

# So far apart that a place can be halved sixteen times before the column is dealt out anew.
STEP = 65_536


def between(above: int | None, below: int | None) -> int | None:
    """Return a rank after `above` and before `below` (None: the column's end there); None: no room is left."""
    if above is None:
        return STEP if below is None else below - STEP
    if below is None:
        return above + STEP
    middle = (above + below) // 2
    return middle if above < middle < below else None
