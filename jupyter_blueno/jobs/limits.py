"""What a job may use of the machine. For its supervisor; standard library only."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from jupyter_blueno.jobs.lean import suppress
else:  # a file beside this one
    from lean import suppress


def set_own(plan: dict[str, Any]) -> None:
    """Set the limits of the calling process."""
    import resource

    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if plan.get("memory"):
        resource.setrlimit(resource.RLIMIT_AS, (plan["memory"], plan["memory"]))
    if plan.get("cpu") and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        count = max(1, min(len(cores), int(-(-plan["cpu"] // 1))))
        first = int(plan["id"][:8], 16)  # so that small jobs do not all meet on core 0
        os.sched_setaffinity(0, {cores[(first + i) % len(cores)] for i in range(count)})
