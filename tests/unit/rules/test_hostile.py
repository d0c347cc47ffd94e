"""Hostile expressions: nothing but the language's own error, nothing executed, all of it soon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hostile_inputs import HOSTILE

from scanner.errors import ExpressionError
from scanner.rules.check import compile_rule

HERE = Path(__file__).parent

#: Made inputs of a run; SCANNER_TEST_FUZZ asks for another number.
INPUTS = int(os.environ.get("SCANNER_TEST_FUZZ", "6000"))

#: Kinds of which some are good expressions, if useless ones.
OPEN = {"bombs", "characters"}


def test_nothing_is_executed_and_nothing_but_the_own_error_raised():
    """A process in which no file, process or code may be touched reads thousands of inputs."""
    done = subprocess.run(
        [sys.executable, str(HERE / "hostile_inputs.py"), str(INPUTS)],
        cwd=HERE.parents[2],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[2])},
        capture_output=True,
        text=True,
        timeout=60 + INPUTS / 50,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout)
    assert seen["refused"] + seen["read"] == 2 * seen["inputs"]
    assert seen["read"] > INPUTS / 100


@pytest.mark.parametrize("kind", [kind for kind in HOSTILE if kind not in OPEN])
def test_what_harms_other_languages_is_refused(kind):
    """Each is an error with its place, in a message that fits a screen."""
    for source in HOSTILE[kind]:
        with pytest.raises(ExpressionError) as caught:
            compile_rule(source)
        assert len(str(caught.value)) < 700


@pytest.mark.parametrize("kind", HOSTILE)
def test_messages_hold_no_control_characters(kind):
    """What is shown of an expression cannot move the cursor or turn the line around."""
    messages = [message for source in HOSTILE[kind] if (message := refusal(source))]
    assert messages
    assert {c for message in messages for c in message if not c.isprintable()} <= {"\n"}


def refusal(source):
    """Return the message with which `source` is refused, or nothing."""
    try:
        compile_rule(source)
    except ExpressionError as error:
        return str(error)
    return ""
