"""What people call themselves, and the folders that the hub's own spawner gives their notebooks."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from jupyterhub.objects import Hub
from kubernetes_asyncio.config import kube_config
from kubespawner import KubeSpawner
from traitlets.config import Config

from jupyter_blueno.hub import cluster
from jupyter_blueno.jobs.backends.kubernetes import objects
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.model import Claim, Resources

NAMES = [
    "alice", "Alice", "ALICE",
    "аlice",  # with a Cyrillic a
    "ａｌｉｃｅ", "alice\u200b", "ali\u0441e",
    "é", "e\u0301",  # composed and not
    "..", ".", "../bob", "a/../bob", "/etc", "a/b", "a\\b", "-", "~", "$HOME", "`id`",
    "a;reboot", "a b", "a\nb",
    "bob", "con", "x" * 64, "x" * 65,
]  # fmt: skip
VALUES = {
    "release": "blueno",
    "namespace": "blueno",
    "users": "people",
    "image": "notebook",
    "claim": "volume",
}

NOWHERE = {  # a cluster that nobody asks anything
    "current-context": "a",
    "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
    "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "a", "user": {}}],
}


def taken(name: str) -> str:
    """The folder's name of somebody, made as the chart makes it."""
    return objects.value_of(name)


ALL = [*NAMES, *{taken(name) for name in NAMES}]  # and those who call themselves what another's name becomes


@pytest.fixture(scope="module")
def pods(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The pod that the hub would ask for, for each name: of the spawner itself, after its hook."""
    folder = tmp_path_factory.mktemp("hub")
    (folder / "values.json").write_text(json.dumps(VALUES))
    (folder / "kubeconfig").write_text(yaml.safe_dump(NOWHERE))
    c = Config()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUB_DATABASE_URL", "postgresql://somewhere")
        patch.setenv("BLUENO_SERVICE_TOKEN", "0" * 64)
        patch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(folder / "kubeconfig"))
        cluster.configure(c, folder / "values.json")

        async def asked(name: str) -> dict[str, Any]:
            user = SimpleNamespace(name=name, escaped_name="one", id=1, url="/user/one/", groups=[])
            spawner = KubeSpawner(config=c, _mock=True, user=user, hub=Hub())
            spawner.pre_spawn_hook(spawner)
            pod: dict[str, Any] = (await spawner.get_pod_manifest()).to_dict()
            return pod

        async def every() -> dict[str, dict[str, Any]]:
            return {name: await asked(name) for name in ALL}

        with ThreadPoolExecutor(1) as own:  # in this thread a browser of other tests may have its loop
            return own.submit(asyncio.run, every()).result()


def job_of(name: str) -> dict[str, Any]:
    claim = Claim(name, "job", "cell", Resources(), 0.0, "0" * 32, "radiology")
    template = objects.PodTemplate("image", claim="volume", volume="/blueno")
    folder = JobFolder(Path("/blueno/teams/radiology/jobs") / ("0" * 32))
    return objects.job("0" * 32, folder, claim, template, "here", "/blueno/teams/radiology")


def test_no_two_names_have_one_folder_nor_lead_out_of_it(pods: dict[str, dict[str, Any]]) -> None:
    folders = {}
    for name in ALL:
        (container,) = pods[name]["spec"]["containers"]
        mounts = [one for one in container["volume_mounts"] if one["name"] == "volume"]
        home, *others = (one["sub_path"] for one in mounts)
        assert others == ["shared/team", "teams/team", "datasets"], name
        assert [one["sub_path"] for one in mounts if one["read_only"]] == ["datasets"]
        kind, _, own = home.partition("/")
        assert (kind, own.strip(".")) == ("home", own.lstrip("."))
        assert set(own) <= set("abcdefghijklmnopqrstuvwxyz0123456789_.-"), own
        assert own not in ("", ".", "..")
        assert mounts[0]["mount_path"] == f"/blueno/{home}"
        folders[name] = own
    assert len({*folders.values()}) == len({*ALL})


def test_a_job_has_the_folder_of_its_person_s_notebook(pods: dict[str, dict[str, Any]]) -> None:
    for name in ALL:
        (container,) = pods[name]["spec"]["containers"]
        home = next(one["value"] for one in container["env"] if one["name"] == "HOME")
        try:
            made = job_of(name)["spec"]["template"]["spec"]["containers"][0]
        except objects.InvalidInput:
            assert name in (".", "..") or "/" in name
            continue
        assert {"name": "HOME", "value": home} in made["env"]
        assert home in [one["mountPath"] for one in made["volumeMounts"]]


def test_what_the_hook_has_a_shell_do_is_nothing_that_a_name_says(pods: dict[str, dict[str, Any]]) -> None:
    for name in ALL:
        (first,) = pods[name]["spec"]["init_containers"]
        script = first["command"][-1]
        assert script.endswith(f"mkdir -p -m 700 /blueno/home/{taken(name)}")
        assert not set(script) & set("$`\\\"'\n<>*~"), script
