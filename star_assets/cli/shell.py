"""What all commands share in talking to their caller: errors as messages, notes, exit codes.

Not here: the commands (cli), rows (terminal), the progress of a run (progress).
"""

from __future__ import annotations

import gc
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TextIO

import click

from star_assets.visible import visible

if TYPE_CHECKING:
    from star_assets.model.errors import StarError

# 75 is EX_TEMPFAIL of sysexits.h; 130 is what shells report for Ctrl-C.
EXIT_PERMANENT, EXIT_TRANSIENT, EXIT_INTERRUPTED = 1, 75, 130

# New objects after which Python looks for garbage. Ibis and sqlglot make hundreds of thousands that stay; with
# Python's own 700, a command would spend a quarter of its time looking through them again and again.
OBJECTS = 200_000


class Commands(click.Group):
    """A group that lists its commands in the order of use, and shows errors as messages, without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, in the order in which they were added."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        gc.set_threshold(OBJECTS)
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("\nInterrupted. What was published stays live; run the command again to continue.", err=True)
            ctx.exit(EXIT_INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:
            if (known := for_people(error)) is None:
                raise
            fail(str(known))
            ctx.exit(exit_code([known]))


def for_people(error: Exception) -> StarError | None:
    """The error as a StarError, which says what to do; None for an unexpected error, which needs its traceback."""
    # Imported here, because the model takes half a second that `--help` need not wait for.
    from star_assets.lake.local_storage import FULL
    from star_assets.model.errors import LakeFull, LakeRefused, StarError

    if isinstance(error, StarError):
        return error
    # After a broken pipe, click exits without a message.
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        kind = LakeFull if error.errno in FULL else LakeRefused
        return kind(str(error.filename or "The lake"), error.strerror or str(error))
    return None


def exit_code(errors: Iterable[StarError]) -> int:
    """75 if trying again may help with all of the errors, otherwise 1."""
    from star_assets.model.errors import Transient

    return EXIT_TRANSIENT if all(isinstance(error, Transient) for error in errors) else EXIT_PERMANENT


def note(text: str) -> None:
    """Print a note, which is no error."""
    click.echo(click.style("Note: ", fg="yellow") + visible(text), err=True)


def fail(text: str) -> None:
    """Print an error."""
    click.echo(click.style("Error: ", fg="red", bold=True) + visible(text), err=True)


def read_text(file: TextIO) -> str:
    """All of a text file. Raises UsageError if it is not UTF-8."""
    try:
        return file.read()
    except UnicodeDecodeError as error:
        name = getattr(file, "name", "standard input")
        raise click.UsageError(f"{name} is not UTF-8 text: {error.reason} at byte {error.start}.") from error
