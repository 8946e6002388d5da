"""Who asks the hub's service: people and jobs, and how often."""

from __future__ import annotations

import hmac
import math
from typing import Any

import msgspec
from tornado import web

from jupyter_blueno.api.context import Context
from jupyter_blueno.api.operation import Operation
from jupyter_blueno.catalog.model import User
from jupyter_blueno.client.transport import TEAM_HEADER
from jupyter_blueno.errors import BluenoError
from jupyter_blueno.hub import admission, audit, jobs
from jupyter_blueno.hub.jobs import AsJob
from jupyter_blueno.hub.people import People
from jupyter_blueno.hub.rates import Rates
from jupyter_blueno.hub.teams import Teams
from jupyter_blueno.server.handlers.changes import Waiting
from jupyter_blueno.server.handlers.operation import Serving, status_of

BODY_LIMIT = 64 << 20  # bytes: rows of many samples; what jobs take along does not come here


@web.stream_request_body
class ServiceHandler(Serving):
    """Serves the operations to people with a token of the hub, and to jobs with one of their own.

    There are no cookies here, so nothing that a page could do in somebody's name.
    """

    user: User | None = None
    job: AsJob | None = None

    def initialize(self, methods: dict[str, Operation[Any, Any]] | None = None, **kwargs: Any) -> None:
        super().initialize(methods, **kwargs)
        self._pieces: list[bytes] = []

    async def prepare(self) -> None:
        """Find out who asks, and how often; only then the body is read."""
        if int(self.request.headers.get("Content-Length") or 0) > BODY_LIMIT:
            self.problem(413, "too_large", f"A request has at most {BODY_LIMIT >> 20} MB; send several.")
            return
        rates: dict[str, Rates] = self.settings["rates"]
        # Not what a header says: who guesses tokens would say something else each time.
        address = str(self.request.connection.context.address[0])  # type: ignore[union-attr]
        if self._too_often(rates["strangers"], address):
            return
        kind, _, token = self.request.headers.get("Authorization", "").partition(" ")
        try:
            if kind.lower() in ("token", "bearer"):
                await self.sign_in(token.strip())
        except BluenoError as error:
            self.problem(status_of(error), error.code, error.message)
            return
        if self.user is None:
            rates["strangers"].count(address)
            self.problem(
                403, "http_403", "The token is missing, out of date, or not for this service. Sign in again."
            )

        else:
            who = self.job.id if self.job else self.user.name
            if not self._too_often(rates["known"], who):
                rates["known"].count(who)

    def _too_often(self, rates: Rates, who: str) -> bool:
        wait = rates.wait(who)
        if not wait:
            return False
        self.set_header("Retry-After", str(math.ceil(wait)))
        self.problem(
            429, "too_many_requests", f"More than {rates.per_minute:,} requests in a minute. Wait a moment."
        )
        return True

    def data_received(self, chunk: bytes) -> None:
        self._pieces.append(chunk)

    async def sign_in(self, token: str) -> None:
        """Set `user`, and `job` if it is one."""
        job_id = self.teams.tokens.job_of(token)
        if job_id is not None:
            self.job = await self.in_thread(jobs.asking, self.teams, job_id)
            self.user = self.job.user if self.job else None
        elif token:
            people: People = self.settings["people"]
            model = await people.who(token)
            if model is not None:
                self.user = people.member(model, self.request.headers.get(TEAM_HEADER))

    async def serve(self, method: str, path: dict[str, str]) -> None:
        operation = self.methods.get(method)
        if operation is not None and operation.local:
            self.problem(
                404,
                "files_elsewhere",
                "The hub's service reads no files that somebody names. Ask this of your notebook server.",
            )
            return
        await super().serve(method, path)

    def parse(self, operation: Operation[Any, Any], path: dict[str, str]) -> Any:
        self.request.body = b"".join(self._pieces)
        return super().parse(operation, path)

    async def answer(self, operation: Operation[Any, Any], ask: Any) -> Any:
        if not audit.is_act(operation):
            return await self._answered(operation, ask)
        code = ""
        try:
            return await self._answered(operation, ask)
        except BaseException as error:
            code = getattr(error, "code", "error")
            raise
        finally:
            assert self.user is not None
            job_id = self.job.id if self.job else None
            noted = (self.teams.database.of(self.user.team), self.user, job_id, operation, ask, code)
            await self.in_thread(audit.note, *noted)

    async def _answered(self, operation: Operation[Any, Any], ask: Any) -> Any:
        if self.job is not None:
            await self.in_thread(jobs.check, self.teams, self.job, operation, ask)
        return await super().answer(operation, ask)

    @property
    def teams(self) -> Teams:
        teams: Teams = self.settings["teams"]
        return teams

    def get_current_user(self) -> User | None:
        return self.user

    async def may(self, operation: Operation[Any, Any]) -> bool:
        return True  # what is whose is said by the rooms

    def context(self) -> Context:
        assert self.user is not None
        return self.teams.context(self.user)


@web.stream_request_body
class ServiceChanges(Waiting, ServiceHandler):
    """The long poll of the service."""


@web.stream_request_body
class EndedHandler(ServiceHandler):
    """Hears from the hub, and nobody else, that a notebook server is over."""

    async def sign_in(self, token: str) -> None:
        told: str = self.settings["of_the_hub"]
        if hmac.compare_digest(token.encode(), told.encode()):
            self.user = User("the hub", "")

    async def serve(self, method: str, path: dict[str, str]) -> None:
        if method != "POST":
            raise web.HTTPError(405)
        try:
            one = msgspec.json.decode(b"".join(self._pieces), type=admission.Ended)
        except (msgspec.DecodeError, RecursionError) as error:
            self.problem(400, "invalid_request", f"The request is not as documented: {error}.")
            return
        self.finish({"done": await self.in_thread(self.teams.notebook_ended, one.owner, one.server)})
