"""The time zone of this machine, by its name."""

from __future__ import annotations

import os
import zoneinfo
from pathlib import Path


def local_zone() -> str:
    """``Europe/Berlin``; ``UTC`` where the machine does not say."""
    for name in (os.environ.get("TZ", "").lstrip(":"), _linked(), _written()):
        if name and not os.path.isabs(name):
            try:
                return zoneinfo.ZoneInfo(name.removeprefix("Etc/") if name == "Etc/UTC" else name).key
            except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
                continue
    return "UTC"


def _linked() -> str:
    """What ``/etc/localtime`` leads to, below the folder of zones."""
    return os.path.realpath("/etc/localtime").partition("/zoneinfo/")[2]


def _written() -> str:
    try:
        return Path("/etc/timezone").read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
