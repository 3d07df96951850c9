"""A small disk of its own at a folder, which can be filled and emptied."""

import contextlib
import os
import pathlib
import subprocess
from collections.abc import Iterator


def permitted() -> bool:
    """Whether this run may mount a file system."""
    command = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    with contextlib.suppress(OSError):
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    return False


class Disk:
    """`folder` is where it is mounted."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Takes all room that is left, to the last block."""
        with self._filler.open("ab", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(bytes(4096))

    def free(self) -> None:
        self._filler.unlink()


@contextlib.contextmanager
def small(folder: pathlib.Path, megabytes: int) -> Iterator[Disk]:
    """Mounts it; only where `permitted`."""
    # Mounts of this process and its children alone: whatever kills us, nothing stays mounted.
    os.unshare(os.CLONE_NEWNS)
    _run("mount", "--make-rprivate", "/")
    folder.mkdir(exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder))
    try:
        yield Disk(folder)
    finally:
        _run("umount", "--lazy", str(folder))


def _run(*words: str) -> None:
    subprocess.run(words, check=True)
