"""The job's first process, from the fork to its program. For its supervisor; standard library only."""

from __future__ import annotations

import os

from jupyter_blueno.jobs import lean
from jupyter_blueno.jobs.engine import processes
from jupyter_blueno.jobs.lean import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import Any, NoReturn

    from jupyter_blueno.jobs.engine.limits import Limits
else:
    import _signal as signal  # without its enums


UNBORN = "unborn.json"
SPARE = ".spare"


def environment(folder: str, gpus: str | None, attempt: int) -> dict[bytes, bytes] | None:
    """What the job was submitted with, its GPUs, and which attempt it is; None if that is gone."""
    try:
        words = lean.read(os.path.join(folder, "environ")).split(b"\0")
    except OSError:
        return None
    found = {name: value for name, _, value in (word.partition(b"=") for word in words if word)}
    if gpus is not None:
        found[b"CUDA_VISIBLE_DEVICES"] = gpus.encode()
        found[b"CUDA_DEVICE_ORDER"] = b"PCI_BUS_ID"  # or their numbers mean others
    if found and attempt > 1:
        found[b"BLUENO_ATTEMPT"] = str(attempt).encode()
        found.setdefault(b"BLUENO_RESUME_FROM", folder.encode())
    return found or None


def forget_environment(folder: str) -> None:
    """Let nobody read it who comes later; its file serves for what is written at the end."""
    path = os.path.join(folder, "environ")
    with suppress(OSError):
        os.truncate(path, 0)
        os.rename(path, os.path.join(folder, SPARE))


def secrets(plan: dict[str, Any]) -> dict[bytes, bytes]:
    """The secrets that the job names, as they are now; they are kept nowhere on the way.

    Raises
    ------
    LookupError
        With a sentence that says which one is missing.
    """
    found = {}
    for name in plan.get("secrets", ()):
        try:
            found[name.encode()] = lean.read(os.path.join(plan["secrets_folder"], name))
        except FileNotFoundError:
            raise LookupError(f"The secret {name} is gone. Set it, then run the job again.") from None
        except OSError as error:
            raise LookupError(f"The secret {name} cannot be read: {error.strerror}.") from None
    return found


def become(
    folder: str,
    plan: dict[str, Any],
    limits: Limits,
    surroundings: dict[bytes, bytes],
    gate: tuple[int, int],
) -> NoReturn:
    """Log, limits, working folder; then the program, once a byte comes through the `gate`, a pipe."""
    try:
        os.setsid()
        os.close(gate[1])
        processes.default_signals()
        log = os.open(os.path.join(folder, "log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        if os.read(gate[0], 1) != b"g":  # the supervisor died first
            stay_unborn(folder)
        limits.enter()
        os.chdir(plan["cwd"])
        if plan.get("together", 1) > 1:
            from jupyter_blueno.jobs.engine import beside

            beside.run(folder, plan, surroundings)
        if plan.get("witness"):
            bear_witness(folder, plan["argv"], surroundings)
        os.execvpe(plan["argv"][0], plan["argv"], surroundings)
    except BaseException as error:
        reason = f"'{plan['argv'][0]}' could not be started: {error}."
        os.write(2, reason.encode() + b"\n")
        lean.write_json(os.path.join(folder, "ended.json"), {"ok": False, "reason": reason})
    os._exit(127)


def bear_witness(folder: str, argv: list[str], surroundings: dict[bytes, bytes]) -> NoReturn:
    """Start a program that says nothing of its end, and stay as its parent.

    If the supervisor is killed, nobody else could tell whether a command went
    well: what waits for it here is a process of the job. The program is spawned,
    not forked: none of our memory has to be copied for it.
    """
    os.environb[b"PATH"] = surroundings.get(b"PATH", os.defpath.encode())  # where it is looked for
    program = os.posix_spawnp(argv[0], argv, surroundings)
    try:
        only_wait()
        _, status = os.waitpid(program, 0)
        end_as(folder, status)
    finally:
        os._exit(127)


def only_wait() -> None:
    """As the parent of programs: hold nothing of the supervisor's, hear no signal that is meant for them."""
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # its lock above all
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def end_as(folder: str, status: int) -> NoReturn:
    """Write down how the program ended, as waitpid says it, and end in the same way."""
    with suppress(OSError):
        path, spare = os.path.join(folder, "witnessed.json"), os.path.join(folder, SPARE)
        lean.write_json(path, {"status": status}, spare=spare)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        if -code in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(max(code, 0))


def stay_unborn(folder: str) -> NoReturn:
    """End, and leave word that nothing of the user's has run: it is still to be done."""
    try:
        lean.write_json(os.path.join(folder, UNBORN), {"pid": os.getpid()})
    finally:
        os._exit(0)


def is_unborn(folder: str, child: int) -> bool:
    """Whether this child ended before it was let begin."""
    try:
        return bool(lean.read_json(os.path.join(folder, UNBORN))["pid"] == child)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def witnessed(folder: str) -> int | None:
    """How the job's program ended, as waitpid says it; None if nobody saw it."""
    try:
        return int(lean.read_json(os.path.join(folder, "witnessed.json"))["status"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
