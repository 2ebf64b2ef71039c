"""What a failed request to the Hugging Face Hub means, and retries where they help.

A failure is permanent (no access, not found, not a parquet file) or temporary (rate limits, server errors, broken
connections). Messages are made here from status codes: those of the libraries may quote signed addresses, and their
exceptions hold the request with its token, so they are never chained to ours.
"""

import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import pyarrow as pa

from stackfim.pipeline.sources.source import SourceError, SourceUnavailable

TRIES = 6
"""Tries without any progress before giving up; the library itself sends each request up to 6 times."""

MAX_WAIT_S = 60.0
MAX_RETRY_AFTER_S = 900.0
_TEMPORARY_STATUS = (408, 425, 429)

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class HubPlace:
    """What a request was about."""

    dataset: str
    revision: str = ""
    path: str = ""

    def __str__(self) -> str:
        """The address, as messages show it."""
        path = f"/{self.path}" if self.path else ""
        revision = f"@{self.revision}" if self.revision else ""
        return f"hf://datasets/{self.dataset}{revision}{path}"


@dataclass(frozen=True)
class Failure:
    """Why a request failed, and whether another try can help."""

    message: str
    """What happened and what to do, without a secret."""
    permanent: bool
    retry_after_s: float = 0.0


def explain(error: BaseException, place: HubPlace) -> Failure | None:
    """The failure behind an exception of `huggingface_hub`, `datasets` or Arrow; None for other exceptions."""
    chain = list(_chain(error))
    for link in chain:
        response = getattr(link, "response", None)
        if response is not None and hasattr(response, "status_code"):
            return _from_status(response, place)
    for link in chain:
        reason = _reason(link)
        if type(link).__name__ == "OfflineModeIsEnabled":
            return Failure(f"{place} cannot be read in offline mode; unset HF_HUB_OFFLINE", permanent=True)
        if isinstance(link, FileNotFoundError):
            return Failure(f"{place} was not found ({reason})", permanent=True)
        if _is_connection_error(link):
            return Failure(f"{place} did not answer ({reason})", permanent=False)
        if isinstance(link, pa.ArrowException):
            return Failure(f"{place} is not a parquet file that can be read ({reason})", permanent=True)
        if type(link).__name__ in ("HFValidationError", "HfUriError"):
            return Failure(f"{place} is not a name that the Hub accepts ({reason})", permanent=True)
        if isinstance(link, OSError):
            return Failure(f"{place} could not be read ({reason})", permanent=False)
    return None


def wait_before_try(attempt: int, failure: Failure) -> float:
    """Seconds to wait before retry number `attempt`, from 1: 1, 2, 4 and so on, or as long as the Hub requests."""
    backoff_s = min(MAX_WAIT_S, 2.0 ** (attempt - 1))
    return max(backoff_s, min(MAX_RETRY_AFTER_S, failure.retry_after_s))


def retrying(action: Callable[[], _Result], place: HubPlace) -> _Result:
    """The result of `action`, called up to TRIES times.

    Raises SourceError for a permanent failure, SourceUnavailable when no try worked; other exceptions pass.
    """
    attempt = 0
    while True:
        try:
            return action()
        except Exception as error:
            failure = explain(error, place)
            if failure is None:
                raise
        attempt += 1
        _wait_or_give_up(attempt, failure)


def resuming(open_batches: Callable[[], Iterable[pa.RecordBatch]], place: HubPlace) -> Iterator[pa.RecordBatch]:
    """The rows of `open_batches()`, each once and in order, although reading may break anywhere.

    After a temporary failure it opens them again and skips the rows that it has given already; each new row resets the
    count of tries. Raises the same exceptions as `retrying`.
    """
    given = 0
    attempt = 0
    while True:
        skipped = 0
        try:
            for batch in open_batches():
                fresh = batch.slice(min(given - skipped, batch.num_rows))
                skipped += batch.num_rows - fresh.num_rows
                if fresh.num_rows:
                    given += fresh.num_rows
                    skipped += fresh.num_rows
                    attempt = 0
                    yield fresh
            return
        except Exception as error:
            failure = explain(error, place)
            if failure is None:
                raise
        attempt += 1
        _wait_or_give_up(attempt, failure)


def _wait_or_give_up(failures: int, failure: Failure) -> None:
    """Must be called outside the except block, so that the library's exception is not chained to the one raised here."""
    if failure.permanent:
        raise SourceError(failure.message)
    if failures >= TRIES:
        raise SourceUnavailable(f"{failure.message}; gave up after {failures} tries")
    wait_s = wait_before_try(failures, failure)
    _log.warning("%s; waiting %g s before try %d of %d", failure.message, wait_s, failures + 1, TRIES)
    time.sleep(wait_s)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and those that caused it, each once."""
    seen: list[int] = []
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.append(id(link))
        yield link
        link = link.__cause__ or link.__context__


class _Request(Protocol):
    headers: Mapping[str, str]


class _Response(Protocol):
    """What is used of an HTTP library's response."""

    status_code: int
    headers: Mapping[str, str]
    request: _Request


def _from_status(response: _Response, place: HubPlace) -> Failure:
    status = response.status_code
    token = "with a token" if "authorization" in response.request.headers else "without a token"
    code = response.headers.get("X-Error-Code")
    dataset = place.dataset
    how_to_log_in = "log in with `hf auth login` or set HF_TOKEN to a token that may read it"
    if code == "RevisionNotFound":
        return Failure(
            f"dataset {dataset} has no revision {place.revision!r}; expected a branch, a tag or a commit",
            permanent=True,
        )
    if code == "EntryNotFound":
        return Failure(f"dataset {dataset} has no {place.path!r} at revision {place.revision}", permanent=True)
    if code == "RepoNotFound" or (status == 404 and not code):
        return Failure(
            f"dataset {dataset} was not found (HTTP {status}, requested {token}): check the name; "
            f"if it is private, {how_to_log_in}",
            permanent=True,
        )
    if status in (401, 403):
        return Failure(
            f"no access to dataset {dataset} (HTTP {status}, requested {token}): accept its terms on {_page(dataset)} "
            f"if it has any, then {how_to_log_in}",
            permanent=True,
        )
    temporary = status in _TEMPORARY_STATUS or status >= 500
    retry_after_s = _retry_after_s(response.headers.get("Retry-After"))
    return Failure(f"the request for {place} was answered with HTTP {status}", not temporary, retry_after_s)


def _page(dataset: str) -> str:
    """The address of the dataset's page, without a user name or password that HF_ENDPOINT may hold."""
    from huggingface_hub import constants

    return f"{re.sub('//[^/]*@', '//', constants.ENDPOINT)}/datasets/{dataset}"


def _retry_after_s(value: str | None) -> float:
    """Seconds from a Retry-After header; 0 where there is none or where it is a date."""
    return float(value) if value is not None and value.strip().isdigit() else 0.0


def _is_connection_error(error: BaseException) -> bool:
    """Broken connections and timeouts: Python's own, and those of the HTTP library, whatever its package is called."""
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    return any(base.__name__ == "RequestError" and base.__module__.startswith("httpx") for base in type(error).__mro__)


def _reason(error: BaseException) -> str:
    """Type and first line of an exception, without the queries of addresses, which may be signatures."""
    first_line = re.sub(r"\?\S+", "", str(error).strip().partition("\n")[0])
    return f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__
