"""Claims of threads and processes on a real Valkey: whose they are, and who may give them up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from scanner.claims import claim, release
from scanner.owner import this_process, this_thread

KEY = "ms1:claim:test-1:2025-07-09"


def test_a_claim_is_one_thread_s_for_its_seconds(client):
    """Which may claim it again, as when it could not give it up."""
    assert claim(client, KEY, 60)
    assert claim(client, KEY, 60)
    assert 0 < client.ttl(KEY) <= 60
    with ThreadPoolExecutor(1) as other:
        assert not other.submit(claim, client, KEY, 60).result()
        other.submit(release, client, KEY).result()
        assert client.exists(KEY) == 1
        release(client, KEY)
        assert other.submit(claim, client, KEY, 60).result()


@pytest.mark.parametrize("holder", ["{this}0", "{cut}", "elsewhere/{this}", "\\udcff", ""])
def test_a_claim_of_another_thread_is_not_given_up(client, holder):
    """Also one whose name begins with this one's, and one that is none."""
    name = holder.format(this=this_thread(), cut=this_thread()[:-1])
    client.set(KEY, name.encode(errors="surrogateescape"))
    release(client, KEY)
    assert client.exists(KEY) == 1


def test_claims_of_a_process_are_given_up_whichever_thread_had_them(client):
    """And none of a process whose id begins with its own."""
    client.set(KEY, f"{this_process()}0/7")
    release(client, KEY, this_process())
    assert client.exists(KEY) == 1
    client.set(KEY, f"{this_process()}/7")
    release(client, KEY, this_process())
    assert client.exists(KEY) == 0
    release(client, KEY, this_process())
