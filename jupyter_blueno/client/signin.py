"""Signing in to a Jupyter server by password, as its login page does."""

from __future__ import annotations

import http.client
import http.cookiejar
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from jupyter_blueno.errors import NotAllowed, Unavailable


def sign_in(url: str, password: str, timeout: float = 30) -> dict[str, str]:
    """Sign in and return the headers that show it in later requests.

    Parameters
    ----------
    url : str
        The server's base URL.
    password : str
    timeout : float
        Seconds to wait for each of the two answers.

    Raises
    ------
    NotAllowed
        ``wrong_password``; ``no_password_login``: the server is signed in to in another way.
    Unavailable
        If the server does not answer.
    """
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar), _NoRedirect())
    page = f"{url.rstrip('/')}/login"
    status = _open(opener, page, None, timeout)
    xsrf = next((cookie.value for cookie in jar if cookie.name == "_xsrf"), None)
    if status != 200 or xsrf is None:
        raise NotAllowed(
            f"{url} has no sign-in by password; pass a token instead (on a hub, from its page 'Token').",
            code="no_password_login",
        )
    form = urllib.parse.urlencode({"_xsrf": xsrf, "password": password}).encode()
    status = _open(opener, page, form, timeout)
    if status != 302:
        raise NotAllowed(f"{url} did not accept the password.", code="wrong_password")
    return {
        "Cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar),
        "X-XSRFToken": xsrf,
    }


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Where the page leads to afterwards is of no interest."""
        return


def _open(opener: urllib.request.OpenerDirector, page: str, form: bytes | None, timeout: float) -> int:
    try:
        with opener.open(page, form, timeout) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise Unavailable(
            f"There is no answer from {page} ({reason}). Is JupyterLab running?", code="server_unreachable"
        ) from error
