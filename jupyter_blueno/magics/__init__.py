"""``%blueno`` and ``%%blueno`` for IPython: the verbs with less to type."""

from __future__ import annotations

from typing import Any


def register(shell: Any) -> None:
    """Add the magics and their completion to `shell`; a second time changes nothing."""
    from jupyter_blueno.magics.completion import complete
    from jupyter_blueno.magics.magic import BluenoMagics

    if isinstance(shell.magics_manager.registry.get("BluenoMagics"), BluenoMagics):
        return
    shell.register_magics(BluenoMagics)
    for key in (r"%blueno", r"%%blueno"):
        shell.set_hook("complete_command", complete, str_key=key)
