"""What several files of acceptance tests start."""

from __future__ import annotations

import pytest
from server_fixtures import running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Start a server that keeps its data over restarts."""
    with running_server(tmp_path_factory.mktemp("redis")) as found:
        yield found
