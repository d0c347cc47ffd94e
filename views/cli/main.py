"""The command `scan`: arguments come in, each command's module does the rest.

Exit codes: 0 done, 1 failed, 2 a mistake of the user, 3 Redis away, 4 a scan of the universe
runs already, 5 degraded (with --strict), 130 interrupted.
"""

from __future__ import annotations

import importlib
import keyword
import sys
from collections.abc import Mapping
from typing import Final

import click

from scanner.errors import ConfigError, InvalidSymbol, ScannerError, ScanRunning, StoreUnavailable
from scanner.plain import plain

#: Command -> the module below views.cli that has it; imported when it is called.
COMMANDS: Final[Mapping[str, str]] = {
    "up": "up",
    "down": "up",
    "run": "run",
    "enqueue": "run",
    "plan": "plan",
    "cancel": "again",
    "resume": "again",
    "status": "status",
    "show": "show",
    "why": "show",
    "export": "export",
    "settings": "settings",
    "screens": "screens",
    "try": "trial",
    "indicators": "indicators",
    "verify": "verify",
    "doctor": "doctor",
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return all names in the order of a user's way."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return a command by its name, or None."""
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"views.cli.{COMMANDS[name]}")
        command: click.Command = getattr(module, f"{name}_" if keyword.iskeyword(name) else name)
        return command


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="market-scanner", prog_name="scan")
def scan() -> None:
    """Sweep a whole stock market and show what was found, ranked and explained."""


def exit_code(error: ScannerError) -> int:
    """Return the exit code for an error."""
    match error:
        case ScanRunning():
            return 4
        case StoreUnavailable():
            return 3
        case ConfigError() | InvalidSymbol():
            return 2
        case _:
            return 1


def main() -> None:
    """Run the command line; a mistake of the user ends in one message, never in a traceback."""
    if sys.platform == "win32":
        sys.exit("scan: Windows is not supported: use WSL, or docker compose")
    try:
        code = scan.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except ScannerError as error:
        click.echo(f"scan: {plain(error, lines=True)}", err=True)
        code = exit_code(error)
    except (click.Abort, KeyboardInterrupt):
        click.echo("scan: interrupted", err=True)
        code = 130
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
