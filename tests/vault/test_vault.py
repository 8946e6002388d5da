"""Secrets: set, used by real jobs, and in no file, row or log of theirs."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa

from jupyter_blueno.api.context import Platform
from jupyter_blueno.api.secrets import SetSecret
from jupyter_blueno.client.secrets import secret
from jupyter_blueno.config import Config
from jupyter_blueno.errors import BluenoError, InvalidInput, NotFound
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.testing import ALICE, command, log, start, wait
from jupyter_blueno.vault.vault import Vault

VALUE = "hf_nobody-may-read-this"
SAYS = ("python", "-c", "import os; print('it has', len(os.environ['HF_TOKEN']))")


@pytest.fixture
def platform(config: Config) -> Platform:
    config.roots = [str(Path.cwd())]
    made = Platform(config)
    yield made  # type: ignore[misc]
    made.close()


@pytest.fixture
def vault(platform: Platform) -> Vault:
    return platform.vault


@pytest.fixture
def manager(platform: Platform) -> JobManager:
    return platform.jobs


def put(vault: Vault, name: str = "HF_TOKEN", value: str = VALUE) -> None:
    vault.put(ALICE.team, ALICE.name, name, value)


def test_a_job_has_it_and_keeps_it_nowhere(vault: Vault, manager: JobManager, config: Config) -> None:
    put(vault)
    job = wait(manager, start(manager, command(*SAYS, secrets=["HF_TOKEN"])), "SUCCEEDED")
    assert f"it has {len(VALUE)}" in log(manager, job)
    places = [path for path in config.home_path.rglob("*") if path.is_file() and not path.is_symlink()]
    having = {path.relative_to(config.home_path) for path in places if VALUE.encode() in path.read_bytes()}
    assert having == {Path("secrets/HF_TOKEN")}
    with vault.database.begin() as connection:
        tables = sa.inspect(connection).get_table_names()
        rows = [str(connection.execute(sa.text(f'SELECT * FROM "{one}"')).all()) for one in tables]
    assert "HF_TOKEN" in " ".join(rows)
    assert VALUE not in " ".join(rows)


def test_a_job_without_its_name_does_not_have_it(vault: Vault, manager: JobManager) -> None:
    put(vault)
    job = wait(
        manager, start(manager, command("python", "-c", "import os; print(os.environ.get('HF_TOKEN'))"))
    )
    assert log(manager, job) == "None\n"


def test_a_new_value_is_for_the_jobs_that_start_after_it(vault: Vault, manager: JobManager) -> None:
    put(vault)
    first = wait(manager, start(manager, command(*SAYS, secrets=["HF_TOKEN"])), "SUCCEEDED")
    put(vault, value="short")
    again = wait(manager, manager.rerun(ALICE, first.id), "SUCCEEDED")
    assert "it has 5" in log(manager, again)


def test_one_that_is_not_there_is_refused_at_submit(manager: JobManager, config: Config) -> None:
    with pytest.raises(InvalidInput, match=r"no secret 'HF_TOKEN'\. Set it first: blueno secrets"):
        start(manager, command("true", secrets=["HF_TOKEN"]))
    assert not list((config.home_path / "jobs").glob("*"))


def test_one_that_went_meanwhile_is_named(vault: Vault, manager: JobManager, config: Config) -> None:
    put(vault)
    vault.keeper.delete("HF_TOKEN")
    job = wait(manager, start(manager, command("true", secrets=["HF_TOKEN"])), "FAILED")
    assert job.reason == "The secret HF_TOKEN is gone. Set it, then run the job again."


def test_they_are_listed_by_name_and_deleted(vault: Vault) -> None:
    put(vault, "WANDB_API_KEY")
    put(vault)
    vault.put(ALICE.team, "bob", "WANDB_API_KEY", "another")
    assert [(one.name, one.owner) for one in vault.listed(ALICE.team)] == [
        ("HF_TOKEN", "alice"),
        ("WANDB_API_KEY", "bob"),
    ]
    assert vault.listed("pathology") == []
    assert vault.delete(ALICE.team, "HF_TOKEN")
    assert not vault.delete(ALICE.team, "HF_TOKEN")
    assert [one.name for one in vault.listed(ALICE.team)] == ["WANDB_API_KEY"]


def test_nobody_else_of_the_machine_reads_them(vault: Vault, config: Config) -> None:
    put(vault)
    folder = config.home_path / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "HF_TOKEN").stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == ["HF_TOKEN"]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("", "x", "bad_secret_name"),
        ("../x", "x", "bad_secret_name"),
        ("1X", "x", "bad_secret_name"),
        ("A" * 101, "x", "bad_secret_name"),
        ("TOKEN\n", "x", "bad_secret_name"),
        ("TOKEN", "", "bad_secret"),
        ("TOKEN", "a\0b", "bad_secret"),
        ("TOKEN", "\ud800", "bad_secret"),
        ("TOKEN", "é" * (33 << 10), "secret_too_large"),
    ],
)
def test_what_cannot_be_one_is_refused(vault: Vault, name: str, value: str, code: str) -> None:
    with pytest.raises(BluenoError) as caught:
        put(vault, name, value)
    assert caught.value.code == code
    assert vault.listed(ALICE.team) == []


def test_a_notebook_reads_it_by_name(vault: Vault, config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in config.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with pytest.raises(NotFound, match="There is no secret 'HF_TOKEN' here"):
        secret("HF_TOKEN")
    put(vault)
    assert secret("HF_TOKEN") == VALUE


def test_a_request_does_not_show_its_value() -> None:
    assert VALUE not in repr(SetSecret("HF_TOKEN", VALUE))


def test_what_cannot_be_written_loses_nothing(vault: Vault, config: Config) -> None:
    put(vault)
    folder = config.home_path / "secrets"
    kept = (folder / "HF_TOKEN").read_text()
    os.rename(folder, folder.with_name("away"))
    folder.write_text("in the way")
    with pytest.raises(BluenoError, match="cannot be kept"):
        put(vault, value="new")
    folder.unlink()
    os.rename(folder.with_name("away"), folder)
    assert (folder / "HF_TOKEN").read_text() == kept
