"""MLflow's server of a team as a Job: what it may see, and that what describes it opens nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from jupyter_blueno.config import Config
from jupyter_blueno.errors import OutsideRoots, Unavailable
from jupyter_blueno.hub.mlflow_pods import TeamServer
from jupyter_blueno.jobs.backends.kubernetes.access import Access
from jupyter_blueno.jobs.backends.kubernetes.objects import PodTemplate
from jupyter_blueno.tracking.moving import move_below
from jupyter_blueno.tracking.serve_team import KEY_DIGEST


def job_of(volume: Path, team: str, secret: str = "s") -> dict[str, Any]:
    config = Config(home=str(volume / "teams" / team), team=team, jobs_namespace="people")
    template = PodTemplate("notebook:1", claim="blueno-volume", pull_secrets=["registry"], volume=str(volume))
    return TeamServer(config, Access(), template, secret).job()


def container(job: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = job["spec"]["template"]["spec"]["containers"][0]
    return found


def test_it_is_what_kubernetes_takes_and_has_no_rights(tmp_path: Path) -> None:
    job = job_of(tmp_path, "Radiology_1")
    for version in ("1.28", "1.35"):
        kubernetes_validate.validate(job, version, strict=True)
    pod = job["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container(job)["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_it_sees_its_teams_folder_of_mlflow_alone(tmp_path: Path) -> None:
    (mount,) = container(job_of(tmp_path, "radiology"))["volumeMounts"]
    assert mount["subPath"] == "teams/radiology/mlflow"
    assert mount["mountPath"] == str(tmp_path / "teams" / "radiology" / "mlflow")


def test_teams_have_servers_and_keys_of_their_own(tmp_path: Path) -> None:
    def digest(*of: str) -> str:
        told = {one["name"]: one["value"] for one in container(job_of(tmp_path, *of))["env"]}
        return str(told[KEY_DIGEST])

    names = {job_of(tmp_path, team)["metadata"]["name"] for team in ("a_b", "a-b", "a.b")}
    assert len(names) == 3
    assert len({digest("a"), digest("b"), digest("a", "another secret")}) == 3
    assert digest("a") == digest("a"), "each replica has the same key"


def test_a_folder_elsewhere_is_not_mounted(tmp_path: Path) -> None:
    config = Config(home=str(tmp_path / "home"), team="a")
    with pytest.raises(Unavailable, match="not on the volume"):
        TeamServer(config, Access(), PodTemplate("x", volume="/other"), "s").job()


def test_files_of_a_model_leave_the_teams_folder_by_no_link(tmp_path: Path) -> None:
    home, other = tmp_path / "radiology", tmp_path / "pathology"
    for one in (home / "incoming" / "model", home / "runs", other):
        one.mkdir(parents=True)
    move_below(home, home / "incoming" / "model", home / "runs" / "1" / "models" / "model")
    assert (home / "runs" / "1" / "models" / "model").is_dir()
    (home / "incoming" / "model").mkdir()
    (home / "out").symlink_to(other)
    around = home / "runs" / ".." / ".." / "pathology" / "model"
    for place in (other / "model", home / "out" / "model", around):
        with pytest.raises((OutsideRoots, OSError)):
            move_below(home, home / "incoming" / "model", place)
    assert list(other.iterdir()) == []
