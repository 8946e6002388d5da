"""Somebody leaves: what is asked before, what becomes of what they had, and who does not come back."""

from __future__ import annotations

import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jupyter_blueno.api.catalog import CreateDataset, DatasetRef, create_dataset, get_dataset
from jupyter_blueno.api.departures import LetGo, PlanDeparture, get_leaving, let_go, list_departures, readmit
from jupyter_blueno.api.jobs import JobRef, SubmitJob, cancel_job, get_job, submit_job
from jupyter_blueno.api.operation import Nothing
from jupyter_blueno.api.people import Invite, PersonRef, invite, list_people
from jupyter_blueno.api.schedules import CreateSchedule, ScheduleRef, create_schedule, get_schedule
from jupyter_blueno.api.secrets import SetSecret, set_secret
from jupyter_blueno.cli import main
from jupyter_blueno.client import session
from jupyter_blueno.client.people import invite as invite_people
from jupyter_blueno.client.people import whoami
from jupyter_blueno.client.transport import Http
from jupyter_blueno.errors import BluenoError, Conflict
from jupyter_blueno.jobs.model import JobSpec
from jupyter_blueno.jobs.testing import until
from jupyter_blueno.people.model import Leaving
from jupyter_blueno.schedules.model import Timing
from tests.hub.conftest import SERVICE_TOKEN, Hub
from tests.hub.visitor import Visitor

SLEEP = JobSpec(kind="command", command=["sleep", "1000"])


@pytest.fixture
def admin(hub: Hub) -> Http:
    return hub.asks(hub.sign_in("admin"))


@pytest.fixture
def leaver(hub: Hub) -> str:
    """Somebody of radiology with a file at home."""
    name = f"leaver-{uuid.uuid4().hex[:6]}"
    hub.sign_in(name)
    hub.api("POST", "/groups/radiology/users", {"users": [name]})
    home = hub.volume / "home" / name
    home.mkdir(parents=True)
    (home / "thesis.ipynb").write_text("{}")
    return name


def gone(admin: Http, ask: LetGo) -> Leaving:
    """Let somebody go, asking until it is done."""
    until(lambda: admin.call(let_go, ask).done, "somebody to be gone")
    return admin.call(get_leaving, PlanDeparture(ask.name))


def test_nothing_of_theirs_is_good_any_more(hub: Hub, admin: Http, leaver: str) -> None:
    token = hub.sign_in(leaver)
    hub.start_server(leaver)
    session = Visitor(hub.url)
    session.sign_in(leaver, "dummy")
    assert session.open("/hub/home").url.endswith("/hub/home")
    plan = admin.call(get_leaving, PlanDeparture(leaver))
    assert (plan.teams, plan.decide, plan.done) == (["radiology"], False, False)
    assert "Their notebook stops." in plan.steps
    assert hub.api("GET", f"/users/{leaver}")["servers"][""]["ready"]  # a plan changes nothing

    done = gone(admin, LetGo(leaver))
    assert done.departure is not None
    archive = hub.volume / "home" / ".left" / done.departure.archive
    assert (archive / "thesis.ipynb").exists()
    assert oct((hub.volume / "home" / ".left").stat().st_mode & 0o777) == "0o700"
    assert not (hub.volume / "home" / leaver).exists()
    assert leaver not in {one.name for one in admin.call(list_people, Nothing()).people}
    until(lambda: refused(hub, token), "the token to be believed no longer")
    assert "login" in session.open("/hub/home").url
    # Nobody of that name comes in again, whatever the hub's authenticator says.
    back = Visitor(hub.url).sign_in(leaver, "dummy")
    assert (back.status, "was closed" in back.words) == (403, True)
    with pytest.raises(Conflict, match="not for somebody else of that name"):
        admin.call(invite, Invite(team="radiology", person=leaver))
    assert admin.call(let_go, LetGo(leaver)).done  # once more changes nothing
    assert not list((hub.volume / "home").glob(f"{leaver}*"))


def refused(hub: Hub, token: str) -> bool:
    try:
        hub.asks(token).call(list_departures, Nothing())
    except BluenoError as error:
        return error.code == "http_403"
    return False


def test_jobs_schedules_and_datasets_go_to_a_teammate(hub: Hub, admin: Http, leaver: str) -> None:
    at = hub.beside(leaver)
    job = at.call(submit_job, SubmitJob(uuid.uuid4().hex, "long", SLEEP)).id
    yearly = CreateSchedule(uuid.uuid4().hex, f"yearly {leaver}", Timing(cron="0 0 1 1 *"), SLEEP)
    schedule = at.call(create_schedule, yearly).id
    private = at.service.call(create_dataset, CreateDataset(f"own {leaver}", visibility="private")).id
    at.service.call(set_secret, SetSecret("A_TOKEN", "x"))
    until(lambda: at.service.call(get_job, JobRef(job)).state == "RUNNING", "the job to run")

    plan = admin.call(get_leaving, PlanDeparture(leaver))
    assert plan.decide
    assert plan.lost == ["1 private datasets, which nobody else sees"]
    assert any("A_TOKEN" in step for step in plan.steps)
    (found,) = plan.belongings
    assert (found.live_jobs, found.schedules, found.datasets) == ([job], [schedule], 1)
    for ask, code in (
        (LetGo(leaver), "decide_first"),
        (LetGo(leaver, hand_over_to="carol"), "heir_not_in_team"),
        (LetGo(leaver, hand_over_to="nobody-at-all"), "person_not_found"),
        (LetGo("admin", cancel_jobs=True), "oneself"),
    ):
        with pytest.raises(BluenoError) as said:
            admin.call(let_go, ask)
        assert said.value.code == code
    hub.sign_in("carol")
    assert leaver not in {one.person for one in admin.call(list_departures, Nothing()).departures}

    gone(admin, LetGo(leaver, hand_over_to="bob"))
    bob = hub.asks(hub.sign_in("bob"), "radiology")
    now = bob.call(get_job, JobRef(job))
    assert (now.owner, now.state) == ("bob", "RUNNING")  # and nothing stopped
    assert bob.call(get_schedule, ScheduleRef(schedule)).owner == "bob"
    assert bob.call(get_dataset, DatasetRef(private)).owner == "bob"
    bob.call(cancel_job, JobRef(job))


def test_jobs_end_and_schedules_stop(hub: Hub, admin: Http, leaver: str) -> None:
    at = hub.beside(leaver)
    job = at.call(submit_job, SubmitJob(uuid.uuid4().hex, "long", SLEEP)).id
    yearly = CreateSchedule(uuid.uuid4().hex, f"yearly {leaver}", Timing(cron="0 0 1 1 *"), SLEEP)
    schedule = at.call(create_schedule, yearly).id
    gone(admin, LetGo(leaver, cancel_jobs=True))
    bob = hub.asks(hub.sign_in("bob"), "radiology")
    until(lambda: bob.call(get_job, JobRef(job)).state == "CANCELLED", "the job to end")
    assert bob.call(get_schedule, ScheduleRef(schedule)).paused


def test_what_was_begun_is_gone_on_with_by_the_service(hub: Hub, admin: Http, leaver: str) -> None:
    """As after a crash: the hub shut them out, and whoever asked for it asks no more."""
    asked = {"by": "admin", "heir": None, "cancel": False}
    status, _ = hub.raw_api(SERVICE_TOKEN, f"/departures/{leaver}", "PUT", asked)
    assert status == 200
    assert (hub.volume / "home" / leaver).exists()

    def over() -> bool:
        listed = admin.call(list_departures, Nothing()).departures
        return next(one for one in listed if one.person == leaver).done_at is not None

    until(over, "the service to go on")
    assert not (hub.volume / "home" / leaver).exists()


def test_many_may_ask_at_once_and_from_wherever_it_stopped(hub: Hub, admin: Http, leaver: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: admin.call(let_go, LetGo(leaver)), range(4)))
    assert gone(admin, LetGo(leaver)).done
    assert len({one.departure.archive for one in answers if one.departure}) == 1
    assert len(list((hub.volume / "home" / ".left").glob(f"{leaver}-*"))) == 1


def test_the_same_person_can_come_back_and_begins_anew(hub: Hub, admin: Http, leaver: str) -> None:
    gone(admin, LetGo(leaver))
    assert admin.call(readmit, PersonRef(leaver)).done
    assert not admin.call(readmit, PersonRef(leaver)).done
    assert admin.call(invite, Invite(team="radiology", person=leaver)).invitation.person == leaver
    assert Visitor(hub.url).sign_in(leaver, "dummy").status == 200
    assert not (hub.volume / "home" / leaver / "thesis.ipynb").exists()


def test_a_folder_that_is_a_link_is_moved_and_not_followed(hub: Hub, admin: Http, tmp_path: Path) -> None:
    name = f"leaver-{uuid.uuid4().hex[:6]}"
    hub.sign_in(name)
    (tmp_path / "other").mkdir()
    os.symlink(tmp_path / "other", hub.volume / "home" / name)
    done = gone(admin, LetGo(name))
    assert done.departure is not None
    assert (hub.volume / "home" / ".left" / done.departure.archive).is_symlink()
    assert (tmp_path / "other").is_dir()


def test_only_the_service_asks_the_hub(hub: Hub, admin: Http) -> None:
    for token in (hub.sign_in("admin"), hub.sign_in("alice"), None):
        assert hub.raw_api(token, "/people")[0] == 403


def test_by_the_command(hub: Hub, admin: Http, leaver: str) -> None:
    def blueno(*words: str, said: str | None = None) -> Result:
        session.use(transport=admin)  # each command lets go of it
        return CliRunner().invoke(main, words, input=said)

    try:
        assert "Their folder moves to home/.left" in blueno("offboard", leaver, "--dry-run").output
        assert blueno("offboard", leaver, said="n\n").exit_code == 1
        assert (hub.volume / "home" / leaver).exists()
        done = blueno("offboard", leaver, "--yes")
        assert f"{leaver} is gone" in done.output, done.output
        assert blueno("offboard", leaver).exit_code == 0
        assert "/hub/invite?code=" in blueno("invite", "--team", "radiology").output
        session.use(transport=admin)
        assert "/hub/invite?code=" in invite_people(team="radiology", times=2)
        assert whoami().admin
        assert "radiology" in blueno("invite", "--list").output
        assert "admin (administrator)" in blueno("whoami").output
        assert "alice" in blueno("team", "radiology").output
        assert "let_go" in blueno("acts", "--operation", "let_go").output
    finally:
        session.use()
