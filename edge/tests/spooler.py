"""A process that spools until it is killed or the disk is full; prints each receipt when it is given out.

python -m edge.tests.spooler <folder>: also prints `full` when the spool takes no more, and then drains it by half.
"""

import asyncio
import pathlib
import sys

from edge import bounds, log, spool
from edge.tests import rows


async def _run(folder: pathlib.Path) -> None:
    kept = await spool.Spool.open(folder, bounds.DEFAULT, log.Log(stream=sys.stderr.buffer))
    _say(f"open {kept.name}")
    try:
        while True:
            outcomes = await asyncio.gather(*(kept.put(rows.row(text="x" * 1500)) for _ in range(7)))
            _say(*(outcome.receipt for outcome in outcomes))
    except spool.ERRORS as error:
        _say(f"full {type(error).__name__}")
    # What leaves must be able to leave: a full disk may not keep the drainer from its work.
    half = kept.count // 2
    while kept.count > half:
        await kept.done([waiting.seq for waiting in await kept.peek(min(100, kept.count - half))])
    _say(f"left {kept.count}")
    await asyncio.Event().wait()


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_run(pathlib.Path(sys.argv[1])))
