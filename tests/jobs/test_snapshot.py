"""What a job is sent with: kept once, found again, gone with the last job that has it."""

from __future__ import annotations

import os
import stat
import sys
import time
from pathlib import Path

import pytest

from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import Change, JobSpec
from jupyter_blueno.jobs.sending import modules, objects, roots
from jupyter_blueno.jobs.sending.objects import Objects
from jupyter_blueno.jobs.testing import ALICE, log, start, wait


def test_one_content_is_kept_once_and_goes_with_the_last_link(tmp_path: Path) -> None:
    store = Objects(tmp_path / "objects")
    (tmp_path / "a.py").write_text("a = 1")
    digest = store.place(tmp_path / "a.py", tmp_path / "first")
    assert store.place(b"a = 1", tmp_path / "second") == digest
    assert os.path.samefile(tmp_path / "first", tmp_path / "second")
    assert not os.path.samefile(tmp_path / "first", tmp_path / "a.py")
    assert stat.S_IMODE((tmp_path / "first").stat().st_mode) == 0o444
    (tmp_path / "first").unlink()
    store.drop([digest])
    assert store.path(digest).exists()
    (tmp_path / "second").unlink()
    store.drop([digest, "0" * 64])
    assert not store.path(digest).exists()


def test_a_file_that_was_changed_is_another_content(tmp_path: Path) -> None:
    store = Objects(tmp_path / "objects")
    file = tmp_path / "a.py"
    file.write_text("a = 1")
    old = time.time() - 100
    os.utime(file, (old, old))
    first = store.place(file, tmp_path / "first")
    file.write_text("a = 2")
    assert store.place(file, tmp_path / "second") != first
    assert (tmp_path / "first").read_text() == "a = 1"
    # Half of it was written when the power went.
    store.path(first).unlink()
    store.path(first).write_text("a")
    file.write_text("a = 1")
    assert store.place(file, tmp_path / "third") == first
    assert (tmp_path / "third").read_text() == "a = 1"


def test_what_came_to_nothing_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Objects(tmp_path / "objects")
    digests = [store.place(text, tmp_path / text.decode()) for text in (b"kept", b"left")]
    (tmp_path / "left").unlink()
    store.sweep()
    assert store.path(digests[1]).exists()
    monkeypatch.setattr(objects, "KEPT", -1.0)
    store.sweep()
    assert [store.path(digest).exists() for digest in digests] == [True, False]


def test_two_jobs_share_what_they_were_sent_with(manager: JobManager, folder: Path) -> None:
    (folder / "shared.py").write_text("VALUE = 42")
    jobs = [wait(manager, start(manager, JobSpec("cell", source="import shared; shared.VALUE")), "SUCCEEDED")]
    jobs.append(wait(manager, manager.rerun(ALICE, jobs[0].id, Change(name="again")), "SUCCEEDED"))
    kept = [JobFolder.of(manager.config, job.id).code / "shared.py" for job in jobs]
    assert os.path.samefile(*kept)
    store = manager.config.home_path / "objects"
    before = {path.name for path in store.glob("*/*")}
    for job in jobs:
        manager.delete(ALICE, job.id)
    gone = before - {path.name for path in store.glob("*/*")}
    assert len(gone) == 2  # the cell and the module


def test_modules_of_editable_packages_and_of_added_paths(
    manager: JobManager, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "venv" / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    for name in ("plain", "mapped", "added"):
        (tmp_path / name / name).mkdir(parents=True)
        (tmp_path / name / name / "__init__.py").write_text(f"VALUE = {name!r}")
    (site / "plain.pth").write_text(f"import os\n{tmp_path / 'plain'}\n")
    (site / "__editable___mapped_1_0_finder.py").write_text(
        f"MAPPING: dict[str, str] = {{'mapped': '{tmp_path / 'mapped' / 'mapped'}'}}\n"
    )
    monkeypatch.setattr(roots, "site_packages", lambda python: [site])
    spec = JobSpec(
        "cell",
        source="import plain, mapped, added\n[one.VALUE for one in (plain, mapped, added)]",
        search=[str(tmp_path / "added")],
    )
    job = wait(manager, start(manager, spec), "SUCCEEDED")
    assert set(manager.code(ALICE, job.id).modules) == {
        f"{one}/__init__.py" for one in ("plain", "mapped", "added")
    }


def test_large_and_compiled_files_of_a_package_are_found_where_they_are(
    manager: JobManager, folder: Path
) -> None:
    (folder / "pack").mkdir()
    (folder / "pack" / "__init__.py").write_text("")
    (folder / "pack" / "weights.bin").write_bytes(b"x" * 3_000_000)
    (folder / "pack" / "small.txt").write_text("small")
    source = (
        "import pack, pathlib\nhere = pathlib.Path(pack.__file__).parent\n"
        "len((here / 'weights.bin').read_bytes()), (here / 'small.txt').read_text()"
    )
    job = wait(manager, start(manager, JobSpec("cell", source=source)), "SUCCEEDED")
    assert manager.record(ALICE, job.id).outputs(-1)[0].data == {"text/plain": "(3000000, 'small')"}
    assert (JobFolder.of(manager.config, job.id).code / "pack" / "weights.bin").is_symlink()


def test_a_package_is_gone_through_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, walked = tmp_path / "source", []
    for name in ("pack/part", "names/inner"):
        (source / name).mkdir(parents=True)
    (source / "pack" / "__init__.py").write_text("import pack.part.a, numpy.linalg, names.one")
    (source / "pack" / "part" / "__init__.py").write_text("import pack.part.b")
    for name in "ab":
        (source / "pack" / "part" / f"{name}.py").write_text("from pack.part import a, b\nimport alone.x")
    (source / "alone.py").write_text("from names import inner\nimport names.two")
    for name in ("one", "two", "never"):
        (source / "names" / f"{name}.py").write_text("import pack")
    files = modules._files
    monkeypatch.setattr(modules, "_files", lambda package: walked.append(package.name) or files(package))
    local = modules.LocalModules(
        [source, source / "names"], tmp_path / "target", Objects(tmp_path / "objects")
    )
    local.take({"pack.part.a"})
    assert walked == ["pack"]
    assert sorted(local.taken) == [
        "alone.py", "names/one.py", "names/two.py",
        "pack/__init__.py", "pack/part/__init__.py", "pack/part/a.py", "pack/part/b.py",
    ]  # fmt: skip


def test_named_files_are_as_they_were(manager: JobManager, folder: Path) -> None:
    (folder / "conf").mkdir()
    (folder / "conf" / "a.yaml").write_text("lr: 1")
    (folder / "gate").mkdir()
    source = """
import os, time
from jupyter_blueno.client.files import file
while not os.path.exists("gate/open"):
    time.sleep(0.02)
file("conf/a.yaml").read_text(), file("other.txt").name
"""
    job = start(manager, JobSpec("cell", source=source, files=["conf/*.yaml"]))
    (folder / "conf" / "a.yaml").write_text("lr: 2")
    (folder / "gate" / "open").touch()
    job = wait(manager, job, "SUCCEEDED")
    assert manager.record(ALICE, job.id).outputs(-1)[0].data == {"text/plain": "('lr: 1', 'other.txt')"}
    with pytest.raises(InvalidInput, match=r"There is no file 'cnof' in .* Did you mean 'conf'"):
        start(manager, JobSpec("cell", source="1", files=["cnof"]))


def test_a_script_is_as_it_was(manager: JobManager, folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "near.py").write_text("VALUE = 'near'")
    script = folder / "sub" / "train.py"
    script.write_text(
        "import os, sys, time, near\n"
        "print('up', flush=True)\n"
        "while not os.path.exists('open'):\n    time.sleep(0.02)\n"
        "import late\n"
        "print(near.VALUE, late.VALUE, sys.argv, __name__, os.path.basename(__file__), os.getcwd())\n"
        "raise SystemExit(3)\n"
    )
    (folder / "sub" / "late.py").write_text("VALUE = 'late'")
    job = start(manager, JobSpec("command", command=[sys.executable, "-u", "sub/train.py", "--lr", "1"]))
    script.write_text("print('changed')")
    (folder / "sub" / "late.py").write_text("VALUE = 'changed'")
    (folder / "open").touch()
    job = wait(manager, job, "FAILED")
    assert job.exit_code == 3
    assert log(manager, job) == (
        f"up\nnear late ['sub/train.py', '--lr', '1'] __main__ train.py {os.path.realpath(folder)}\n"
    )


def test_secrets_are_in_no_answer_and_no_row(manager: JobManager) -> None:
    spec = JobSpec(
        "cell", source="import os\nlen(os.environ['TOKEN'])", environment={"TOKEN": "s3cret-value"}
    )
    job = wait(manager, start(manager, spec), "SUCCEEDED")
    again = wait(manager, manager.rerun(ALICE, job.id), "SUCCEEDED")
    for one in (job, again):
        assert manager.record(ALICE, one.id).outputs(-1)[0].data == {"text/plain": "12"}
        place = JobFolder.of(manager.config, one.id).path
        holding = [
            path.name for path in place.rglob("*") if path.is_file() and b"s3cret" in path.read_bytes()
        ]
        assert holding == ["variables.json"]
        assert stat.S_IMODE((place / "variables.json").stat().st_mode) == 0o600
    with manager.database.begin() as connection:
        rows = connection.exec_driver_sql("SELECT job::text FROM job").scalars().all()
    assert rows
    assert "s3cret" not in "".join(rows)
