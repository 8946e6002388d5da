"""Tests of what counts processes: in a process that has none but theirs."""

from __future__ import annotations

import functools
import os
import tempfile
import traceback
from collections.abc import Callable


def alone(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test in a fork.

    A supervisor takes all processes below its own for the job's, and adopts
    orphans. Below the process of the tests there may be a Lab and a browser.
    """

    @functools.wraps(test)
    def run(*arguments: object, **named: object) -> None:
        with tempfile.TemporaryFile("w+") as said:
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    test(*arguments, **named)
                    code = 0
                except BaseException:
                    traceback.print_exc(file=said)
                    said.flush()
                finally:
                    os._exit(code)
            _, status = os.waitpid(child, 0)
            said.seek(0)
            assert status == 0, said.read()

    return run
