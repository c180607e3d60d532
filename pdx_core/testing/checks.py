"""What a conformance check is, and what comes out of running one."""

from __future__ import annotations

import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal, NoReturn

import attrs

from pdx_core.errors import MissingDependencyError, PdxError


class CheckFailure(AssertionError):
    """A component breaks its contract; the message says what was seen and what to change."""


class NotCheckable(Exception):
    """A check cannot be made here; the message says what it would need."""


# What a check raises where it cannot be made: a library that is missing is no fault of the component
NOT_CHECKABLE = (NotCheckable, MissingDependencyError)


def fail(seen: str, change: str) -> NoReturn:
    """Raise CheckFailure. seen: what is wrong, with the values; change: what the author has to do."""
    raise CheckFailure(f"{seen}\n    change: {change}")


@attrs.frozen
class Check:
    """One promise of one component. Calling it raises CheckFailure or NotCheckable, or does nothing.

    subject: "backbone TinyNet"
    title:   "gradients reach every trained parameter"
    """

    subject: str
    title: str
    function: Callable[[], None] = attrs.field(repr=False)

    def __call__(self) -> None:
        with warnings.catch_warnings():
            # Paddle's note on every first training step of a batch norm, about its own past
            warnings.filterwarnings("ignore", message="When training, we now always track")
            self.function()

    def __str__(self) -> str:
        return f"{self.subject}: {self.title}"

    @property
    def id(self) -> str:
        """A name without blanks, for pytest."""
        return str(self).replace(": ", "-").replace(" ", "_")


def checks_from(subject: str, functions: Iterable[Callable[..., None]], *arguments: Any) -> list[Check]:
    """One check per function, titled by the function's name and called with `arguments`."""
    return [
        Check(subject, function.__name__.replace("_", " "), partial(function, *arguments)) for function in functions
    ]


@attrs.frozen
class Outcome:
    """What came of a check.

    message: empty when it passed
    details: the traceback of an unexpected error
    seconds: it took
    """

    check: Check
    status: Literal["passed", "failed", "skipped"]
    message: str = ""
    details: str = ""
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "subject": self.check.subject,
            "check": self.check.title,
            "status": self.status,
            "message": self.message,
            "seconds": round(self.seconds, 3),
        }


def run_checks(checks: Iterable[Check]) -> Iterator[Outcome]:
    """Run one check after the other; an error of one never stops the next."""
    for check in checks:
        started = time.perf_counter()
        outcome = _run(check)
        yield attrs.evolve(outcome, seconds=time.perf_counter() - started)


def _run(check: Check) -> Outcome:
    try:
        check()
    except NOT_CHECKABLE as reason:
        return Outcome(check, "skipped", str(reason))
    except CheckFailure as failure:
        return Outcome(check, "failed", str(failure))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - an author's code may raise anything
        return Outcome(check, "failed", _unexpected(error), "".join(traceback.format_exception(error)))
    return Outcome(check, "passed")


def _unexpected(error: BaseException) -> str:
    """An error that no check foresaw, with the line of the author's code it came from."""
    message = str(error) if isinstance(error, PdxError) else f"raised {type(error).__name__}: {error}"
    here = Path(__file__).parent
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if here not in Path(frame.filename).parents]
    own = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    place = f"\n    change: look at {own[-1].filename}, line {own[-1].lineno}" if own else ""
    return message.strip() + place
