"""What a background job costs, against starting the same Python or command bare."""

from __future__ import annotations

import dataclasses
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.figures import Figure, percentile, spread
from jupyter_blueno.api import jobs as api
from jupyter_blueno.api.context import Context, Platform, User
from jupyter_blueno.config import Config
from jupyter_blueno.jobs.backends.local import SupervisorStatus
from jupyter_blueno.jobs.engine.entries import Entries
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import TERMINAL, Job, JobPage, JobSpec

ROUNDS = 15
MANY = 1000
AT_A_TIME = 4
QUEUED = 10_000
ROWS = """
INSERT INTO job (id, team, owner, name, kind, state, spec, backend, created_at, finished_at)
SELECT md5(n::text), 'local', 'bench', 'old-' || n, 'cell',
    (ARRAY['SUCCEEDED', 'SUCCEEDED', 'FAILED', 'CANCELLED'])[1 + mod(n, 4)],
    jsonb_build_object('origin', jsonb_build_object('notebook', 'nb' || mod(n, 500) || '.ipynb'))
        || '{"kind": "cell", "resources": {}, "parameters": {"lr": 0.1}}'
        || jsonb_build_object('folder', repeat('/folder', 40)),
    'local', now() - n * interval '1 minute', now() - n * interval '1 minute'
FROM generate_series(1, 100000) n
"""
MEMORY = Path("/dev/shm")
WATCHED = 20.0  # seconds of a supervisor's idle time


def measure() -> list[Figure]:
    with _platform() as context:
        figures = [*_first_line(context), *_supervisor(context), *_many(context)]
        figures += [*_long_list(context), *_long_queue(context)]
    if MEMORY.is_dir():
        with _platform(MEMORY) as context:
            one = _against_a_loop(context, "pass", MANY, waiting=True)
            figures.append(dataclasses.replace(one, name=f"{one.name}, without a disk's part"))
    return figures


@contextmanager
def _platform(within: Path | None = None) -> Iterator[Context]:
    """What is measured, with its data folder in the usual place for temporary ones or in another."""
    home = tempfile.mkdtemp(prefix="blueno-jobs-", dir=within)
    context = Context(Platform(Config(home=home, roots=[home], jobs_at_once=AT_A_TIME)), User("bench"))
    try:
        context.platform.jobs.start_monitor()
        _finish(context, _submit(context, JobSpec(kind="cell", source="1")))  # caches filled, as on any day
        yield context
    finally:
        context.platform.close()
        shutil.rmtree(home, ignore_errors=True)


def _submit(context: Context, spec: JobSpec) -> Job:
    return api.submit_job(context, api.SubmitJob(secrets.token_hex(16), "benchmark", spec))


def _finish(context: Context, job: Job) -> None:
    while api.get_job(context, api.JobRef(job.id)).state not in TERMINAL:
        time.sleep(0.01)


def _first_line(context: Context) -> list[Figure]:
    bare, lines, submits = [], [], []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        with subprocess.Popen([sys.executable, "-c", "print(1)"], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            bare.append(time.perf_counter() - start)
        start = time.perf_counter()
        job = _submit(context, JobSpec(kind="cell", source="print(1)"))
        submits.append(time.perf_counter() - start)
        log = Path(context.config.home_path, "jobs", job.id, "log")
        while not (log.exists() and log.stat().st_size):
            time.sleep(0.001)
        lines.append(time.perf_counter() - start)
        _finish(context, job)
    more = percentile(lines, 50) - percentile(bare, 50)
    late = percentile(submits, 95)
    return [
        Figure(
            "jobs: submit → first line of a cell",
            spread(lines),
            f"bare `python -c` {spread(bare)}: + {1000 * more:.0f} ms",
            "≤ + 300 ms",
            more <= 0.3,
        ),
        Figure("jobs: submit returns", spread(submits), "", "≤ 50 ms p95", late <= 0.05),
    ]


def _supervisor(context: Context) -> list[Figure]:
    job = _submit(context, JobSpec(kind="command", command=["sleep", "600"]))
    folder = JobFolder.of(context.config, job.id)
    while (status := folder.read("status.json", SupervisorStatus)) is None:
        time.sleep(0.01)
    supervisor = psutil.Process(status.supervisor)
    time.sleep(1)
    before = _ran(supervisor.pid)
    time.sleep(WATCHED)
    share = (_ran(supervisor.pid) - before) / WATCHED
    size = supervisor.memory_info().rss / 2**20
    api.cancel_job(context, api.JobRef(job.id))
    _finish(context, job)
    return [
        Figure("jobs: a supervisor's memory", f"{size:.1f} MiB", "", "≤ 25 MiB", size <= 25),
        Figure("jobs: a supervisor's CPU", f"{100 * share:.2f} %", "", "≤ 0.1 %", share <= 0.001),
    ]


def _ran(pid: int) -> float:
    """Seconds of CPU, by the scheduler's clock: the ticks of `stat` are as long as what is looked for."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((one / "schedstat").read_text().split()[0]) for one in threads) / 1e9


def _many(context: Context) -> list[Figure]:
    """The same commands, as many at a time, as jobs and from a loop."""
    return [
        _against_a_loop(context, "pass", MANY, waiting=False),
        _against_a_loop(context, "pass", MANY, waiting=True),
        _against_a_loop(context, "import numpy", MANY // 20, waiting=False),
    ]


def _against_a_loop(context: Context, words: str, count: int, waiting: bool) -> Figure:
    """From the first submit to the last end; or, if all are `waiting` first, from when they are let go."""
    command = [sys.executable, "-c", words]
    bare = _loop(command, count)
    gates = _hold_all_places(context) if waiting else []
    begun = time.perf_counter()
    jobs = [_submit(context, JobSpec(kind="command", command=command)) for _ in range(count)]
    submitted = time.perf_counter() - begun
    if waiting:
        begun = time.perf_counter()
        for gate in gates:
            gate.write_text("go\n")
    for job in jobs:
        record = Path(context.config.home_path, "jobs", job.id, "exit.json")
        while not record.exists():
            time.sleep(0.005)
    ours = time.perf_counter() - begun
    for job in jobs:
        _finish(context, job)
    assert all(api.get_job(context, api.JobRef(job.id)).state == "SUCCEEDED" for job in jobs)
    more = 1000 * (ours - bare) / count
    how = "all submitted before" if waiting else f"of which {submitted:.1f} s until all were submitted"
    return Figure(
        f"jobs: {count} of `python -c '{words}'`, {AT_A_TIME} at a time",
        f"{ours:.1f} s, {how}",
        f"bare loop, {AT_A_TIME} at a time, {bare:.1f} s: {ours / bare:.1f} ×, {more:+.0f} ms each",
        "≤ 1.5 ×",
        ours / bare <= 1.5,
    )


def _long_queue(context: Context) -> list[Figure]:
    """Submitting one more where ten thousand wait; they were sent together."""
    gates = _hold_all_places(context)
    spec = JobSpec(kind="command", command=["true"])
    begun = time.perf_counter()
    waiting = []
    for _ in range(QUEUED // 500):
        asked = [api.SubmitJob(secrets.token_hex(16), "waiting", spec) for _ in range(500)]
        waiting += api.submit_jobs(context, api.SubmitJobs(asked)).jobs
    together = (time.perf_counter() - begun) / QUEUED
    times = []
    for _ in range(200):
        start = time.perf_counter()
        waiting.append(_submit(context, JobSpec(kind="cell", source="print(1)")))
        times.append(time.perf_counter() - start)
    queue = Entries(str(context.config.home_path / "queue"))
    for job in waiting:  # nobody needs them to run, nor to be told of
        queue.withdraw(job.id)
    for gate in gates:
        gate.write_text("go\n")
    late = percentile(times, 95)
    return [
        Figure(f"jobs: submit with {QUEUED:,} waiting", spread(times), "", "≤ 50 ms p95", late <= 0.05),
        Figure(f"jobs: {QUEUED:,} submitted together", f"{1000 * together:.1f} ms each", "", "", None),
    ]


def _long_list(context: Context) -> list[Figure]:
    """A page of the list, filtered in the ways that the panel has, among a hundred thousand rows."""
    with context.database.begin() as connection:
        connection.exec_driver_sql(ROWS)
    with context.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE job")
    asks = {
        "opens": JobPage(),
        "a word that few names have": JobPage(search="old-99999"),
        "a word that none has": JobPage(search="nothing"),
        "failed": JobPage(state=["FAILED"]),
        "lost (there are none)": JobPage(state=["LOST"]),
        "of one notebook": JobPage(notebook="nb7.ipynb"),
    }
    times = {}
    for what, ask in asks.items():
        api.list_jobs(context, ask)
        taken = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            api.list_jobs(context, ask)
            taken.append(time.perf_counter() - start)
        times[what] = percentile(taken, 50)
    slowest = max(times, key=times.__getitem__)
    shown = ", ".join(f"{what} {1000 * took:.0f} ms" for what, took in times.items())
    reached = times[slowest] <= 0.2
    return [Figure("jobs: the list with 100,000 rows", shown, "", "≤ 200 ms", reached)]


def _hold_all_places(context: Context) -> list[Path]:
    """Jobs that run until somebody writes into their FIFOs, which are returned."""
    gates = [context.config.home_path / f"gate-{secrets.token_hex(4)}" for _ in range(AT_A_TIME)]
    for gate in gates:
        os.mkfifo(gate)
        job = _submit(context, JobSpec(kind="command", command=["sh", "-c", f"echo up; read line < {gate}"]))
        while not api.get_job(context, api.JobRef(job.id)).log_size:
            time.sleep(0.01)
    return gates


def _loop(command: list[str], count: int) -> float:
    """Seconds for `count` runs, each started as soon as fewer than `AT_A_TIME` are running."""
    begun = time.perf_counter()
    running: list[subprocess.Popen[bytes]] = []
    while count or running:
        if count and len(running) < AT_A_TIME:
            running.append(subprocess.Popen(command))
            count -= 1
            continue
        running = [one for one in running if one.poll() is None]
        time.sleep(0.001)
    return time.perf_counter() - begun
