"""The tree of errors: what is worth another try, and what is not."""

from __future__ import annotations

import pytest

from scanner import errors

TREE = {
    errors.TransientError: {
        "RateLimited",
        "MarketIncomplete",
        "ProviderUnavailable",
    },
    errors.StoreUnavailable: set(),
    errors.DataError: {"InvalidSymbol", "UnknownSymbol", "NotEntitled", "BadBars"},
    errors.ConfigError: {"ExpressionError", "KeyRefused", "ScanRunning"},
}


def test_the_four_branches_are_all_there_is_below_the_root():
    """Whoever catches the branches misses nothing."""
    assert set(errors.ScannerError.__subclasses__()) == set(TREE)


@pytest.mark.parametrize("branch", TREE, ids=lambda branch: branch.__name__)
def test_each_error_is_in_one_branch(branch):
    """As the module's docstring draws it."""
    assert {one.__name__ for one in branch.__subclasses__()} == TREE[branch]
    assert all(name in errors.__doc__ for name in TREE[branch])


def test_a_limit_says_how_long_to_wait():
    """In seconds, beside its message."""
    error = errors.RateLimited("later", wait=1.5)
    assert (str(error), error.wait) == ("later", 1.5)


def test_a_pause_is_an_unavailability_with_its_end():
    """Whoever catches the one catches the other."""
    error = errors.ProviderPaused("left alone", wait=4.0)
    assert isinstance(error, errors.ProviderUnavailable)
    assert error.wait == 4.0


def test_a_running_scan_is_named():
    """So that it can be followed."""
    assert errors.ScanRunning("busy", scan_id="scan-1").scan_id == "scan-1"
