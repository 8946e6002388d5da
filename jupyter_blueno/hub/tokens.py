"""What jobs, and the hub itself, prove themselves by to the service."""

from __future__ import annotations

import hashlib
import hmac
import re

_FORM = re.compile(r"blueno-job-([0-9a-f]{32})-([0-9a-f]{64})")


class JobTokens:
    """A token for each job, good until the job is over.

    Nothing is stored: a token is the HMAC-SHA256 of the job's id, so that a
    job that is started again, by whichever replica, has the same, and a
    database that leaks holds none.

    Parameters
    ----------
    secret : str
        Known to the service alone.
    """

    def __init__(self, secret: str) -> None:
        if not secret:
            raise ValueError("a secret is needed, or anybody could make tokens")
        self._key = hashlib.sha256(b"jupyter-blueno: tokens of jobs\0" + secret.encode()).digest()

    def of(self, job_id: str) -> str:
        """The token of a job."""
        return f"blueno-job-{job_id}-{self._sign(job_id)}"

    def job_of(self, token: str) -> str | None:
        """The id of the job whose token this is; None if it is nobody's."""
        found = _FORM.fullmatch(token)
        if found is None or not hmac.compare_digest(found[2], self._sign(found[1])):
            return None
        return found[1]

    def secret_of(self, what: str) -> str:
        """A secret for something else, from which none of the tokens follows."""
        return hmac.new(self._key, f"for {what}".encode(), hashlib.sha256).hexdigest()

    def _sign(self, job_id: str) -> str:
        return hmac.new(self._key, job_id.encode(), hashlib.sha256).hexdigest()


def of_the_hub(secret: str) -> str:
    """The token by which the hub tells the service something in nobody's name."""
    key = hashlib.sha256(b"jupyter-blueno: the hub itself\0" + secret.encode()).digest()
    return f"blueno-hub-{hmac.new(key, b'hub', hashlib.sha256).hexdigest()}"
