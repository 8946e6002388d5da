"""The databases and passwords of an installation: kept, fetched, brought back, here or elsewhere.

What people's files are is copied with the volume, by whoever has it; a backup
is what cannot be copied so.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from jupyter_blueno.errors import Conflict, InvalidInput, NotFound, Unavailable
from jupyter_blueno.setup.cluster import Cluster, Object
from jupyter_blueno.setup.once import finished
from jupyter_blueno.setup.programs import Failed, shown, written

PATIENCE = 1800.0
PARTS = ("hub", "blueno")  # the databases
SECRETS, VALUES = "secrets.json", "values.yaml"


def make(cluster: Cluster) -> str:
    """Write both databases to the volume, as each night; the name of the folder in ``backups``."""
    said = _run(cluster, "backup", {})
    return said.partition("backups/")[2].split(" ")[0] if said else "NAME"


def restore(cluster: Cluster, name: str = "") -> None:
    """Have both databases as they were in a backup; default: the newest.

    Hub and service are away meanwhile; notebooks and jobs go on.
    """
    with _quiet(cluster):
        said = _run(cluster, "restore", {"BACKUP": name} if name else {})
    for line in said.splitlines():
        cluster.shell.say(f"    {line}")


def fetch(cluster: Cluster, name: str, target: Path) -> None:
    """Write a backup, the passwords and the values to a file here, which only its owner may read.

    It is there once it is whole; until then it has another name.
    """
    if cluster.shell.dry:
        cluster.shell.say(f"(writes backups/{name}, the passwords and the values to {target})")
        return
    secrets = json.dumps({"apiVersion": "v1", "kind": "List", "items": _secrets(cluster)})
    with (
        _whole(target) as descriptor,
        tarfile.open(fileobj=descriptor, mode="w") as archive,
        _at_volume(cluster) as pod,
    ):
        for part in PARTS:
            _pull(cluster, pod, f"/volume/backups/{name}/{part}", archive, f"databases/{name}/{part}")
        # They come last: without them it is no backup.
        for member, text in ((SECRETS, secrets), (VALUES, written(cluster.values()))):
            content = text.encode()
            archive.addfile(_entry(member, len(content)), io.BytesIO(content))


def told(path: Path) -> tuple[str, Object, list[Object]]:
    """What a fetched backup holds: its name, the values, the secrets.

    Raises
    ------
    InvalidInput
        If it is no such file.
    """
    import yaml

    try:
        with tarfile.open(path) as archive:
            (name,) = {one.split("/")[1] for one in archive.getnames() if one.startswith("databases/")}
            values = yaml.safe_load(_member(archive, VALUES).read())
            secrets: list[Object] = json.loads(_member(archive, SECRETS).read())["items"]
    except (tarfile.TarError, KeyError, ValueError) as error:
        raise InvalidInput(f"{path} is not a backup that 'blueno backup --to' wrote ({error}).") from None
    return name, values or {}, secrets


def bring_secrets(cluster: Cluster, secrets: list[Object], users: str) -> None:
    """Have the passwords that the databases were made with, as this release's; those that are there stay."""
    for one in secrets:
        theirs = one["metadata"]["namespace"] == "users"
        namespace = users if theirs else cluster.namespace
        if theirs and cluster.get(f"namespace/{users}") is None:
            continue  # the chart makes it; they are brought then
        meta = one["metadata"] if theirs else _adopted(cluster, one["metadata"])
        if cluster.get(f"secret/{meta['name']}", namespace=namespace) is not None:
            continue
        # Addresses are other ones here, and made anew.
        data = {key: value for key, value in one["data"].items() if theirs or not key.endswith("-url")}
        made = {**one, "data": data, "metadata": {**meta, "namespace": namespace}}
        command = (*cluster.address, f"--namespace={namespace}", "create", "--filename=-")
        if cluster.shell.dry:
            cluster.shell.say(f"$ {shown(command)}   # the secret {meta['name']}")
        else:
            cluster.shell.do(*command, given=json.dumps(made))


def _adopted(cluster: Cluster, meta: Object) -> Object:
    """Whose a secret is, so that helm takes it for this release's."""
    before = meta["labels"].get("app.kubernetes.io/instance", cluster.release)
    helm = {"meta.helm.sh/release-name": cluster.release, "meta.helm.sh/release-namespace": cluster.namespace}
    return {
        "name": cluster.release + meta["name"].removeprefix(before),
        "labels": {**meta["labels"], **cluster.labels},
        "annotations": {**meta["annotations"], **helm},
    }


def bring(cluster: Cluster, path: Path) -> str:
    """Put a fetched backup into ``backups`` of the volume, where it is seen once it is whole; its name."""
    name, _, _ = told(path)
    if cluster.shell.dry:
        cluster.shell.say(f"(copies {path} to backups/{name} of the volume)")
        return name
    with tarfile.open(path) as archive, _at_volume(cluster) as pod:
        new, there = f"/volume/backups/.new-{name}", f"/volume/backups/{name}"
        _ask(cluster, pod, "mkdir", "-p", new)
        for part in PARTS:
            _push(cluster, pod, archive, f"databases/{name}/{part}", f"{new}/{part}")
        _ask(cluster, pod, "sh", "-c", 'sync && rm -rf "$1" && mv "$0" "$1"', new, there)
    return name


def _run(cluster: Cluster, what: str, variables: dict[str, str]) -> str:
    """Run one of the chart's CronJobs now; what it wrote."""
    cron = cluster.get(f"cronjob/{cluster.release}-{what}")
    if cron is None:
        if cluster.shell.dry:
            cluster.shell.say(f"(runs the {what} of {cluster.release})")
            return ""
        raise NotFound(
            f"The release '{cluster.release}' in {cluster.namespace} has no {what}: is that its name, "
            "and is its chart not older than this Blueno?"
        )
    name = f"{cluster.release}-{what}-{time.strftime('%H%M%S')}"
    spec: Any = cron["spec"]["jobTemplate"]["spec"]
    container = spec["template"]["spec"]["containers"][0]
    container["env"] = [*container["env"], *({"name": one, "value": text} for one, text in variables.items())]
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}
    cluster.shell.do(*cluster.here, "create", "--filename=-", given=written(job))
    return finished(cluster, name, PATIENCE)


@contextmanager
def _quiet(cluster: Cluster) -> Iterator[None]:
    """Hub and service stopped, so that nobody writes; started again whatever happens."""
    before: dict[str, int] = {}
    for part in ("hub", "service"):
        found = cluster.get(f"deployment/{cluster.release}-{part}")
        if found is None:
            raise NotFound(f"There is no {part} of a release '{cluster.release}' in {cluster.namespace}.")
        before[part] = found["spec"]["replicas"] or 1  # 0: an earlier run was cut off here
    names = [f"deployment/{cluster.release}-{part}" for part in before]
    cluster.shell.do(*cluster.here, "scale", *names, "--replicas=0")
    for part in before:
        label = f"--selector=app.kubernetes.io/instance={cluster.release},app.kubernetes.io/component={part}"
        cluster.shell.do(*cluster.here, "wait", "pod", label, "--for=delete", "--timeout=120s")
    try:
        yield
    finally:
        for part, count in before.items():
            name = f"deployment/{cluster.release}-{part}"
            cluster.shell.do(*cluster.here, "scale", name, f"--replicas={count}")


def _secrets(cluster: Cluster) -> list[Object]:
    """The passwords of the release, and the secrets of its teams; where they are from is said by a word."""
    found = []
    for namespace, word in ((cluster.namespace, "release"), (cluster.users, "users")):
        for one in cluster.items("secrets", namespace=namespace):
            name = one["metadata"]["name"]
            ours = name in (f"{cluster.release}-database", f"{cluster.release}-hub")
            if ours or name.startswith("blueno-secrets-"):
                kept = {key: one["metadata"].get(key) or {} for key in ("labels", "annotations")}
                meta = {"name": name, "namespace": word, **kept}
                data = one.get("data", {})
                made = {"apiVersion": "v1", "kind": "Secret", "type": one["type"]}
                found.append({**made, "data": data, "metadata": meta})
    return found


@contextmanager
def _at_volume(cluster: Cluster) -> Iterator[str]:
    """A pod with the whole volume at ``/volume``, as long as it is needed."""
    name = f"{cluster.release}-at-volume"
    cluster.shell.do(*cluster.here, "delete", f"pod/{name}", "--ignore-not-found", "--grace-period=1")
    pod = {**at_volume(cluster, ["sleep", "3600"]), "activeDeadlineSeconds": 3600}
    made = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": pod}
    cluster.shell.do(*cluster.here, "create", "--filename=-", given=written(made))
    try:
        cluster.shell.do(*cluster.here, "wait", f"pod/{name}", "--for=condition=Ready", "--timeout=300s")
        yield name
    finally:
        cluster.shell.do(
            *cluster.here, "delete", f"pod/{name}", "--ignore-not-found", "--wait=false", "--grace-period=1"
        )


def at_volume(cluster: Cluster, command: list[str]) -> Object:
    """What a pod is that sees the whole volume and the databases, as the backup does."""
    cron = cluster.get(f"cronjob/{cluster.release}-backup")
    if cron is None:
        raise NotFound(f"There is no release '{cluster.release}' in {cluster.namespace}.")
    spec: Object = cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (folder,) = spec.pop("initContainers")
    container = spec["containers"][0]
    container |= {"name": "once", "command": command, "volumeMounts": folder["volumeMounts"]}
    return spec


def _ask(cluster: Cluster, pod: str, *command: str) -> str:
    """Run a command in a pod; what it wrote, which is short."""
    return cluster.shell.ask(*cluster.here, "exec", pod, "--", *command, patience=PATIENCE)


@contextmanager
def _running(
    cluster: Cluster, pod: str, *command: str, reads: bool = False
) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """A command that runs in a pod, as its input and its output, which may be larger than memory.

    Raises
    ------
    Failed
        If it says no, whatever came of it.
    """
    whole = (*cluster.here, "exec", *(("--stdin",) if reads else ()), pod, "--", *command)
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(whole, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdin, process.stdout
            process.stdout.close()  # what is not wanted is not waited for
            if process.wait():
                errors.seek(0)
                raise Failed(whole, errors.read().decode(errors="replace"))
        finally:
            process.kill()


def _pull(cluster: Cluster, pod: str, path: str, archive: tarfile.TarFile, name: str) -> None:
    """Copy a file of the volume into an archive."""
    size = int(_ask(cluster, pod, "stat", "-c", "%s", path))
    with _running(cluster, pod, "cat", path) as (_, content):
        try:
            archive.addfile(_entry(name, size), content)
            well = not content.read(1)
        except OSError as error:
            if error.errno is not None:  # of the file here
                raise
            well = False
    if not well:  # a connection that is cut may look like an end
        raise _cut(path, size)


def _push(cluster: Cluster, pod: str, archive: tarfile.TarFile, name: str, path: str) -> None:
    """Copy a file out of an archive to the volume."""
    member, size = _member(archive, name), archive.getmember(name).size
    with _running(cluster, pod, "sh", "-c", 'cat > "$0" && wc -c < "$0"', path, reads=True) as (given, said):
        with suppress(BrokenPipeError):  # why it ended is said after
            shutil.copyfileobj(member, given)
        with suppress(BrokenPipeError):
            given.close()
        there = said.read()
    if not there or int(there) != size:
        raise _cut(path, size)


def _cut(path: str, size: int) -> Unavailable:
    return Unavailable(f"Not all {size:,} bytes of {path} were copied; run it again.", code="cut_off")


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(time.time())
    return entry


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    member = archive.extractfile(name)
    if member is None:
        raise KeyError(name)
    return member


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A new file that only its owner may read, under its name when all of it was written."""
    try:
        descriptor, made = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        part = Path(made)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(descriptor)
            if path.exists():
                raise Conflict(f"{path} is there already; name another file.")
            part.rename(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written: {error.strerror or error}.", code="not_written"
        ) from None
