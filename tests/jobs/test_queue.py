"""The local queue: real jobs that wait, and what can happen to the dispatcher."""

from __future__ import annotations

import fcntl
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from jupyter_blueno.config import Config
from jupyter_blueno.errors import Conflict, InvalidInput, NotFound, Unavailable
from jupyter_blueno.jobs.backends.local import LocalBackend, SupervisorStatus
from jupyter_blueno.jobs.engine import memory
from jupyter_blueno.jobs.engine.dispatcher import DISPATCH
from jupyter_blueno.jobs.engine.entries import Entries
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import Job, Resources
from jupyter_blueno.jobs.testing import ALICE, Somebody, command, log, logged, start, until, wait

BOB = Somebody("bob")


@pytest.fixture(autouse=True)
def one_at_a_time(config: Config) -> None:
    config.jobs_at_once = 1


@pytest.fixture
def entries(config: Config) -> Entries:
    return Entries(str(config.home_path / "queue"))


class Gate:
    """A job that runs until it is let go."""

    def __init__(self, manager: JobManager, folder: Path, name: str = "holder", **resources: object) -> None:
        self.path = folder / name
        os.mkfifo(self.path)
        words = 'echo "up $CUDA_VISIBLE_DEVICES"; read line < ' + name
        asked = Resources(**resources)  # type: ignore[arg-type]
        self.job = start(manager, command("sh", "-c", words, resources=asked), name)
        logged(manager, self.job, "up")

    def open(self) -> None:
        self.path.write_text("go\n")


def submit(manager: JobManager, word: str, person: Somebody = ALICE, **resources: object) -> Job:
    """A job that adds a line to the file ``order``."""
    asked = Resources(**resources)  # type: ignore[arg-type]
    spec = command("sh", "-c", f"echo {word} >> order", resources=asked)
    return manager.submit(person, secrets.token_hex(16), word, spec)


def order_in(folder: Path) -> list[str]:
    return (folder / "order").read_text().split()


def place(manager: JobManager, job: Job) -> Path:
    return JobFolder.of(manager.config, job.id).path


def dispatcher_of(entries: Entries) -> psutil.Process:
    """The process that holds the lock."""

    def found() -> psutil.Process | None:
        with open(entries.path("lock")) as file:
            text = file.read()
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return psutil.Process(int(text)) if text else None
        return None

    process: psutil.Process = until(found, "the dispatcher")
    return process


def kill(process: psutil.Process) -> None:
    process.kill()
    until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, "its end")


def test_a_job_waits_and_says_why(manager: JobManager, folder: Path) -> None:
    holder = Gate(manager, folder)
    first, second = submit(manager, "first"), submit(manager, "second")
    assert (first.state, second.state) == ("QUEUED", "QUEUED")
    now = manager.get(ALICE, first.id)
    assert "The only place is taken. Held by 'holder' (alice, since " in (now.reason or "")
    assert (manager.get(ALICE, second.id).reason or "").endswith("1 job is before it.")
    holder.open()
    for job in (holder.job, first, second):
        assert wait(manager, job, "SUCCEEDED").reason is None
    assert order_in(folder) == ["first", "second"]


def test_the_monitor_keeps_the_reason_up_to_date(manager: JobManager, folder: Path) -> None:
    holder = Gate(manager, folder)
    manager.start_monitor()
    job = submit(manager, "waits")
    revision = job.revision

    def told() -> bool:
        return any(one.id == job.id and "Held by" in (one.reason or "") for one in changed())

    def changed() -> list[Job]:
        return manager.changed(ALICE, revision)[0]

    until(told, "the reason")
    holder.open()
    wait(manager, job, "SUCCEEDED")


def test_people_take_turns(manager: JobManager, folder: Path) -> None:
    holder = Gate(manager, folder)
    jobs = [submit(manager, f"alice{n}") for n in range(3)]
    jobs += [submit(manager, f"bob{n}", BOB) for n in range(2)]
    holder.open()
    for job in jobs:
        wait(manager, job, "SUCCEEDED")
    assert order_in(folder) == ["bob0", "alice0", "bob1", "alice1", "alice2"]


def test_the_higher_priority_first_also_when_it_changes(manager: JobManager, folder: Path) -> None:
    holder = Gate(manager, folder)
    jobs = [submit(manager, f"p{n}", priority=n) for n in (-1, 0, 5)]
    changed = manager.prioritise(ALICE, jobs[1].id, 10)
    assert (changed.resources.priority, changed.state) == (10, "QUEUED")
    assert "before it" not in (changed.reason or "")
    holder.open()
    for job in jobs:
        wait(manager, job, "SUCCEEDED")
    assert order_in(folder) == ["p0", "p5", "p-1"]
    with pytest.raises(Conflict, match="waits no longer"):
        manager.prioritise(ALICE, jobs[0].id, 1)


def test_cancelled_while_it_waits_it_never_runs(manager: JobManager, folder: Path, entries: Entries) -> None:
    holder = Gate(manager, folder)
    job, last = submit(manager, "never"), submit(manager, "last")
    assert manager.cancel(ALICE, job.id).state == "CANCELLED"
    assert set(entries.waiting()) == {last.id}
    holder.open()
    wait(manager, last, "SUCCEEDED")
    assert order_in(folder) == ["last"]
    assert not (place(manager, job) / "status.json").exists()
    assert not (place(manager, job) / "environ").exists()


def test_gpus_are_handed_out_one_job_each(manager: JobManager, folder: Path, config: Config) -> None:
    config.jobs_at_once, config.gpus = 8, "0,1"
    holders = [Gate(manager, folder, name, gpu=1) for name in ("one", "two")]
    shown = {log(manager, holder.job).split()[1] for holder in holders}
    assert shown == {"0", "1"}
    none = wait(manager, start(manager, command("sh", "-c", "echo [$CUDA_VISIBLE_DEVICES]")), "SUCCEEDED")
    assert log(manager, none) == "[]\n"
    both = start(manager, command("sh", "-c", "echo $CUDA_VISIBLE_DEVICES", resources=Resources(gpu=2)))
    reason = manager.get(ALICE, both.id).reason or ""
    assert "It asks for 2 GPUs; none of 2 is free. Held by 'one' (alice, since " in reason
    holders[0].open()
    until(lambda: "1 of 2 is free" in (manager.get(ALICE, both.id).reason or ""), "one GPU")
    holders[1].open()
    assert log(manager, wait(manager, both, "SUCCEEDED")) == "0,1\n"


@pytest.mark.parametrize(
    "resources",
    [Resources(gpu=3), Resources(memory=memory.of_machine() + 1), Resources(priority=11)],
    ids=["gpu", "memory", "priority"],
)
def test_what_the_machine_has_not_is_refused(
    manager: JobManager, config: Config, resources: Resources
) -> None:
    config.gpus = "0,1"
    with pytest.raises(InvalidInput):
        start(manager, command("true", resources=resources))
    assert not (config.home_path / "queue").exists()


def test_the_environment_is_private_and_gone_when_it_runs(manager: JobManager, folder: Path) -> None:
    holder = Gate(manager, folder)
    spec = command("sh", "-c", 'echo "$SECRET"', environment={"SECRET": "one\ntwo=ü"})
    job = start(manager, spec)
    file = place(manager, job) / "environ"
    assert file.stat().st_mode & 0o777 == 0o600
    holder.open()
    assert log(manager, wait(manager, job, "SUCCEEDED")) == "one\ntwo=ü\n"
    assert not file.exists()


def lay_out(config: Config, entries: Entries, words: str, count: int) -> list[Path]:
    """Jobs that wait, without a row each."""
    entries.make()
    folders = []
    for n in range(count):
        job_id = f"{n:032x}"
        folder = JobFolder(config.folder("jobs", job_id))
        plan = {"id": job_id, "argv": ["sh", "-c", words], "cwd": str(config.home_path), "timeout": None}
        plan |= {"memory": None, "cpu": None, "grace": 1.0, "log_limit": 1 << 20, "process_limit": 100}
        folder.write("run.json", plan)
        folder.write("environ", b"\0".join(f"{k}={v}".encode() for k, v in os.environ.items()))
        entries.put(job_id, 0, {"owner": "alice", "submitted": n})
        folders.append(folder.path)
    return folders


@pytest.fixture
def backend(config: Config) -> LocalBackend:
    return LocalBackend(config)


def ended(folders: list[Path]) -> bool:
    return all((one / "exit.json").exists() for one in folders)


@pytest.mark.parametrize("killed", [False, True], ids=["in peace", "under fire"])
def test_300_jobs_at_4_places_run_once_each(
    config: Config, entries: Entries, backend: LocalBackend, killed: bool
) -> None:
    config.jobs_at_once = 4
    words = "echo + >> trace; echo $$ > /dev/null; echo - >> trace"
    folders = lay_out(config, entries, words, 300)
    backend.tend()
    if killed:
        trace = config.home_path / "trace"
        for share in (1, 2, 3):
            reached = 100 * share
            until(lambda n=reached: trace.exists() and trace.stat().st_size >= n, "some of them")
            if not ended(folders):
                kill(dispatcher_of(entries))
                if share == 2:
                    backend.tend()  # else the next job's end has it start again
    until(lambda: ended(folders), "all of them")
    trace_lines = (config.home_path / "trace").read_text().split()
    assert trace_lines.count("+") == trace_lines.count("-") == 300
    running = most = 0
    for sign in trace_lines:
        running += 1 if sign == "+" else -1
        most = max(most, running)
    assert most <= 4
    until(lambda: entries.running() == [], "what they held to be free")


def test_the_queue_moves_on_though_its_dispatcher_was_killed(
    manager: JobManager, folder: Path, entries: Entries
) -> None:
    holder = Gate(manager, folder)
    jobs = [submit(manager, f"job{n}") for n in range(3)]
    kill(dispatcher_of(entries))
    holder.open()  # from here on nobody looks but the jobs' own processes
    until(lambda: ended([place(manager, job) for job in jobs]), "the jobs")
    for job in (holder.job, *jobs):
        assert manager.get(ALICE, job.id).state == "SUCCEEDED"
    assert order_in(folder) == ["job0", "job1", "job2"]


def test_after_a_reboot_what_ran_is_lost_and_what_waited_runs(
    manager: JobManager, another_manager: Callable[[], JobManager], folder: Path, entries: Entries
) -> None:
    holder = Gate(manager, folder)
    job = submit(manager, "waited")
    manager.close()
    status = JobFolder.of(manager.config, holder.job.id).read("status.json", SupervisorStatus)
    assert status is not None
    running = [psutil.Process(pid) for pid in (status.supervisor, status.child)]
    for process in (dispatcher_of(entries), *running):
        kill(process)
    other = another_manager()
    assert "run it again" in (wait(other, holder.job, "LOST").reason or "")
    wait(other, job, "SUCCEEDED")


def test_two_dispatchers_are_one(config: Config, entries: Entries, backend: LocalBackend) -> None:
    folders = lay_out(config, entries, "echo once >> order", 5)
    backend.begin()
    words = [sys.executable, "-I", "-S", DISPATCH, entries.folder]
    twins = [subprocess.Popen(words, start_new_session=True) for _ in range(3)]
    until(lambda: ended(folders), "the jobs")
    until(lambda: sum(twin.poll() is None for twin in twins) <= 1, "the others to leave")
    assert (config.home_path / "order").read_text().split() == ["once"] * 5
    for twin in twins:
        twin.kill()
        twin.wait()


def test_a_job_whose_supervisor_died_before_it_began_is_run(
    config: Config, entries: Entries, backend: LocalBackend
) -> None:
    (place,) = lay_out(config, entries, "echo once >> order", 1)
    text = (
        f"import os, sys; sys.path.append({str(Path(DISPATCH).parents[3])!r})\n"
        "from jupyter_blueno.jobs.engine import attempts, dispatcher\n"
        # Its process is on record then, and waits for a sign to run the work.
        "attempts.Attempts.begun = lambda self: os.kill(os.getpid(), 9)\n"
        f"dispatcher.Dispatcher({entries.folder!r}).run()"
    )
    dying = subprocess.Popen([sys.executable, "-I", "-S", "-c", text], start_new_session=True)
    until((place / "status.json").exists, "a process on record")
    dying.kill()
    dying.wait()
    backend.begin()
    until(lambda: ended([place]), "the job")
    assert (config.home_path / "order").read_text().split() == ["once"]


def test_it_runs_though_who_submitted_is_gone(config: Config, folder: Path) -> None:
    text = """
import sys
from jupyter_blueno.api.context import Context
from jupyter_blueno.api.jobs import SubmitJob, submit_job
from jupyter_blueno.jobs.testing import command
context = Context.local()
for n in range(3):
    spec = command("sh", "-c", f"echo {n} >> order", folder=sys.argv[1])
    submit_job(context, SubmitJob(f"{n:032x}", f"job {n}", spec))
context.platform.close()
"""
    environment = {**os.environ, **config.environment(), "BLUENO_JOBS_AT_ONCE": "1"}
    words = [sys.executable, "-c", text, str(folder)]
    submitters = [subprocess.Popen(words, env=environment) for _ in range(2)]  # the same jobs, at once
    assert [one.wait() for one in submitters] == [0, 0]
    until(lambda: (folder / "order").exists() and len(order_in(folder)) == 3, "the jobs")
    assert order_in(folder) == ["0", "1", "2"]


@pytest.mark.skipif(sys.platform != "linux", reason="what a process has open is in /proc")
def test_a_supervisor_holds_nothing_of_the_dispatcher(
    manager: JobManager, folder: Path, entries: Entries
) -> None:
    holder = Gate(manager, folder)
    status = JobFolder.of(manager.config, holder.job.id).read("status.json", SupervisorStatus)
    assert status is not None
    assert status.supervisor != dispatcher_of(entries).pid
    for pid in (status.supervisor, status.child):
        assert os.getsid(pid) == pid
        opened = [os.readlink(one) for one in Path(f"/proc/{pid}/fd").iterdir()]
        held = {path for path in opened if path.startswith(entries.folder)}
        assert held - {entries.path("log")} == set()  # where it would say what kills it
    assert psutil.Process(status.supervisor).memory_info().rss < 25 << 20
    holder.open()


def test_without_work_it_ends(entries: Entries, config: Config) -> None:
    entries.make()
    text = (
        f"import sys; sys.path.append({str(Path(DISPATCH).parents[3])!r})\n"
        "from jupyter_blueno.jobs.engine import dispatcher\n"
        f"dispatcher.LINGER = 0\ndispatcher.Dispatcher({entries.folder!r}).run()"
    )
    assert subprocess.run([sys.executable, "-I", "-S", "-c", text], check=False).returncode == 0
    assert not entries.ring()


@pytest.fixture
def small_queue(config: Config, entries: Entries) -> Iterator[Path]:
    """The queue on a full disk of its own; whoever removes the file it gives makes room."""
    entries.make()
    words = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", entries.folder]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by root only")
    filler = Path(entries.folder) / "filler"
    with suppress(OSError), open(filler, "wb", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass
    yield filler
    subprocess.run(["umount", "-l", entries.folder], check=True)


def test_a_full_disk_is_said_and_nothing_is_kept(
    manager: JobManager, folder: Path, entries: Entries, small_queue: Path
) -> None:
    job_id = secrets.token_hex(16)
    with pytest.raises(Unavailable, match="No space left"):
        manager.submit(ALICE, job_id, "full", command("echo", "late"))
    with pytest.raises(NotFound):
        manager.get(ALICE, job_id)
    assert os.listdir(entries.waiting_folder) == []
    assert not JobFolder.of(manager.config, job_id).path.exists()
    small_queue.unlink()
    job = wait(manager, manager.submit(ALICE, job_id, "full", command("echo", "late")), "SUCCEEDED")
    assert log(manager, job) == "late\n"
