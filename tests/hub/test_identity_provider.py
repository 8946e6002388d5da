"""People who sign in at an OIDC provider: its groups are teams, and an invitation lets others in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import oidc_provider_mock
import pytest
import sqlalchemy as sa
import yaml

from jupyter_blueno.api.departures import LetGo, let_go
from jupyter_blueno.api.operation import Nothing
from jupyter_blueno.api.people import Invite, Me, get_me, invite, list_people
from jupyter_blueno.client.transport import Http
from jupyter_blueno.errors import Conflict
from jupyter_blueno.jobs.testing import until
from tests.hub.conftest import Hub, started_hub
from tests.hub.test_invitations import SETUP
from tests.hub.visitor import Seen, Visitor

GROUPS = {"ann": [], "rae": ["radiology", "Not a team"], "eve": ["elsewhere"], "guest": [], "late": []}
GUIDE = "docs/operator.md"


@pytest.fixture(scope="module")
def doors(
    tmp_path_factory: pytest.TempPathFactory, postgres: sa.Engine, pytestconfig: pytest.Config
) -> Iterator[Hub]:
    """A hub as the operator's guide describes it, beside a provider that knows some people."""
    people = [
        oidc_provider_mock.User(sub=name, claims={"preferred_username": name, "groups": groups})
        for name, groups in GROUPS.items()
    ]
    with oidc_provider_mock.run_server_in_thread(user_claims=people) as server:
        provider = f"http://localhost:{server.server_port}"
        folder = tmp_path_factory.mktemp("provided")
        patch = pytest.MonkeyPatch()
        patch.setenv("BLUENO_SETUP_TOKEN", SETUP)
        patch.setenv("OAUTH_CLIENT_ID", "blueno")
        patch.setenv("OAUTH_CLIENT_SECRET", "of the tests")
        told = _guide((pytestconfig.rootpath / GUIDE).read_text(), provider)
        with started_hub(folder, postgres, "provided", authentication=told) as started:
            patch.undo()
            yield started


def _guide(page: str, provider: str) -> dict[str, Any]:
    """The values of the guide's example, for another provider."""
    example = page.partition("generic-oauth\n")[0].rpartition("```yaml\n")[2]
    text = example + "generic-oauth\n" + page.partition("generic-oauth\n")[2].partition("```")[0]
    told: dict[str, Any] = yaml.safe_load(text)["hub"]["authentication"]
    told |= {"authorize_url": f"{provider}/oauth2/authorize", "token_url": f"{provider}/oauth2/token"}
    told |= {"userdata_url": f"{provider}/userinfo", "scope": ["openid", "profile"]}
    told.pop("oauth_callback_url")
    return {**told, "redirect_to_server": False}


def comes(hub: Hub, name: str, link: str = "") -> Seen:
    """Somebody signs in at the provider, perhaps by a link."""
    visitor = Visitor(hub.url)
    asked = visitor.fill(link) if link else visitor.open("/hub/oauth_login?next=%2Fhub%2Fhome")
    assert "Authorize Client" in asked.words
    return visitor.open(asked.url, {"sub": name})


def who(hub: Hub, name: str) -> Me:
    return hub.asks(hub.sign_in(name)).call(get_me, Nothing())


@pytest.fixture(scope="module")
def ann(doors: Hub) -> Http:
    """Who opened the first link: no group says that they may come in."""
    assert comes(doors, "ann", f"/hub/invite?code={SETUP}").url.endswith("/hub/home")
    return doors.asks(doors.sign_in("ann"))


def test_the_first_link_makes_an_administrator(doors: Hub, ann: Http) -> None:
    assert (who(doors, "ann").admin, who(doors, "ann").team) == (True, "team")
    comes(doors, "ann")  # whom no group of the provider makes one
    assert who(doors, "ann").admin


def test_groups_of_the_provider_are_teams(doors: Hub, ann: Http) -> None:
    assert comes(doors, "rae").url.endswith("/hub/home")
    assert (who(doors, "rae").teams, who(doors, "rae").admin) == (["radiology"], False)
    with pytest.raises(Conflict, match="decided where people sign in"):
        ann.call(invite, Invite(team="radiology"))


def test_a_stranger_comes_in_by_invitation_only(doors: Hub, ann: Http) -> None:
    assert comes(doors, "eve").status == 403
    link = ann.call(invite, Invite()).url
    comes(doors, "guest", link)
    assert who(doors, "guest").team == "team"
    assert comes(doors, "guest").url.endswith("/hub/home")  # later without the link
    assert Visitor(doors.url).open(link).status == 410
    assert comes(doors, "eve").status == 403
    assert "eve" not in {one.name for one in ann.call(list_people, Nothing()).people}


def test_who_left_does_not_come_back_whatever_the_provider_says(doors: Hub, ann: Http) -> None:
    comes(doors, "rae")
    until(lambda: ann.call(let_go, LetGo("rae", cancel_jobs=True)).done, "rae to be gone")
    page = comes(doors, "rae")
    assert (page.status, "was closed" in page.words) == (403, True)
    assert "rae" not in {one.name for one in ann.call(list_people, Nothing()).people}
