"""TensorBoard on jobs, behind Jupyter's own port."""

from __future__ import annotations

import json
import struct
import sys
import types
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import pytest

from jupyter_blueno.api.jobs import JobRef, SubmitJob, get_job, submit_job
from jupyter_blueno.api.tracking import OpenBoard, open_tensorboard
from jupyter_blueno.errors import InvalidInput, NotFound
from jupyter_blueno.jobs.model import TERMINAL, JobSpec
from jupyter_blueno.jobs.readings import Curve, Curves
from jupyter_blueno.jobs.testing import until
from jupyter_blueno.tracking.events import EventFile
from tests.servers import TOKEN, Lab

LOGS = """
import jupyter_blueno as blueno
for step in range(3):
    blueno.log_metric("loss", 1 / (step + 1), step=step)
"""

WRITES = """
from tensorboardX import SummaryWriter
with SummaryWriter("runs/first/train") as writer:
    for step, accuracy in ((1, 0.5), (2, 0.75)):
        writer.add_scalar("accuracy", accuracy, step)
"""

# A command, with TensorBoard's own writer: the one that PyTorch's SummaryWriter writes with.
COMMAND = """
import sys, types
sys.modules["tensorboard.compat.notf"] = types.ModuleType("notf")  # TensorFlow would be imported for it
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter
writer = EventFileWriter("runs/second")
writer.add_event(Event(step=1, summary=Summary(value=[Summary.Value(tag="loss", simple_value=0.25)])))
writer.close()
"""


def run(lab: Lab, name: str, source: str, command: bool = False) -> str:
    job_id = uuid.uuid4().hex
    spec = JobSpec("cell", source=source, folder=str(lab.root))
    if command:
        spec = JobSpec("command", command=[sys.executable, "-c", source], folder=str(lab.root))
    lab.transport.call(submit_job, SubmitJob(job_id, name, spec))
    until(lambda: lab.transport.call(get_job, JobRef(job_id)).state in TERMINAL, "the job to end")
    assert lab.transport.call(get_job, JobRef(job_id)).state == "SUCCEEDED"
    return job_id


def get(lab: Lab, path: str, signed_in: bool = True) -> bytes:
    sign = {"Authorization": f"token {TOKEN}"} if signed_in else {}
    request = urllib.request.Request(f"{lab.url}/{path}", headers=sign)
    with urllib.request.urlopen(request, timeout=100) as answer:
        body: bytes = answer.read()
        return body


@pytest.mark.slow
def test_what_jobs_logged_and_wrote_is_shown(lab: Lab) -> None:
    pytest.importorskip("tensorboardX")
    jobs = [
        run(lab, "logs metrics", LOGS),
        run(lab, "writes files", WRITES),
        run(lab, "a command", COMMAND, command=True),
    ]
    board = lab.transport.call(open_tensorboard, OpenBoard(jobs)).path.lstrip("/")
    assert lab.transport.call(open_tensorboard, OpenBoard(jobs[::-1])).path == f"/{board}"  # the same process
    until(lambda: b"TensorBoard is starting" not in get(lab, board), "the start")
    assert b"<title>TensorBoard</title>" in get(lab, board)
    logs, files = f"logs-metrics-{jobs[0][:8]}", f"writes-files-{jobs[1][:8]}/files"
    other = f"a-command-{jobs[2][:8]}/files"
    runs = until(lambda: len(found := json.loads(get(lab, f"{board}data/runs"))) == 3 and found, "the runs")
    assert set(runs) == {logs, files, other}
    points = json.loads(get(lab, f"{board}data/plugin/scalars/scalars?run={files}&tag=accuracy"))
    assert [point[1:] for point in points] == [[1, 0.5], [2, 0.75]]
    points = json.loads(get(lab, f"{board}data/plugin/scalars/scalars?run={logs}&tag=loss"))
    assert [point[1:] for point in points] == [[0, 1.0], [1, 0.5], [2, pytest.approx(1 / 3)]]
    page = get(lab, f"{board}data/runs", signed_in=False)  # that of the sign-in
    assert b"Password or token" in page
    assert b"logs-metrics" not in page


def test_what_cannot_be_shown_is_said(lab: Lab) -> None:
    with pytest.raises(NotFound):
        lab.transport.call(open_tensorboard, OpenBoard(["0" * 32]))
    with pytest.raises(InvalidInput, match="1 to 200 jobs"):
        lab.transport.call(open_tensorboard, OpenBoard([]))
    with pytest.raises(urllib.error.HTTPError) as gone:
        get(lab, "blueno/tensorboard/0123456789abcdef/")
    assert gone.value.code == 404
    assert b"Open it again from the job" in gone.value.read()


def test_event_files_are_read_by_tensorboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.compat.notf", types.ModuleType("notf"))  # no TensorFlow
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    file = EventFile(tmp_path)
    file.add(Curves([], ""))
    assert list(tmp_path.iterdir()) == []
    file.add(Curves([Curve("a/b", [0, 1e12], [5.0, 6.0], [1.5, "NaN"], 2)], ""))
    file.add(Curves([Curve("c", [-1], [7.0], [1e300], 1)], ""))
    (path,) = tmp_path.iterdir()
    events = list(loader.LegacyEventFileLoader(str(path)).Load())
    assert events[0].file_version == "brain.Event:2"
    values = [(one.summary.value[0].tag, one.step, one.summary.value[0].simple_value) for one in events[1:]]
    assert values[0] == ("a/b", 0, 1.5)
    assert values[1][:2] == ("a/b", 10**12)
    assert values[1][2] != values[1][2]
    assert values[2] == ("c", 0, struct.unpack("<f", struct.pack("<f", float("inf")))[0])
    assert [one.wall_time for one in events[1:]] == [5.0, 6.0, 7.0]
