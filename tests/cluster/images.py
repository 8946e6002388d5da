"""The project's images, built by buildah and named after what is in them.

Only the standard library: ``scripts/images`` runs it before anything is installed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.cluster.node.node import CHECKOUT, Node
from tests.cluster.node.programs import cache
from tests.cluster.node.system import CannotRun as CannotRun

TARGETS = ("notebook", "hub", "service")
FOLDER = CHECKOUT / "images"
POSTGRES = Path(__file__).with_name("postgres")
NFS = Path(__file__).with_name("nfs")
# What decides on the package, and what on the layers below it.
PACKAGE = (
    "jupyter_blueno",
    "examples",
    "jupyter-config",
    "labextension/src",
    "labextension/style",
    "README.md",
)
LAYERS = ("images/Dockerfile", "images/install", "images/trim")
OF_TARGET = {
    "notebook": (
        "images/requirements/common.txt",
        "images/requirements/notebook.txt",
        "images/overrides.json",
    ),
    "service": ("images/requirements/common.txt", "images/requirements/service.txt"),
    "hub": ("images/requirements/common.txt", "images/requirements/hub.txt", "hub-config/proxy"),
}
MADE = {"__pycache__", "labextension", "static"}  # made of what is looked at
# Where no registry can be reached, this stands in for the Dockerfile's base: the same Debian and Python.
STAND_IN = "localhost/blueno/base:bookworm"
STAND_IN_PACKAGES = "ca-certificates,python3,python3-venv"
STAND_IN_WITHOUT = ("doc", "info", "locale", "man")  # of /usr/share


class Images:
    """Builds images and loads them; `base` is another base than the Dockerfile's."""

    def __init__(self, base: str | None = None) -> None:
        self.base = base or os.environ.get("BLUENO_BASE_IMAGE")
        self._names: dict[str, str] = {}

    def name(self, target: str) -> str:
        """Return the image's name, whose tag is a digest of all that is in it."""
        return f"{self._series(target)}-{_digest(*PACKAGE)[:8]}"

    def found(self, target: str) -> str | None:
        """Return an image with this environment and any version of the package; None if there is none.

        For trying out changes: mount the checkout over the package, and
        nothing has to be built after a change of Python code.
        """
        said = _buildah("images", "--format", "{{.Name}}:{{.Tag}}").stdout.split()
        return next((name for name in said if name.startswith(f"{self._series(target)}-")), None)

    def _series(self, target: str) -> str:
        base = hashlib.sha256(f"{self.base}".encode()).hexdigest()
        return f"localhost/blueno/{target}:{_digest(*LAYERS, *OF_TARGET[target])[:6]}{base[:2]}"

    def build(self, target: str) -> str:
        """Build an image unless it is there; its name, which stays when files change meanwhile."""
        name = self._names.setdefault(target, self.name(target))
        if _buildah("images", "--quiet", name, check=False).stdout.strip():
            return name
        self._wheel()
        self._build(name, FOLDER / "Dockerfile", CHECKOUT, f"--target={target}")
        return name

    def postgres(self) -> str:
        """Build a PostgreSQL for clusters that reach no registry of images, unless it is there; its name."""
        return self._of_folder("test-postgres", POSTGRES)

    def storage(self) -> str:
        """Build the chart's NFS server, unless it is there; its name."""
        return self._of_folder("storage", FOLDER / "storage")

    def nfs_client(self) -> str:
        """Build what speaks NFS without the kernel, unless it is there; its name."""
        return self._of_folder("test-nfs", NFS)

    def _of_folder(self, what: str, folder: Path) -> str:
        base = hashlib.sha256(f"{self.base}".encode()).hexdigest()
        name = f"localhost/blueno/{what}:{_digest(str(folder.relative_to(CHECKOUT)))[:6]}{base[:2]}"
        if not _buildah("images", "--quiet", name, check=False).stdout.strip():
            self._build(name, folder / "Dockerfile", folder)
        return name

    def _build(self, name: str, file: Path, context: Path, *arguments: str) -> None:
        if self.base:
            arguments = (*arguments, "--build-arg", f"BASE_IMAGE={self.base}")
        # A certificate that the registries' proxy needs here; no layer keeps it.
        if (certificates := os.environ.get("SSL_CERT_FILE")) and Path(certificates).exists():
            arguments = (*arguments, "--secret", f"id=certificates,src={certificates}")
        _buildah(
            "build",
            "--layers",
            "--isolation=chroot",
            "--network=host",
            f"--tag={name}",
            f"--file={file}",
            *arguments,
            str(context),
        )

    def size(self, name: str) -> float:
        """Return an image's size, unpacked, in GB."""
        number, unit = _buildah("images", "--format", "{{.Size}}", name).stdout.split()[:2]
        return float(number) * {"KB": 1e-6, "MB": 1e-3, "GB": 1.0}[unit]

    def load(self, name: str, node: Node) -> str:
        """Give an image to the node unless it has it; its name."""
        if name in node.ctr("images", "list", "--quiet").split():
            return name
        with tempfile.TemporaryDirectory(prefix="blueno-image-") as made:
            archive = Path(made) / "image.tar"
            _buildah("push", name, f"docker-archive:{archive}:{name}")
            node.load(archive)
        return name

    def _wheel(self) -> None:
        """Build the wheel; the front end is built again only when its sources are newer."""
        folder = FOLDER / "wheel"
        shutil.rmtree(folder, ignore_errors=True)
        # An installation into a folder that is linked to this one leaves it here: it would be there twice.
        (CHECKOUT / "jupyter_blueno" / "labextension" / "install.json").unlink(missing_ok=True)
        uv = shutil.which("uv")
        command = (
            [uv, "build", "--wheel", "--quiet"] if uv else [sys.executable, "-m", "pip", "wheel", "--no-deps"]
        )
        done = subprocess.run(
            [*command, "--out-dir" if uv else "--wheel-dir", str(folder), str(CHECKOUT)],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise CannotRun(f"the package cannot be built: {done.stderr.strip()[-1000:]}")
        (folder / ".gitignore").unlink(missing_ok=True)


def base_of_tests() -> str:
    """Return what the tests build upon; the stand-in is made when it is not there."""
    return os.environ.get("BLUENO_BASE_IMAGE") or stand_in()


def stand_in() -> str:
    """Return a base made of Debian packages, for machines that reach no registry of images."""
    if _buildah("images", "--quiet", STAND_IN, check=False).stdout.strip():
        return STAND_IN
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache(), prefix=".base-") as made:
        root = Path(made) / "root.tar"
        without = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in STAND_IN_WITHOUT]
        packages = f"--include={STAND_IN_PACKAGES}"
        command = ["mmdebstrap", "--variant=minbase", packages, *without, "bookworm", str(root)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise CannotRun(f"no base image could be made of Debian packages: {done.stderr.strip()[-1000:]}")
        container = _buildah("from", "scratch").stdout.strip()
        try:
            _buildah("add", container, str(root), "/")
            _buildah("commit", container, STAND_IN)
        finally:
            _buildah("rm", container)
    return STAND_IN


def _digest(*names: str) -> str:
    """Return a digest of files, and of the files in folders."""
    digest = hashlib.sha256()
    for name in names:
        path = CHECKOUT / name
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file() and not MADE & set(file.relative_to(CHECKOUT).parts[1:]):
                digest.update(f"{file.relative_to(CHECKOUT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _buildah(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    try:
        done = subprocess.run(["buildah", *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        raise CannotRun("images are built by buildah: install it (Debian: apt-get install buildah)") from None
    if check and done.returncode:
        raise CannotRun(f"buildah {arguments[0]} failed: {(done.stdout + done.stderr).strip()[-2000:]}")
    return done
