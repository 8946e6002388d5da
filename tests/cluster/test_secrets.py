"""A team's secrets as the cluster keeps them: the service sets them and cannot ask for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_blueno.config import Config
from jupyter_blueno.errors import Unavailable
from jupyter_blueno.hub.keeping import ClusterSecrets
from jupyter_blueno.jobs.backends.kubernetes.objects import secrets_of
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.testing import ALICE, command, log, start, wait
from jupyter_blueno.vault.vault import Vault
from tests.cluster.jobs import Space, account, another_manager, folder, settings, space

__all__ = ["account", "another_manager", "folder", "space"]

pytestmark = pytest.mark.slow

PLACE = "/run/secrets/blueno"
SAYS = f'echo "it has ${{#HF_TOKEN}}, and $(ls {PLACE})"'


def test_a_job_has_what_the_service_could_only_set(
    folder: Path,
    config: Config,
    space: Space,
    account: Path,
    another_manager: Callable[[], JobManager],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(account))
    config.secrets = PLACE
    settings(config, space, space.template(config.home_path, folder, secrets=PLACE))
    manager = another_manager()
    keeper = ClusterSecrets.of(config)
    assert keeper is not None
    vault = Vault(manager.database, keeper(ALICE.team))
    vault.put(ALICE.team, ALICE.name, "HF_TOKEN", "first")
    vault.put(ALICE.team, ALICE.name, "HF_TOKEN", "the-second")
    vault.put(ALICE.team, ALICE.name, "OTHER", "x")
    vault.delete(ALICE.team, "OTHER")
    job = wait(manager, start(manager, command("bash", "-c", SAYS, secrets=["HF_TOKEN"])), "SUCCEEDED")
    assert log(manager, job) == "it has 10, and HF_TOKEN\n"
    assert list(space.get(f"secret/{secrets_of(ALICE.team)}")["data"]) == ["HF_TOKEN"]
    assert "the-second" not in str(space.get("jobs"))


def test_what_the_cluster_does_not_take_is_said(config: Config, space: Space, folder: Path) -> None:
    config.secrets, config.jobs_namespace = PLACE, "nowhere"
    keeper = ClusterSecrets.of(config)
    assert keeper is not None
    with pytest.raises(Unavailable, match=r"The secret was not changed: .*not found"):
        keeper(ALICE.team).put("HF_TOKEN", "x")
