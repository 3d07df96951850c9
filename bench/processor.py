"""Processor time of a program and of all that it has started."""

import psutil


def seconds(pid: int) -> float:
    """User and system time of the process and its descendants until now; those that have ended count not at all."""
    first = psutil.Process(pid)
    times = [process.cpu_times() for process in (first, *first.children(recursive=True))]
    return sum(float(time.user) + float(time.system) for time in times)
