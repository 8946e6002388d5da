"""Whether what the platform stands on is as it should be."""

from __future__ import annotations

from msgspec import Struct

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Nothing, operation
from jupyter_blueno.doctor.model import Finding


class Findings(Struct, frozen=True):
    findings: list[Finding]


@operation("GET", "/doctor", resource="status", action="read")
def diagnose(context: Context, ask: Nothing) -> Findings:
    """Look at data folder, database, decoders and where jobs run; say what to do where something is wrong."""
    from jupyter_blueno.doctor.model import examined
    from jupyter_blueno.doctor.platform import PlatformCheck

    check = PlatformCheck(context.config, lambda: context.database)
    return Findings(list(examined(check.checks())))
