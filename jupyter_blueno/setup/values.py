"""What the chart is told, out of what a person was asked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from msgspec import Struct

from jupyter_blueno.errors import InvalidInput, NotFound
from jupyter_blueno.setup import server
from jupyter_blueno.setup.cluster import Cluster, Object
from jupyter_blueno.setup.model import Storage

IMAGES = ("hub", "notebook", "service", "storage")


class Wishes(Struct, kw_only=True):
    """What was asked for; what is empty stays as it is, or as the chart has it.

    Parameters
    ----------
    images : str
        A registry's folder with ``hub``, ``notebook``, ``service`` and ``storage``, perhaps a tag behind it.
    url : str
        Where people find the hub, as links of invitations begin.
    public : bool
        A load balancer of the cloud instead of an address inside the cluster.
    """

    admins: tuple[str, ...] = ()
    images: str = ""
    url: str = ""
    public: bool = False
    storage: Storage = Storage()


def chart() -> Path:
    """The folder of the chart: of the clone, or of the package that was installed.

    Raises
    ------
    NotFound
        If this Blueno was installed without it.
    """
    package = Path(__file__).parents[1]
    for place in (package.parent / "charts" / "blueno", package / "chart"):
        if (place / "Chart.yaml").exists():
            return place
    raise NotFound("The chart is not in this installation of Blueno; name its folder by --chart.")


def merged(values: Object, others: Object) -> Object:
    """Values with others over them, as helm does it: mappings are merged, the rest is replaced."""
    both = dict(values)
    for name, other in others.items():
        one = both.get(name)
        both[name] = merged(one, other) if isinstance(one, dict) and isinstance(other, dict) else other
    return both


def read(path: Path) -> Object:
    """A file of values.

    Raises
    ------
    InvalidInput
        If it is not one.
    """
    import yaml

    try:
        found = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise InvalidInput(f"{path} is not YAML: {error}") from None
    if found is not None and not isinstance(found, dict):
        raise InvalidInput(f"{path} is not a file of values: it should have a mapping in it.")
    return found or {}


def wished(wishes: Wishes, cluster: Cluster) -> Object:
    """The values that wishes make."""
    made: dict[str, Any] = {}
    if wishes.storage.given():
        made["storage"] = _storage(wishes.storage, cluster)
    if wishes.admins:
        made["hub"] = {"authentication": {"admin_users": list(wishes.admins)}}
    if wishes.url:
        made["hub"] = merged(made.get("hub", {}), {"publicUrl": wishes.url})
    if wishes.public:
        made["proxy"] = {"service": {"type": "LoadBalancer"}}
    if wishes.images:
        folder, tag = _image(wishes.images)
        made["images"] = {name: f"{folder}/{name}{tag}" for name in IMAGES}
    return made


def _storage(storage: Storage, cluster: Cluster) -> Object:
    """One kind, and not what was there before."""
    if storage.server:
        none = {"nfs": {"server": "", "path": ""}, "hostPath": "", "existingClaim": ""}
        return {**none, **server.values(storage.server, cluster)}
    address, path = nfs(storage.nfs) if storage.nfs else ("", "")
    claim = "" if storage.nfs or storage.host_path else storage.claim or claim_name(cluster)
    made: Object = {
        "nfs": {"server": address, "path": path},
        "hostPath": storage.host_path,
        "existingClaim": claim,
    }
    if (cluster.values().get("storage") or {}).get("server"):  # charts of before do not know it
        made["server"] = {"enabled": False}
    return made


def claim_name(cluster: Cluster) -> str:
    return f"{cluster.release}-volume"


def nfs(text: str) -> tuple[str, str]:
    """Server and path of ``server:/path``.

    Raises
    ------
    InvalidInput
        If it is not written so.
    """
    address, colon, path = text.partition(":/")
    if not (address and colon):
        raise InvalidInput(f"'{text}' is not written as server:/path, like 10.0.0.2:/export/blueno.")
    return address, f"/{path}"


def _image(text: str) -> tuple[str, str]:
    """Folder and tag (with what stands before it) of ``registry:5000/team:1.2``."""
    found = re.fullmatch(r"(.*?)(:[A-Za-z0-9_][\w.-]*)?/?", text)
    assert found is not None
    return found[1], found[2] or ""


def has_storage(values: Object) -> bool:
    """Whether values say where files are."""
    return storage_of(values).given()


def storage_of(values: Object) -> Storage:
    """Where files are, as values say it."""
    found = values.get("storage") or {}
    address = (found.get("nfs") or {}).get("server")
    return Storage(
        nfs=f"{address}:{found['nfs'].get('path', '/')}" if address else "",
        host_path=found.get("hostPath") or "",
        claim=found.get("existingClaim") or "",
        server=server.of_values(found),
    )


def known_storage(values: Object, cluster: Cluster) -> Storage:
    """Where files are, as values say it; a claim that was made here is told by its class."""
    found = storage_of(values)
    if found.claim == claim_name(cluster):
        claim = cluster.get(f"persistentvolumeclaim/{found.claim}")
        labels = (claim or {}).get("metadata", {}).get("labels", {})
        if claim and labels.get("app.kubernetes.io/instance") == cluster.release:
            return Storage(storage_class=claim["spec"].get("storageClassName", ""))
    return found


def lacks_people(values: Object) -> bool:
    """Whether nobody could look after the hub: an identity provider, and no administrator named."""
    found = (values.get("hub") or {}).get("authentication") or {}
    provider = found.get("authenticator_class", "passwords") not in ("passwords", "dummy")
    return provider and not (found.get("admin_users") or found.get("admin_groups"))
