"""Builds the environment that a job asked for, then becomes the job: ``python building.py FOLDER``.

Standard library only. Two jobs that need the same one build it once: the second
waits for the lock. Who uses it keeps the lock shared until its end.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import Any, NoReturn

sys.path.append(__file__.rsplit(os.sep, 4)[0])  # Blueno need not be installed in this Python

from jupyter_blueno.jobs import lean

PYTHON = "{python}"
WHOLE = "blueno.json"
TOLD = 600  # characters of a reason
TAIL = 60  # lines in which a reason is looked for


class Builder:
    """One build, in the process of the job that needs it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.plan: dict[str, Any] = lean.read_json(os.path.join(folder, "run.json"))
        self.build: dict[str, Any] = self.plan["build"]
        self.place: str = self.build["folder"]
        self.python = os.path.join(self.place, "bin", "python")
        self.tail: list[str] = []
        self.child: subprocess.Popen[bytes] | None = None

    def run(self) -> NoReturn:
        self.share()
        lean_forget(os.path.join(self.folder, "progress.json"))
        self.write_packages()
        with lean.suppress(OSError), open(f"{self.place}.jobs", "a", encoding="ascii") as file:
            file.write(f"{self.plan['id']}\n")
        os.environ["PATH"] = os.pathsep.join(
            [os.path.join(self.place, "bin"), os.environ.get("PATH", os.defpath)]
        )
        os.environ["VIRTUAL_ENV"] = self.place
        os.environ.pop("PYTHONHOME", None)
        words = [self.python if word == PYTHON else word for word in self.plan["then"]]
        try:
            os.execvp(words[0], words)
        except OSError as error:
            self.fail(f"'{words[0]}' could not be started: {error.strerror}.")

    def share(self) -> None:
        """Hold the lock of an environment that is whole, shared; build it if nobody else does.

        Nobody waits for the lock alone: whoever built the environment holds it
        shared as long as its job runs.
        """
        os.makedirs(os.path.dirname(self.place), mode=0o700, exist_ok=True)
        lock = os.open(f"{self.place}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        os.set_inheritable(lock, True)
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                self.say("waiting for the environment, which another job builds")
                fcntl.flock(lock, fcntl.LOCK_SH)
            if self.whole():
                return
            fcntl.flock(lock, fcntl.LOCK_UN)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # another one began just now
                self.say("waiting for the environment, which another job builds")
                time.sleep(0.02 + 0.03 * os.urandom(1)[0] / 255)
                continue
            if not self.whole():  # the other one failed, or there was none
                try:
                    self.make()
                except SystemExit:
                    if self.child is not None and self.child.poll() is None:
                        self.child.kill()
                        self.child.wait()
                    shutil.rmtree(self.place, ignore_errors=True)
                    os._exit(143)

    def whole(self) -> bool:
        return os.path.exists(os.path.join(self.place, WHOLE))

    def make(self) -> None:
        """Build it; a build that fails or is told to stop leaves nothing."""
        self.say("building the environment")
        shutil.rmtree(self.place, ignore_errors=True)
        signal.signal(signal.SIGTERM, self.stop)
        begun = time.monotonic()
        uv, base = self.build["uv"], self.build["base"]
        lean_forget(f"{self.place}.log")
        asked = os.path.join(self.folder, "requirements.txt")
        with open(asked, "w", encoding="utf-8") as file:
            file.write("\n".join([*self.build["requirements"], *self.build["own"], ""]))
        if uv:
            steps = [[uv, "venv", "--no-project", "--python", base, self.place]]
            steps.append([uv, "pip", "install", "--python", self.python, "-r", asked])
        else:
            steps = [[base, "-m", "venv", self.place]]
            steps.append(
                [self.python, "-m", "pip", "install", "--no-input", "--progress-bar", "off", "-r", asked]
            )
        for step in steps if self.build["requirements"] or self.build["own"] else steps[:1]:
            if not self.step(step):
                shutil.rmtree(self.place, ignore_errors=True)
                self.fail(self.reason())
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        content = {
            "python": base,
            "requirements": self.build["requirements"],
            "size": self.size(),
            "created": time.time(),
        }
        temporary = os.path.join(self.place, ".blueno.json")
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(content, file)
        os.replace(temporary, os.path.join(self.place, WHOLE))
        print(f"The environment was built in {time.monotonic() - begun:.1f} s.", flush=True)

    def step(self, words: list[str]) -> bool:
        print("$", " ".join(words), flush=True)
        environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "NO_COLOR": "1"}
        for name in ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH"):
            environment.pop(name, None)
        try:
            self.child = child = subprocess.Popen(
                words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, cwd=self.plan["cwd"]
            )
        except OSError as error:
            self.tail.append(f"{words[0]}: {error.strerror}")
            return False
        assert child.stdout is not None
        with open(f"{self.place}.log", "ab") as kept:
            kept.write(f"$ {' '.join(words)}\n".encode())
            for line in child.stdout:
                kept.write(line)
                text = line.decode("utf-8", "replace")
                sys.stdout.write(text)
                sys.stdout.flush()
                self.tail = [*self.tail, text.rstrip()][-TAIL:]
        return child.wait() == 0

    def reason(self) -> str:
        """What uv or pip say of why, on one line."""
        lines = [line.strip(" │├╰─▶→·") for line in self.tail]
        begin = next((n for n, line in enumerate(lines) if line.startswith(("×", "error:"))), None)
        if begin is not None:
            said = " ".join(lines[begin:])
        else:
            said = next((line for line in reversed(lines) if line.startswith("ERROR:")), (lines or [""])[-1])
        said = said.removeprefix("error:").removeprefix("ERROR:").strip(" ×")
        said = " ".join(said.split())[:TOLD].rstrip(".")
        return f"The environment could not be built: {said or 'its log says why'}. Mend the requirements."

    def size(self) -> int:
        total = 0
        for folder, _, names in os.walk(self.place):
            for name in names:
                with lean.suppress(OSError):
                    total += os.lstat(os.path.join(folder, name)).st_size
        return total

    def write_packages(self) -> None:
        """What is installed, for the job's record."""
        found = []
        base = os.path.join(self.place, "lib")
        version = ""
        for python in sorted(os.listdir(base)) if os.path.isdir(base) else []:
            version = python.removeprefix("python")
            with lean.suppress(OSError):
                for name in os.listdir(os.path.join(base, python, "site-packages")):
                    if name.endswith(".dist-info"):
                        found.append(name.removesuffix(".dist-info").replace("-", "==", 1))
        with lean.suppress(OSError), open(os.path.join(self.folder, "packages.json"), "w") as file:
            json.dump([version, sorted(found, key=str.lower)], file)

    def say(self, message: str) -> None:
        with lean.suppress(OSError):
            path = os.path.join(self.folder, "progress.json")
            lean.write_json(path, {"done": 0, "total": None, "message": message})

    def stop(self, *_: object) -> NoReturn:
        """A signal's handler must not wait for what it may have interrupted: the waiting itself."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it may come twice, and tidying up must not be left
        raise SystemExit(143)

    def fail(self, reason: str) -> NoReturn:
        print(reason, file=sys.stderr, flush=True)
        lean.write_json(os.path.join(self.folder, "ended.json"), {"ok": False, "reason": reason})
        lean_forget(os.path.join(self.folder, "progress.json"))
        os._exit(1)


def lean_forget(path: str) -> None:
    with lean.suppress(OSError):
        os.unlink(path)


if __name__ == "__main__":
    Builder(sys.argv[1]).run()
