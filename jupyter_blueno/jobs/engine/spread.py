"""Watches over one of several workers, each the main process of a container of its own.

``python -I -m`` this module, with the job's folder; the cluster says which rank it is.
They know of each other by files of the folder that all of them see:

- ``workers/{rank}/rank.json``: each says where it is, and how its part of an attempt ended.
- ``workers/meeting.json``: rank 0 says that all are there, and where; later, that the attempt is over.
- ``attempt.json``, ``exit.json``: rank 0 says that all begin anew, or that it was the end.

So an attempt begins when the last container is up, whatever the cluster started first, and what
befalls one worker befalls the job: rank 0 decides once, for all.
"""

from __future__ import annotations

import os
import sys
import time

from jupyter_blueno.jobs import lean
from jupyter_blueno.jobs.engine import workers
from jupyter_blueno.jobs.engine.attempts import OF_ONE_ATTEMPT, Attempts
from jupyter_blueno.jobs.engine.contained import NOT_STARTED, ContainedSupervisor, attend
from jupyter_blueno.jobs.engine.supervisor import HEARTBEAT, Supervisor
from jupyter_blueno.jobs.lean import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PERIOD = 0.2  # seconds between looks at what the others say
SILENCE = 20.0  # seconds without a sign of life after which a worker is taken for lost
PORT = 29400  # the first one; each attempt has others, so that none meets a straggler
PORTS = 200
MEETING = os.path.join(workers.FOLDER, "meeting.json")
TAKEN = ("shutdown", "lost")  # ends that were nobody's fault
UNTOLD = ("cancelled", "superseded")  # and those that rank 0 made


class Worker(ContainedSupervisor):
    """What all ranks do.

    Parameters
    ----------
    job : str
        The job's folder.
    rank : int
    """

    def __init__(self, job: str, rank: int) -> None:
        super().__init__(workers.folder_of(job, rank))
        self.job = job
        self.rank = rank
        self.size: int = self.plan["workers"]
        self.host = os.environ.get("BLUENO_ADDRESS") or "127.0.0.1"
        self.hosts: list[str] = []
        self.began: float | None = None

    @property
    def number(self) -> int:
        return self.attempts.number

    def stands(self, state: str, **content: Any) -> None:
        content |= {"state": state, "attempt": self.number, "address": self.host, "started_at": self.began}
        workers.stands(self.job, self.rank, host=os.environ.get("BLUENO_NODE"), **content)

    def job_says(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = lean.told(os.path.join(self.job, name)) or {}
        return found

    def meeting(self) -> dict[str, Any]:
        """What rank 0 says of this attempt; empty: nothing yet."""
        found = self.job_says(MEETING)
        return found if found.get("attempt") == self.number else {}

    def wait_for_turn(self) -> None:
        super().wait_for_turn()
        self.began = None
        self.stands("waiting")
        beat = 0.0
        while not (self.shutdown or os.path.exists(self.path("cancel")) or self.all_there()):
            if time.monotonic() - beat > HEARTBEAT:
                self.beat()
                beat = time.monotonic()
            time.sleep(PERIOD)

    def all_there(self) -> bool:
        """Whether the attempt may begin, or never will."""
        raise NotImplementedError

    def attempt(self) -> str | None:
        """This worker's part of an attempt."""
        ending = Supervisor.attempt(self)
        return "lost" if ending == "unwatched" and not self.read("ended.json") else ending

    def surroundings(self) -> dict[bytes, bytes] | None:
        found = super().surroundings()
        if found is None:
            return None
        port = PORT + 2 * self.number % PORTS
        return found | workers.surroundings(self.job, self.rank, self.hosts, port, [port + 1] * self.size)

    def write_status(self, state: str) -> None:
        super().write_status(state)
        if state == "RUNNING" and self.began is None:
            self.began = self.started_at
            self.stands("running")

    def report(self, ending: str) -> None:
        """Say how this worker's part ended."""
        said = self.read("ended.json") or {}
        status = self.family.exit_status
        ok = status == 0 if ending == "exited" else ending == "unwatched" and said.get("ok") is True
        code = None if status is None else os.waitstatus_to_exitcode(status)
        content = {"ending": ending, "status": status, "code": code, "ok": ok, "reason": self.reason}
        self.stands("ended", **content, finished_at=time.time())


class Follower(Worker):
    """Any rank but 0."""

    missed = False  # whether the others met another one in our place

    def run(self) -> None:
        if not self.lock():
            return
        self.listen()
        while not self.shutdown and self.read("exit.json") is None:
            self.attempts = Following(self.folder, self.plan)
            if not self.was_told():
                ending = self.attempt()
                if ending == "not_started" and not self.hosts:
                    ending = "lost" if self.missed else "superseded"
                self.report(ending or "shutdown")
            self.wait_for_word()

    def was_told(self) -> bool:
        """Whether somebody who was here before us said how this attempt ended; rank 0 is still to hear it.

        Who left before it began said nothing of it: we take the place.
        """
        said = workers.standing(self.job, self.rank)
        return bool(self.meeting()) and said.get("attempt") == self.number and said.get("state") == "ended"

    def all_there(self) -> bool:
        self.hosts = str(self.meeting().get("hosts") or "").split()
        self.missed = bool(self.hosts) and self.hosts[self.rank] != self.host
        if self.missed:  # they began with one who was here before us
            self.hosts = []
        return bool(self.hosts) or self.missed or self.is_past()

    def start(self) -> bool:
        if not self.hosts:  # it was not to be
            return False
        lean.forget(self.folder, *OF_ONE_ATTEMPT)
        return super().start()

    def is_past(self) -> bool:
        """Whether this attempt is over for all."""
        if self.meeting().get("over") or self.read("exit.json") is not None:
            return True
        return bool(self.job_says("attempt.json").get("number", 1) > self.number)

    def time_to_end(self) -> str | None:
        return super().time_to_end() or ("superseded" if self.is_past() else None)

    def wait_for_word(self) -> None:
        """Until there is another attempt, or it was the last."""
        beat = 0.0
        while not self.shutdown and self.read("exit.json") is None:
            if self.job_says("attempt.json").get("number", 1) > self.number:
                return
            if time.monotonic() - beat > HEARTBEAT:
                self.beat()
                beat = time.monotonic()
            time.sleep(PERIOD)


class Following(Attempts):
    """The attempt that rank 0 says it is; it is not for others to write that down."""

    def left(self) -> float:
        return 0.0

    def begun(self) -> None:
        pass


class Leader(Worker):
    """Rank 0: says when an attempt begins and how it ended, for all."""

    def all_there(self) -> bool:
        found = [workers.standing(self.job, rank) for rank in range(self.size)]
        ready = [one for one in found if one.get("attempt") == self.number and one["state"] == "waiting"]
        self.hosts = [one["address"] for one in ready]
        if len(self.hosts) < self.size:
            return False
        lean.write_json(
            self.path(MEETING), {"attempt": self.number, "hosts": " ".join(self.hosts)}, durable=True
        )
        return True

    def others(self) -> dict[int, dict[str, Any]]:
        """What the other ranks say of this attempt."""
        found = {rank: workers.standing(self.job, rank) for rank in range(1, self.size)}
        return {rank: one for rank, one in found.items() if one.get("attempt") == self.number}

    def time_to_end(self) -> str | None:
        return super().time_to_end() or ("together" if failed(self.others()) else None)

    def run(self) -> None:
        if not self.lock() or self.read("exit.json") is not None:
            return
        self.listen()
        self.attempts = Attempts(self.folder, self.plan)
        while True:
            ending = self.whole()
            if ending is None:
                return
            if not self.attempts.follows(ending, self.family.exit_status, self.read("ended.json") or {}):
                break
        self.record(ending)

    def whole(self) -> str | None:
        """An attempt of all workers; how it ended, or None if it is left to another supervisor."""
        status = self.read("status.json") or {}
        if self.meeting() and status.get("attempt") != self.number:  # who called it is gone
            self.attempts.moved("the machine that rank 0 ran on was lost")
        ending = self.attempt()
        if ending is None or ending in ("cancelled", "not_started"):
            return ending
        if ending == "shutdown":
            return self.leave()
        self.report("superseded" if ending == "together" else ending)
        return self.settle()

    def leave(self) -> str | None:
        """All go on without this container."""
        moved = self.attempts.moved("rank 0 was taken from the machine that it ran on")
        return None if moved else "shutdown"

    def settle(self) -> str | None:
        """How the attempt ended, for all: waits for the others, or has them end."""
        mine = workers.standing(self.job, 0)
        silence = Silence(self)
        while True:
            there = self.others()
            bad = failed({0: mine, **there})
            if os.path.exists(self.path("cancel")):
                return "cancelled"
            if self.shutdown:
                return self.leave()
            if bad:
                lean.write_json(self.path(MEETING), {"attempt": self.number, "over": True}, durable=True)
            pending = [rank for rank in range(1, self.size) if there.get(rank, {}).get("state") != "ended"]
            lost = silence.of(pending)
            if len(lost) == len(pending) and (bad or lost or not pending):
                break
            time.sleep(PERIOD)
        for rank in lost:
            bad[rank] = {"ending": "lost"}
        return self.decide(bad) if bad else "exited"

    def decide(self, bad: dict[int, dict[str, Any]]) -> str | None:
        """After all have ended: what that was, or another attempt."""
        taken = [rank for rank, one in sorted(bad.items()) if one["ending"] in TAKEN]
        if taken:
            what = "was lost" if bad[taken[0]]["ending"] == "lost" else "was taken from it"
            if self.attempts.moved(f"the machine that rank {taken[0]} ran on {what}"):
                return self.whole()
        rank = min(bad, key=lambda one: float(bad[one].get("finished_at") or 0))
        workers.blame(self.job, rank, self.size)
        self.family.exit_status = bad[rank].get("status")
        self.reason = bad[rank].get("reason")
        return str(bad[rank]["ending"])


def failed(said: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Those whose part of an attempt did not end well, through no doing of rank 0."""
    return {
        rank: one
        for rank, one in said.items()
        if one.get("state") == "ended" and not one["ok"] and one["ending"] not in UNTOLD
    }


class Silence:
    """Since when other workers gave no sign of life: as we saw it, so that no two clocks are compared."""

    def __init__(self, leader: Leader) -> None:
        self.leader = leader
        self.seen: dict[int, tuple[float, float]] = {}  # rank → its last beat, and when we saw that first
        self.beaten = 0.0

    def of(self, ranks: list[int]) -> list[int]:
        """Those of them that were silent too long."""
        now = time.monotonic()
        if now - self.beaten > HEARTBEAT:
            self.leader.beat()
            self.beaten = now
        for rank in ranks:
            stamp = 0.0
            with suppress(OSError):
                # Opened: of a file that is not, a network volume may tell what was true a minute ago.
                lock = os.open(os.path.join(workers.folder_of(self.leader.job, rank), "lock"), os.O_RDONLY)
                stamp = os.fstat(lock).st_mtime
                os.close(lock)
            if self.seen.get(rank, (None,))[0] != stamp:
                self.seen[rank] = (stamp, now)
        return [rank for rank in ranks if now - self.seen[rank][1] > SILENCE]


def main(job: str, rank: int) -> int:
    """Run a worker to the job's end, or until it is to go on elsewhere; returns the exit code."""
    try:
        supervisor: Worker = Follower(job, rank) if rank else Leader(job, rank)
    except OSError as error:
        print(f"The job's folder cannot be read in its container: {error}", file=sys.stderr)
        return NOT_STARTED
    return attend(supervisor)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(os.environ["JOB_COMPLETION_INDEX"])))
