"""What tests of the simulator as a process share: its paths, and a plain HTTP client."""

from __future__ import annotations

from typing import Any

import requests

RANGE = "/v2/aggs/ticker/{}/range/1/day/{}/{}"
GROUPED = "/v2/aggs/grouped/locale/us/market/stocks/"
TICKERS = "/v3/reference/tickers"
SPLITS = "/v3/reference/splits"
SNAPSHOT = "/v2/snapshot/locale/us/markets/stocks/tickers"
STATUS = "/v1/marketstatus/now"
UPCOMING = "/v1/marketstatus/upcoming"


def ask(url: str, **query: object) -> Any:
    """Return the JSON of a good answer."""
    answer = requests.get(url, params=query, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def all_pages(url: str, **query: object) -> tuple[list[Any], int]:
    """Return the results of all pages, and how many pages they were."""
    page = ask(url, **query)
    found, pages = page["results"], 1
    while "next_url" in page:
        page = ask(page["next_url"])
        found, pages = found + page["results"], pages + 1
    return found, pages


def move_clock(base_url: str, now: str) -> dict[str, Any]:
    """Set the time of a simulator."""
    answer = requests.post(f"{base_url}/simulator/clock", json={"now": now}, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def change_faults(base_url: str, *faults: str, after: int = 0) -> None:
    """Let a simulator fail in these ways after so many true answers, and in no others."""
    body = {"faults": faults, "after": after}
    answer = requests.post(f"{base_url}/simulator/faults", json=body, timeout=10)
    assert answer.status_code == 200, answer.text
