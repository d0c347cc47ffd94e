"""Settings that the stack that is up cannot follow."""

from __future__ import annotations

import pytest

from scanner.errors import ConfigError
from scanner.settings import load_settings
from views.cli.session import check_against_stack


@pytest.mark.parametrize("name", ["redis_url", "cache_url"])
def test_another_server_is_named_without_its_password(name):
    """Neither the one of the command nor the one of the stack is shown."""
    variable = f"SCANNER_{name.upper()}"
    settings = load_settings(**{name: "redis://:made-up@here:6379/0"})
    facts = {"variables": {variable: "redis://:made-up@there:6379/0"}}
    with pytest.raises(ConfigError, match=f"the stack that is up has another {variable}") as caught:
        check_against_stack(settings, facts)
    assert "made-up" not in str(caught.value)


def test_other_settings_are_named_with_both_values():
    """As the user wrote them."""
    with pytest.raises(ConfigError, match="has SCANNER_ENGINE=kernels, not ta"):
        check_against_stack(
            load_settings(engine="ta"), {"variables": {"SCANNER_ENGINE": "kernels"}}
        )
