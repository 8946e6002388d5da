"""A person's notebook server under a hub: the same verbs, served by the service and by itself."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from jupyter_blueno.api.catalog import ListDatasets, SamplesAt, get_samples, list_datasets
from jupyter_blueno.api.images import Thumbnails, get_thumbnails
from jupyter_blueno.api.operation import Nothing
from jupyter_blueno.api.status import ChangesSince, get_changes, get_status
from jupyter_blueno.client.transport import Http
from jupyter_blueno.errors import BluenoError, NotAllowed
from tests.hub.conftest import Hub


@pytest.fixture(scope="module")
def alice(hub: Hub) -> Http:
    """Alice's own server, asked with her token."""
    token = hub.sign_in("alice")
    hub.start_server("alice")
    return hub.server_of("alice", token)


def in_a_kernel(hub: Hub, at: Http, code: str) -> str:
    """What the code prints, with the environment that alice's kernels have."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BLUENO_")}
    told = {"JUPYTERHUB_SERVICE_URL": f"{at.url}/", "JUPYTERHUB_API_TOKEN": at.token or ""}
    home = hub.volume / "home" / "alice"
    done = subprocess.run(
        [sys.executable, "-c", "import jupyter_blueno as blueno\n" + textwrap.dedent(code)],
        cwd=home, env=kept | told | {"HOME": str(home)}, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + hub.log()
    return done.stdout


def test_it_speaks_for_its_person(alice: Http) -> None:
    status = alice.call(get_status, Nothing())
    assert (status.user, status.team, status.database) == ("alice", "radiology", "external")


def test_nobody_else_is_served_in_their_name(hub: Hub, alice: Http) -> None:
    hub.sign_in("admin")
    token = hub.api("POST", "/users/admin/tokens", {"note": "test"})["token"]
    with pytest.raises((NotAllowed, BluenoError)):
        Http(alice.url, token).call(get_status, Nothing())


def test_arrays_become_a_dataset_that_the_team_sees(hub: Hub, alice: Http) -> None:
    code = """
        import numpy as np
        rng = np.random.default_rng(0)
        dataset = blueno.ingest(rng.integers(0, 255, (20, 16, 16), np.uint8), name="noise")
        print(len(dataset), dataset[3].numpy().shape)
    """
    assert in_a_kernel(hub, alice, code).splitlines()[-1] == "20 (16, 16)"
    bob = hub.asks(hub.sign_in("bob"))
    (found,) = bob.call(list_datasets, ListDatasets(name="noise")).datasets
    assert found.version.sample_count == 20
    # Pixels come from alice's own server, off the shared volume.
    body = alice.call(get_thumbnails, Thumbnails(found.id, "0-19")).body
    assert int.from_bytes(body[4:8], "little") == 20
    (first,) = bob.call(get_samples, SamplesAt(found.id, "0")).samples
    assert first.data_url.startswith((hub.volume / "teams" / "radiology" / "data").as_uri())


def test_a_function_runs_as_a_job_of_the_service(hub: Hub, alice: Http) -> None:
    code = """
        def double(x):
            print("doubling")
            return 2 * x
        job = blueno.submit(double, 21)
        print(job.result(), *job.logs())
    """
    assert in_a_kernel(hub, alice, code).split() == ["42", "doubling"]


def test_changes_are_told_through_the_service(hub: Hub, alice: Http) -> None:
    revision = alice.call(get_changes, ChangesSince()).revision
    code = "job = blueno.submit(print, 1); job.wait(); print(job.id)"
    job_id = in_a_kernel(hub, alice, code).split()[-1]
    told = alice.call(get_changes, ChangesSince(revision, 10))
    assert told.revision > revision
    assert job_id in [job.id for job in told.jobs]


def test_what_the_service_refuses_comes_as_it_was_said(hub: Hub, alice: Http) -> None:
    code = """
        try:
            blueno.dataset("no such thing")
        except blueno.BluenoError as error:
            print(type(error).__name__, error)
    """
    assert "no such thing" in in_a_kernel(hub, alice, code)


def test_the_server_holds_no_database(alice: Http) -> None:
    """Nothing that its user could read has a password of it."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"jupyterhub-singleuser" in (process / "cmdline").read_bytes():
                assert b"DATABASE_URL" not in (process / "environ").read_bytes()
        except OSError:
            continue


def test_a_job_reads_data_and_writes_columns_with_a_token_of_its_own(hub: Hub, alice: Http) -> None:
    code = """
        import numpy as np
        blueno.ingest(np.zeros((5, 8, 8), np.uint8), name="zeros")
        def look():
            import os
            import jupyter_blueno as blueno
            dataset = blueno.dataset("zeros")
            for sample in dataset:
                sample.record(mean=float(sample.numpy().mean()))
            assert not [name for name in os.environ if name.startswith("JUPYTERHUB")]
            return len(dataset)
        job = blueno.submit(look)
        print(job.result(), blueno.dataset("zeros")[2].results)
    """
    assert in_a_kernel(hub, alice, code).splitlines()[-1] == "5 {'mean': 0.0}"


def test_a_folder_is_taken_in_by_a_job(hub: Hub, alice: Http) -> None:
    code = """
        import pathlib
        import numpy as np
        from PIL import Image
        for label in "ab":
            pathlib.Path("photos", label).mkdir(parents=True)
            Image.fromarray(np.full((9, 9), ord(label), np.uint8)).save(f"photos/{label}/1.png")
        dataset = blueno.ingest("photos", name="photos")
        print(len(dataset), sorted(sample.label for sample in dataset))
    """
    assert in_a_kernel(hub, alice, code).splitlines()[-1] == "2 ['a', 'b']"


def test_a_sweep_conducts_its_trials_through_the_service(hub: Hub, alice: Http) -> None:
    code = """
        def train(rate):
            import jupyter_blueno as blueno
            blueno.log_metric("loss", (rate - 2) ** 2)
        sweep = blueno.sweep(train, objective="loss", sampler="grid", rate=[1, 2, 3])
        sweep.wait()
        print(sweep.best.parameters)
    """
    assert in_a_kernel(hub, alice, code).splitlines()[-1] == "{'rate': 2}"


def test_its_person_begins_with_a_notebook(hub: Hub, alice: Http) -> None:
    starters = hub.volume / "shared" / "radiology" / "starters"
    starters.mkdir(parents=True, exist_ok=True)
    (starters / "00-read-me.ipynb").write_text("{}")
    pages, token = [], {"Authorization": f"token {alice.token}"}
    for _ in range(2):
        connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=60)
        connection.request("GET", "/user/alice/blueno/open", headers=token)
        pages.append(connection.getresponse().headers["Location"])
    assert pages == [
        "/user/alice/lab/tree/welcome/00-read-me.ipynb?blueno-panel",
        "/user/alice/lab?blueno-panel",
    ]
    assert (hub.volume / "home" / "alice" / "welcome" / "01-browse.ipynb").exists()
