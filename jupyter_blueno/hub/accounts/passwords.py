"""Accounts with a password of this hub, for teams that have no identity provider.

The table and its bcrypt hashes are NativeAuthenticator's, its open sign-up is not:
an account comes into being by an invitation alone.
"""

from __future__ import annotations

import asyncio
from typing import Any

import bcrypt
from nativeauthenticator import NativeAuthenticator
from nativeauthenticator.orm import UserInfo
from traitlets import default

LONGEST = 72  # bytes of a password: bcrypt knows no more
# What a password is compared with that nobody has: who asks learns by no delay which names there are.
_NOBODY = bcrypt.hashpw(b"nobody", bcrypt.gensalt())


class Passwords(NativeAuthenticator):
    """People sign in by name and password; both are chosen by who opens an invitation."""

    @default("enable_signup")
    def _enable_signup_default(self) -> bool:
        return False

    @default("minimum_password_length")
    def _minimum_password_length_default(self) -> int:
        return 10

    @default("check_common_password")
    def _check_common_password_default(self) -> bool:
        return True

    @default("allowed_failed_logins")
    def _allowed_failed_logins_default(self) -> int:
        return 10

    @default("seconds_before_next_try")
    def _seconds_before_next_try_default(self) -> int:
        return 120

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:
        """The name of who knows the password; None, too, for a while after many wrong ones."""
        name = self.normalize_username(data["username"])
        if self.is_blocked(name):
            return None
        account = self.get_user(name)
        good = await _matches(data["password"], account.password if account else _NOBODY)
        if account is not None and account.is_authorized and good:
            self.successful_login(name)
            return str(name)
        self.add_login_attempt(name)
        return None

    def check_allowed(self, username: str, authentication: Any = None) -> bool:
        return self.get_user(username) is not None

    async def knows(self, name: str, password: str) -> bool:
        """Whether this is somebody's password."""
        account = self.get_user(name)
        return account is not None and await _matches(password, account.password)

    def refusal(self, password: str, again: str) -> str | None:
        """Why a password is not taken; None: it is."""
        if password != again:
            return "The two passwords differ."
        if len(password) < self.minimum_password_length:
            return f"A password has at least {self.minimum_password_length} characters."
        if len(password.encode()) > LONGEST:
            return f"A password has at most {LONGEST} characters, letters with accents counting twice."
        if "\0" in password or (self.check_common_password and self.is_password_common(password)):
            return "Many people have this password; choose another."
        return None

    async def account(self, name: str, password: str) -> UserInfo:
        """What is to be added to the database for a new account."""
        return UserInfo(username=name, password=await hashed(password), is_authorized=True)

    def get_handlers(self, app: Any) -> list[Any]:
        from jupyter_blueno.hub.accounts import pages

        return list(pages.OF_PASSWORDS)


async def hashed(password: str) -> bytes:
    """The hash; it takes a fifth of a second, in which the hub does other things."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, lambda: bcrypt.hashpw(password.encode(), bcrypt.gensalt()))


async def _matches(password: str, known: bytes) -> bool:
    given = password.encode()
    if len(given) > LONGEST or b"\0" in given:
        return False
    return await asyncio.get_running_loop().run_in_executor(None, bcrypt.checkpw, given, known)
