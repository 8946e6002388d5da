"""Who comes in, and by which link, on a hub where people have passwords."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from jupyter_blueno.api.operation import Nothing
from jupyter_blueno.api.people import (
    InvitationRef,
    Invite,
    Membership,
    add_to_team,
    get_me,
    invite,
    list_invitations,
    list_people,
    revoke_invitation,
)
from jupyter_blueno.client.transport import Http
from jupyter_blueno.errors import BluenoError
from tests.hub.conftest import Hub, started_hub
from tests.hub.visitor import Seen, Visitor

SETUP = "the-first-link-of-the-tests-0123456789"
GOOD = "a horse, a battery and a staple"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, postgres: sa.Engine) -> Iterator[Hub]:
    """A hub of which the values name people, and into which nobody has come yet."""
    patch = pytest.MonkeyPatch()
    patch.setenv("BLUENO_SETUP_TOKEN", SETUP)
    with started_hub(
        tmp_path_factory.mktemp("doors"),
        postgres,
        "doors",
        authentication={"authenticator_class": "passwords", "redirect_to_server": False},
        groups={"radiology": {"users": ["bob"]}},
    ) as started:
        patch.undo()
        yield started


@pytest.fixture(scope="module")
def ann(doors: Hub) -> Http:
    """The first administrator, asking the service; they came by the link that an installation prints."""
    came = sign_up(doors, f"/hub/invite?code={SETUP}", "ann")
    assert came.url.endswith("/hub/home"), came.words
    return doors.asks(doors.sign_in("ann"))


def sign_up(hub: Hub, link: str, name: str, password: str = GOOD, again: str | None = None) -> Seen:
    visitor = Visitor(hub.url)
    return visitor.fill(
        f"{link}&next=%2Fhub%2Fhome", username=name, password=password, again=again or password
    )


def test_the_first_is_administrator_and_the_link_is_good_once(doors: Hub, ann: Http) -> None:
    me = ann.call(get_me, Nothing())
    assert (me.name, me.admin, me.hub) == ("ann", True, True)
    late = Visitor(doors.url).open(f"/hub/invite?code={SETUP}")
    assert late.status == 410
    assert "has its administrator" in late.words


def test_nobody_comes_in_without_an_invitation(doors: Hub, ann: Http) -> None:
    for name, password in (("mallory", GOOD), ("ann", "wrong password"), ("bob", ""), ("ann", "x" * 100)):
        page = Visitor(doors.url).sign_in(name, password)
        assert "Invalid username or password" in page.words
    assert Visitor(doors.url).open("/hub/signup").status == 404
    assert Visitor(doors.url).open("/hub/invite?code=0123456789012345").status == 404
    assert Visitor(doors.url).sign_in("ann", GOOD).url.endswith("/hub/home")


def test_a_link_makes_a_member_of_the_team(doors: Hub, ann: Http) -> None:
    made = ann.call(invite, Invite(team="radiology", times=2))
    page = Visitor(doors.url).open(made.url)
    assert "ann invites you to the team radiology" in page.words
    assert sign_up(doors, made.url, "Dora").url.endswith("/hub/home")
    me = doors.asks(doors.sign_in("dora")).call(get_me, Nothing())
    assert (me.name, me.team, me.admin) == ("dora", "radiology", False)
    assert Visitor(doors.url).sign_in("dora", GOOD).url.endswith("/hub/home")
    listed = {one.id: one for one in ann.call(list_invitations, Nothing()).invitations}
    assert (listed[made.invitation.id].uses, listed[made.invitation.id].state) == (["dora"], "open")
    assert sign_up(doors, made.url, "emil").url.endswith("/hub/home")
    used = Visitor(doors.url).open(made.url)
    assert (used.status, "This invitation was used" in used.words) == (410, True)


@pytest.mark.parametrize(
    ("name", "password", "again", "said"),
    [
        ("fay", "short", None, "at least 10 characters"),
        ("fay", GOOD, "another sentence", "passwords differ"),
        ("fay", "1234567890", None, "Many people"),
        ("fay", "ä" * 40, None, "at most 72"),
        ("", GOOD, None, "letters, digits"),
        ("a/../b", GOOD, None, "letters, digits"),
        ("..", GOOD, None, "letters, digits"),
        ("\u0430nn", GOOD, None, "letters, digits"),  # which looks like ann
        ("ann", GOOD, None, "is taken"),
        ("bob", GOOD, None, "is taken"),  # whom the values name, and who has no password yet
    ],
)
def test_what_is_not_taken_is_said(
    doors: Hub, ann: Http, name: str, password: str, again: str | None, said: str
) -> None:
    made = ann.call(invite, Invite(team="radiology"))
    page = sign_up(doors, made.url, name, password, again)
    assert (page.status, said in page.words) == (409, True), page.words
    (same,) = (
        one for one in ann.call(list_invitations, Nothing()).invitations if one.id == made.invitation.id
    )
    assert same.state == "open"


def test_who_is_named_alone_can_use_a_link_and_choose_a_new_password_by_it(doors: Hub, ann: Http) -> None:
    made = ann.call(invite, Invite(person="bob"))
    page = Visitor(doors.url).fill(
        f"{made.url}&next=/hub/home", username="mallory", password=GOOD, again=GOOD
    )
    assert page.url.endswith("/hub/home")
    people = {one.name: one for one in ann.call(list_people, Nothing()).people}
    assert people["bob"].teams == ["radiology"]
    assert "mallory" not in people
    before = Visitor(doors.url)
    before.sign_in("bob", GOOD)
    other = ann.call(invite, Invite(person="bob"))
    assert sign_up(doors, other.url, "bob", "another long sentence").url.endswith("/hub/home")
    assert "login" in before.open("/hub/home").url  # whoever was signed in has to prove it again
    assert "Invalid" in Visitor(doors.url).sign_in("bob", GOOD).words


def test_of_many_who_click_at_once_as_many_come_in_as_were_invited(doors: Hub, ann: Http) -> None:
    made = ann.call(invite, Invite(team="crowd", times=3))
    with ThreadPoolExecutor(8) as pool:
        came = list(pool.map(lambda n: sign_up(doors, made.url, f"crowd{n}"), range(8)))
    assert sorted(one.status for one in came) == [200] * 3 + [410] * 5
    assert sum("crowd" in one.teams for one in ann.call(list_people, Nothing()).people) == 3


def test_a_link_that_was_taken_back_or_is_old_says_so(doors: Hub, ann: Http) -> None:
    made = ann.call(invite, Invite(team="radiology"))
    assert ann.call(revoke_invitation, InvitationRef(made.invitation.id)).done
    assert not ann.call(revoke_invitation, InvitationRef(made.invitation.id)).done
    assert "taken back" in sign_up_fails(doors, made.url)
    short = ann.call(invite, Invite(team="radiology", days=1e-7))
    assert "has expired" in sign_up_fails(doors, short.url)


def sign_up_fails(hub: Hub, link: str) -> str:
    page = Visitor(hub.url).open(link)
    assert page.status == 410
    return page.words


def test_who_has_an_account_comes_into_another_team(doors: Hub, ann: Http) -> None:
    visitor = Visitor(doors.url)
    visitor.sign_in("ann", GOOD)
    made = ann.call(invite, Invite(team="pathology"))
    assert "You are signed in as ann" in visitor.open(made.url).words
    visitor.fill(f"{made.url}&next=%2Fhub%2Fhome")
    (found,) = (one for one in ann.call(list_people, Nothing()).people if one.name == "ann")
    assert found.teams == ["pathology"]


def test_who_has_an_account_signs_in_on_the_way(doors: Hub, ann: Http) -> None:
    made = ann.call(invite, Invite(team="second"))
    visitor = Visitor(doors.url)
    asked = visitor.fill(made.url, known="yes")
    assert "/hub/login" in asked.url
    assert made.url.rpartition("=")[2] not in asked.url
    assert visitor.fill(asked.url, username="ann", password=GOOD).url.endswith("/hub/home")
    (found,) = (one for one in ann.call(list_people, Nothing()).people if one.name == "ann")
    assert "second" in found.teams


def test_a_link_is_not_kept(doors: Hub, ann: Http) -> None:
    token = ann.call(invite, Invite(team="radiology")).url.rpartition("=")[2]
    stored = (doors.folder / "hub.sqlite").read_bytes()
    assert token.encode() not in stored
    assert SETUP.encode() not in stored
    Visitor(doors.url).open(f"/hub/invite?code={token}")
    assert token not in (doors.folder / "hub.log").read_text()


def test_another_password(doors: Hub, ann: Http) -> None:
    made = ann.call(invite, Invite())
    sign_up(doors, made.url, "gus")
    visitor, elsewhere = Visitor(doors.url), Visitor(doors.url)
    for one in (visitor, elsewhere):
        one.sign_in("gus", GOOD)
    changed = {"password": "quite another one", "again": "quite another one"}
    assert "not your present password" in visitor.fill("/hub/password", now="wrong", **changed).words
    assert "was changed" in visitor.fill("/hub/password", now=GOOD, **changed).words
    assert "Another password" in visitor.open("/hub/password").words
    assert "login" in elsewhere.open("/hub/home").url


def test_what_cannot_be_is_refused_in_words(doors: Hub, ann: Http) -> None:
    refused = [
        (Invite(team="../etc"), "invalid_request|invalid_team"),
        (Invite(team="Radiology"), "invalid_team"),
        (Invite(person="Bob"), "invalid_name"),
        (Invite(person="bob", times=2), "invalid_invitation"),
    ]
    for asked, code in refused:
        with pytest.raises(BluenoError) as said:
            ann.call(invite, asked)
        assert re.fullmatch(code, said.value.code)
    with pytest.raises(BluenoError) as said:
        ann.call(add_to_team, Membership("radiology", "nobody"))
    assert said.value.code == "person_not_found"
