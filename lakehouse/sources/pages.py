"""Pages of JSON of an endpoint, asked again with patience where it fails."""

import json
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import httpx
from tenacity import (
    RetryError,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from lakehouse.errors import InputMissing
from lakehouse.sources.declared import Source
from lakehouse.sources.outgoing import Row

# An endpoint that goes on for ever is a mistake.
MOST_PAGES = 1_000_000
LONGEST_WAIT = 30.0


class _Again(Exception):
    """An answer that may be better next time."""


def rows_of(source: Source, period: str) -> Iterator[list[Row]]:
    """Yield the rows of each page. Raises InputMissing where a page does not come, or is no page.

    Numbers stay as they are written.
    """
    address = source.address().replace("{period}", period)
    token = os.environ.get(source.token_env) if source.token_env else None
    if source.token_env and not token:
        raise InputMissing(f"{source.name}: set {source.token_env} in the environment.")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    asked: set[tuple[str, str]] = set()
    more: dict[str, str] = {source.page: "1"} if source.page else {}
    with httpx.Client(headers=headers, timeout=source.seconds, follow_redirects=True) as client:
        for number in range(1, MOST_PAGES):
            place = (address, repr(more))
            if place in asked:
                raise InputMissing(f"{source.name}: page {number} is one that was there before.")
            asked.add(place)
            answer = _page(client, source, address, more, number)
            rows = _inside(answer, source.rows)
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise InputMissing(
                    f"{source.name}: page {number} has no list of objects at {source.rows!r}."
                )
            yield rows
            following = _inside(answer, source.next) if source.next else None
            if source.page and rows:
                more = {source.page: str(number + 1)}
            elif following and source.cursor:
                more = {source.cursor: str(following)}
            elif following:
                address, more = urljoin(address, str(following)), {}
            else:
                return


def _page(
    client: httpx.Client, source: Source, address: str, more: dict[str, str], number: int
) -> Any:
    retrying = Retrying(
        stop=stop_after_attempt(source.tries),
        wait=wait_exponential_jitter(initial=0.2, max=LONGEST_WAIT),
        retry=retry_if_exception_type((_Again, httpx.TransportError)),
    )
    try:
        for attempt in retrying:
            with attempt:
                return _asked(client, address, more)
    except RetryError as error:
        last = error.last_attempt.exception()
        why = str(last) if isinstance(last, _Again) else type(last).__name__
        raise InputMissing(
            f"{source.name}: page {number} did not come in {source.tries} tries ({why}). Nothing "
            "was delivered; the next run begins anew."
        ) from None
    except httpx.HTTPStatusError as error:
        raise InputMissing(
            f"{source.name}: page {number} was answered with {error.response.status_code}."
        ) from None
    except ValueError:
        raise InputMissing(f"{source.name}: page {number} is no JSON.") from None
    raise AssertionError("tenacity tries at least once")


def _asked(client: httpx.Client, address: str, more: dict[str, str]) -> Any:
    answer = client.get(address, params=more or None)
    if answer.status_code == 429 or answer.status_code >= 500:
        raise _Again(f"answered with {answer.status_code}")
    answer.raise_for_status()
    return json.loads(answer.content, parse_int=str, parse_float=str)


def _inside(answer: Any, path: str) -> Any:
    """Return what is at a path such as `data.items`; the whole answer for none."""
    for step in filter(None, path.split(".")):
        answer = answer.get(step) if isinstance(answer, dict) else None
    return answer
