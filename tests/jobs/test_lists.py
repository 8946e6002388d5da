"""The list of jobs when there are many, and many jobs at once."""

from __future__ import annotations

import secrets

import pytest
from sqlalchemy.dialects import postgresql

from jupyter_blueno.errors import InvalidInput, TooLarge
from jupyter_blueno.jobs import store
from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import JobPage, JobSpec
from jupyter_blueno.jobs.testing import ALICE, cell, wait

ROWS = """
INSERT INTO job (id, team, owner, name, kind, state, spec, backend, created_at)
SELECT md5(n::text), 'team', 'alice', 'train-' || n, 'cell', (ARRAY['SUCCEEDED', 'FAILED'])[1 + mod(n, 2)],
    jsonb_build_object('origin', jsonb_build_object('notebook', 'nb' || mod(n, 50))) || '{"resources": {}}'
        || jsonb_build_object('folder', repeat('/folder', 100)),
    'local', now() - n * interval '1 minute'
FROM generate_series(1, 20000) n
"""


def test_a_page_comes_from_an_index(manager: JobManager) -> None:
    with manager.database.begin() as connection:
        connection.exec_driver_sql(ROWS.replace("'team'", f"'{ALICE.team}'"))
    with manager.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE job")
    asks = {
        "job_recent": [JobPage(), JobPage(search="train-19999"), JobPage(search="nothing")],
        "job_state": [JobPage(state=["FAILED"]), JobPage(state=["LOST"])],
        "job_parent": [JobPage(parent="0" * 32)],
        "job_notebook": [JobPage(notebook="nb7"), JobPage(notebook="none")],
    }
    with manager.database.begin() as connection:
        for index, pages in asks.items():
            for ask in pages:
                query = store.keys_of(ALICE.team, ask).limit(101)
                text = str(
                    query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
                )
                plan = connection.exec_driver_sql(f"EXPLAIN {text}").scalars().all()
                assert any(index in line for line in plan), (ask, plan)
                assert not any("Sort" in line or "Seq Scan" in line for line in plan), (ask, plan)
    jobs, following = manager.list_jobs(ALICE, JobPage(state=["FAILED"], limit=10))
    more, _ = manager.list_jobs(ALICE, JobPage(state=["FAILED"], limit=10, before=following))
    assert [job.name for job in jobs + more] == [f"train-{n}" for n in range(1, 41, 2)]


def test_many_at_once_and_the_same_again(manager: JobManager) -> None:
    asked = [(secrets.token_hex(16), f"job {n}", cell(f"print({n})")) for n in range(30)]
    first = manager.submit_many(ALICE, asked[:20])
    again = manager.submit_many(ALICE, asked)
    assert [job.id for job in again] == [job_id for job_id, _, _ in asked]
    assert [job.name for job in first] == [name for _, name, _ in asked[:20]]
    for n, job in enumerate(again):
        wait(manager, job, "SUCCEEDED")
        assert manager.record(ALICE, job.id).log(0, 100)[0] == f"{n}\n".encode()
    manager.staging.close()
    assert manager.code(ALICE, again[-1].id).packages


def test_if_one_cannot_run_none_is_started(manager: JobManager) -> None:
    asked = [(secrets.token_hex(16), "fine", cell("1")), (secrets.token_hex(16), "broken", cell("1 +"))]
    with pytest.raises(InvalidInput, match="not valid Python"):
        manager.submit_many(ALICE, asked)
    assert manager.list_jobs(ALICE, JobPage()) == ([], None)
    assert not list((manager.config.home_path / "jobs").glob("*"))
    with pytest.raises(InvalidInput, match="one id"):
        manager.submit_many(ALICE, [asked[0], asked[0]])
    with pytest.raises(TooLarge, match="takes 1000 jobs"):
        manager.submit_many(ALICE, [(secrets.token_hex(16), "x", JobSpec("cell", source="1"))] * 1001)
