"""`blueno.job`: finds a job, or makes a function one that can be sent off as a job.

Also loaded inside of jobs whose Python has little installed: the rest of Blueno
is imported when something is submitted.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

if TYPE_CHECKING:
    from typing import Unpack

    from jupyter_blueno.client.job_display import JobList
    from jupyter_blueno.client.jobs import Job
    from jupyter_blueno.client.options import Options

P = ParamSpec("P")
R = TypeVar("R")


@overload
def job(id: str, /) -> Job: ...
@overload
def job(function: Callable[P, R], /) -> JobFunction[P, R]: ...
@overload
def job(**options: Unpack[Options]) -> JobDecorator: ...
def job(what: Any = None, /, **options: Any) -> Any:
    """Find a job, or make a function one that can be submitted.

    ``blueno.job("3fa9")`` is the job with this id: the whole of it, its first
    characters, or a name (the newest so called).

    ``@blueno.job(gpu=1, memory="8G")`` above a function leaves it as it is, and
    adds `submit`, which sends it off with these options. Those of
    `blueno.submit` may be given; ``@blueno.job`` alone takes none.

    Returns
    -------
    Job or JobFunction

    Raises
    ------
    NotFound
        If there is no such job.

    Examples
    --------
    >>> @blueno.job(gpu=1, memory="8G")
    ... def train(lr, epochs=5): ...
    >>> train(0.1)  # here and now
    >>> job = train.submit(lr=0.1)  # in the background
    >>> blueno.job(job.id).state
    """
    from jupyter_blueno.client.options import refuse_unknown

    refuse_unknown(options)
    if what is None:
        return JobDecorator(options)
    if callable(what):
        return JobDecorator(options)(what)
    if options:
        from jupyter_blueno.errors import InvalidInput

        raise InvalidInput(
            f"blueno.job({what!r}) finds a job; it takes no {', '.join(options)}. Options go to the "
            "decorator: @blueno.job(gpu=1) above a function.",
            code="bad_arguments",
        )
    from jupyter_blueno.client.jobs import find

    return find(what)


class JobDecorator:
    """What ``@blueno.job(gpu=1)`` puts above a function."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options

    def __call__(self, function: Callable[P, R]) -> JobFunction[P, R]:
        if isinstance(function, JobFunction):
            return JobFunction(function.function, {**function.options, **self.options})
        if not callable(function):
            from jupyter_blueno.errors import InvalidInput

            raise InvalidInput(
                f"@blueno.job stands above a function, not above a {type(function).__name__}.",
                code="not_a_function",
            )
        return JobFunction(function, self.options)

    def __repr__(self) -> str:
        given = _words(self.options)
        name = self.options.get("name")
        found = f", or to find a job by its name blueno.job({name!r})" if name else ""
        return f"<@blueno.job({given}): write it above a function{found}>"


class JobFunction(Generic[P, R]):
    """A function that is called as ever, and sent off as a job by `submit`.

    Attributes
    ----------
    function : callable
        As it was defined.
    options : dict
        What its jobs are given: ``{"gpu": 1}``.
    """

    __name__: str  # as the function's

    def __init__(self, function: Callable[P, R], options: dict[str, Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.options = options

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def submit(self, *args: P.args, **kwargs: P.kwargs) -> Job:
        """Run it with these arguments as a background job.

        All arguments are the function's; for other options than those of the
        decorator see `using`.

        Raises
        ------
        InvalidInput
            If the function does not take them, or something cannot be sent.
        TooLarge
        """
        from jupyter_blueno.client.submit import submit_function

        return submit_function(self.function, args, kwargs, self.options)  # type: ignore[arg-type]

    def map(self, *values: Iterable[Any]) -> JobList:
        """One job for each value, as `blueno.map` starts them."""
        from jupyter_blueno.client.submit import map

        return map(self, *values)

    def using(self, **options: Unpack[Options]) -> JobFunction[P, R]:
        """The same function with some options changed: ``train.using(gpu=2).submit(0.1)``."""
        from jupyter_blueno.client.options import refuse_unknown

        refuse_unknown(options)
        return JobFunction(self.function, {**self.options, **options})

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """As a method it is bound like any other."""
        if instance is None:
            return self
        return JobFunction(self.function.__get__(instance, owner), self.options)

    def __repr__(self) -> str:
        given = _words(self.options)
        return f"<{getattr(self, '__qualname__', self.function)!s}: blueno.job({given})>"


def _words(options: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in options.items())
