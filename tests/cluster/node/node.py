"""Start, find and stop the node of this checkout."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import sha256
from pathlib import Path

from tests.cluster.node import addresses, certificates, images, programs, settings, system
from tests.cluster.node.system import CannotRun as CannotRun

CHECKOUT = Path(__file__).resolve().parents[3]
INSIDE = Path(__file__).with_name("inside.py")
CGROUPS = Path("/sys/fs/cgroup")
BUSYBOX = "localhost/blueno-test/busybox:1"
PATIENCE = 90.0


class Node:
    """The one node that a checkout may have; everything of it is below `state`."""

    def __init__(self, checkout: Path = CHECKOUT) -> None:
        name = f"blueno-cluster-{sha256(str(checkout).encode()).hexdigest()[:8]}"
        self.state = Path(tempfile.gettempdir()) / name
        self.lock = Path("/run/lock") / name
        self.cgroup = f"/{name}"

    @property
    def kubeconfig(self) -> Path:
        """The settings of a client that may do everything; it exists once the cluster can be used."""
        return self.state / "kubeconfig"

    @property
    def bin(self) -> Path:
        """A folder with kubectl, helm and the other programs."""
        return self.state / "bin"

    def running(self) -> bool:
        """Say whether the cluster is up, or about to be."""
        return bool(self._processes())

    def up(self) -> None:
        """Start the node unless it runs, and wait until it takes pods.

        Raises
        ------
        CannotRun
            Something is missing here, or it did not come up; with what the programs said last.
        """
        check()
        if (held := addresses.lock_of(self.lock)) is not None:
            try:
                self._sweep()
                self._start(held)
            except BaseException:
                self.down()
                raise
            finally:
                os.close(held)
        _until(self.kubeconfig.exists, self._complaint)

    @contextmanager
    def used(self) -> Iterator[Node]:
        """Have the node up meanwhile; the last user stops it, unless it was up before the first."""
        users = os.open(f"{self.lock}.users", os.O_RDWR | os.O_CREAT, 0o600)
        passing = self.state / "passing"
        try:
            fcntl.flock(users, fcntl.LOCK_SH)
            found = self.running()
            self.up()
            if not found:
                passing.touch()
            yield self
            with suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if passing.exists():
                    self.down()
        finally:
            os.close(users)

    def down(self) -> None:
        """Stop the node, if it runs, and remove all that it left; also after a crash."""
        deadline = time.monotonic() + PATIENCE
        while found := self._processes():
            for pid in found:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise CannotRun(f"The processes {found} of the cluster do not end.")
            time.sleep(0.05)
        self._sweep()

    def pid(self, name: str) -> int:
        """Return a program's process id, as this machine counts: for tests that kill it."""
        inner = (self.state / "logs" / f"{name}.pid").read_text()
        (first,) = self.first()
        space = os.readlink(f"/proc/{first}/ns/pid")
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                lines = (folder / "status").read_text().splitlines()
                numbers = next(line for line in lines if line.startswith("NSpid:")).split()
                if numbers[-1] == inner and os.readlink(folder / "ns" / "pid") == space:
                    return int(folder.name)
        raise ProcessLookupError(f"{name} is not running")

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl; what it wrote."""
        return self._kubectl(self.kubeconfig, *arguments).stdout

    def load(self, archive: Path) -> None:
        """Give the node the images of an archive (docker's or OCI's kind)."""
        self.ctr("images", "import", str(archive))

    def ctr(self, *arguments: str) -> str:
        """Ask the node's containerd."""
        socket_ = ("--address", str(self.state / "containerd.sock"), "--namespace", "k8s.io")
        done = subprocess.run(["ctr", *socket_, *arguments], capture_output=True, text=True)
        if done.returncode:
            raise CannotRun(f"containerd refuses: {done.stderr.strip()[-500:]}")
        return done.stdout

    @contextmanager
    def disk(self, file: Path, place: Path, size: str) -> Iterator[None]:
        """Have a small disk at a place, the same one here and in the node; what is on it is in `file`."""

        def run(*command: str) -> str:
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

        run("truncate", f"--size={size}", str(file))
        run("mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", str(file))
        device = run("losetup", "--find", "--show", str(file))
        inside = ["nsenter", f"--target={max(self._processes())}", "--mount", "--pid"]
        there: list[list[str]] = []
        try:
            for prefix in ([], inside):
                run(*prefix, "mount", "-t", "ext4", device, str(place))
                there.append(prefix)
            yield
        finally:
            for prefix in there:
                run(*prefix, "umount", "--lazy", str(place))
            run("losetup", "--detach", device)  # once no pod holds it

    # -- starting ---------------------------------------------------------------------------------

    def _start(self, held: int) -> None:
        place, taken = addresses.take()
        try:
            self.state.mkdir(mode=0o711)
            certificates.make(self.state / "pki", place, settings.NODE)
            for part in _controllers():
                (part / self.cgroup.lstrip("/")).mkdir(exist_ok=True)
            settings.write(self.state, place, self.cgroup)
            (self.state / "network.json").write_text(
                json.dumps({"host": place.host, "node": place.node, "link": place.link})
            )
            self._archives()
            self._enter(held, taken)
        finally:
            os.close(taken)
        _until(lambda: bool(self.first()), self._complaint)
        _lay_cable(place, self.first()[0])
        _until((self.state / "containerd.sock").exists, self._complaint)
        for archive in sorted((self.state / "images").iterdir()):
            _until(partial(self._loads, archive), self._complaint)
        admin = self.state / "pki" / "admin.kubeconfig"
        ready = ("wait", "--for=condition=Ready", f"node/{settings.NODE}", "--timeout=5s")
        for question in (ready, ("get", "serviceaccount", "default")):
            _until(partial(self._answers, admin, *question), self._complaint)
        _until(lambda: _resolves(place), self._complaint)
        self._link_programs()
        # It appears whole: who waits for it finds a cluster that works.
        admin.rename(self.kubeconfig)

    def _enter(self, held: int, taken: int) -> None:
        """Start the first process in namespaces of its own; it holds the locks for as long as it lives."""
        for name in ("/var/lib/kubelet", "/var/lib/cni"):
            Path(name).mkdir(parents=True, exist_ok=True)
        spaces = (
            "--mount",
            "--propagation=private",
            "--net",
            "--pid",
            "--fork",
            "--mount-proc",
            "--kill-child",
        )
        with open(self.state / "logs" / "inside.log", "ab") as log:
            subprocess.Popen(
                ["unshare", *spaces, *self._command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_environment(),
                pass_fds=(held, taken),
                start_new_session=True,
            )

    def _command(self) -> list[str]:
        return [sys.executable, "-I", str(INSIDE), str(self.state)]

    def _archives(self) -> None:
        folder = self.state / "images"
        folder.mkdir()
        images.busybox(folder / "pause.tar", settings.PAUSE, ["sleep", "infinity"])
        images.busybox(folder / "busybox.tar", BUSYBOX, ["sh"])

    def _loads(self, archive: Path) -> bool:
        try:
            self.load(archive)
        except CannotRun:
            return False
        return True

    def _link_programs(self) -> None:
        self.bin.mkdir()
        for names in programs.MODULES.values():
            for name in names:
                (self.bin / name).symlink_to(programs.program(name))

    def _kubectl(
        self, kubeconfig: Path, *arguments: str, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        command = [str(programs.program("kubectl")), f"--kubeconfig={kubeconfig}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        if check and done.returncode:
            raise CannotRun(done.stderr.strip())
        return done

    def _answers(self, kubeconfig: Path, *arguments: str) -> bool:
        return self._kubectl(kubeconfig, *arguments, check=False).returncode == 0

    def _complaint(self) -> str:
        """Return the last lines of each program."""
        logs = sorted((self.state / "logs").glob("*.log"))
        ends = (f"— {log.stem}:\n{log.read_text(errors='replace')[-600:]}" for log in logs)
        return "The cluster did not come up in time. Its programs said last:\n" + "\n".join(ends)

    # -- stopping ---------------------------------------------------------------------------------

    def _processes(self) -> list[int]:
        """Return the processes that hold the node: unshare, and the first one inside."""
        ours, found = [str(INSIDE), str(self.state)], []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if (folder / "cmdline").read_text().split("\0")[-3:-1] == ours:
                    found.append(int(folder.name))
        return found

    def first(self) -> list[int]:
        """Return the first process inside, once there is one."""
        command = self._command()
        found = []
        for pid in self._processes():
            with suppress(OSError):
                if Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1] == command:
                    found.append(pid)
        return found

    def _sweep(self) -> None:
        """Remove files, cgroups and the cable of a node whose processes are gone."""
        with suppress(OSError, ValueError, KeyError):  # it may have died while it wrote that
            link = json.loads((self.state / "network.json").read_text())["link"]
            # It goes with the namespace, but the kernel takes its time.
            subprocess.run(["ip", "link", "delete", link], capture_output=True)

        if self.state.exists():
            self.state.rename(f"{self.state}.{time.time_ns()}")
        # Unpacked images are a hundred thousand files: nobody waits for their end.
        if gone := list(self.state.parent.glob(f"{self.state.name}.*")):
            subprocess.Popen(
                ["rm", "-rf", *map(str, gone)], start_new_session=True, stderr=subprocess.DEVNULL
            )

        def swept() -> bool:
            for part in _controllers():
                for folder, _, _ in os.walk(part / self.cgroup.lstrip("/"), topdown=False):
                    with suppress(OSError):
                        os.rmdir(folder)
            left = [part / self.cgroup.lstrip("/") for part in _controllers()]
            return not any(path.exists() for path in left)

        _until(swept, lambda: f"The control groups {self.cgroup} cannot be removed.")


def check() -> None:
    """Raise CannotRun, with a sentence, where no node can run."""
    if reason := system.obstacle():
        raise CannotRun(f"{reason}: point KUBECONFIG to a cluster (kind, k3s, minikube)")
    if lacking := system.lacking():
        raise CannotRun(f"install them: apt-get install {' '.join(lacking)}")
    if unbuilt := programs.missing(programs.NODE):
        raise CannotRun(f"{', '.join(unbuilt)} must be built once: scripts/cluster build")


def _environment() -> dict[str, str]:
    """Return the programs' environment: a proxy of the caller's would be asked for its addresses."""
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}


def _controllers() -> list[Path]:
    """Return the roots of the control groups: one for each controller (version 1), or one for all."""
    if (CGROUPS / "cgroup.controllers").exists():
        return [CGROUPS]
    return [path for path in CGROUPS.iterdir() if path.is_dir() and not path.is_symlink()]


def _lay_cable(place: addresses.Addresses, pid: int) -> None:
    """Connect this machine to the node: a pair of devices that goes with the node's namespace."""
    for command in (
        f"link add {place.link} type veth peer name eth0 netns {pid}",
        f"addr add {place.host}/24 dev {place.link}",
        f"link set {place.link} up",
    ):
        subprocess.run(["ip", *command.split()], check=True)
    for network in (place.pods, place.services):
        route = f"route add {network} via {place.node} dev {place.link} onlink"
        subprocess.run(["ip", *route.split()], check=True)


def _resolves(place: addresses.Addresses) -> bool:
    """Say whether the cluster's DNS knows the API server."""
    labels = f"kubernetes.default.svc.{settings.DOMAIN}".split(".")
    name = b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.settimeout(0.5)
        with suppress(OSError):
            asked.sendto(
                struct.pack("!6H", 1, 0x0100, 1, 0, 0, 0) + name + struct.pack("!2H", 1, 1), (place.node, 53)
            )
            answers: int = struct.unpack("!6H", asked.recv(512)[:12])[3]
            return answers > 0
    return False


def _until(condition: Callable[[], bool], complaint: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise CannotRun(complaint())
        time.sleep(0.1)
