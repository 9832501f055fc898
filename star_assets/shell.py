"""How the commands talk to whoever called them: errors as messages, notes, exit codes.

Not here: the commands (cli), rows (terminal), the progress of a run (progress).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TextIO

import click

from star_assets.model.errors import LakeFull, LakeRefused, StarError, Transient

# 75 is EX_TEMPFAIL of sysexits.h; 130 is what shells report for Ctrl-C.
EXIT_PERMANENT, EXIT_TRANSIENT, EXIT_INTERRUPTED = 1, 75, 130


class Commands(click.Group):
    """A group that lists its commands in the order of use, and tells errors as messages, without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """As they are declared."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except StarError as error:
            self._end(ctx, error)
        except KeyboardInterrupt:
            click.echo("\nInterrupted. What was published stays live; the same command goes on from there.", err=True)
            ctx.exit(EXIT_INTERRUPTED)
        except BrokenPipeError:
            # Whoever reads the rows has seen enough: click ends quietly.
            raise
        except OSError as error:
            self._end(ctx, of_system(error))

    def _end(self, ctx: click.Context, error: StarError) -> None:
        fail(str(error))
        ctx.exit(exit_code([error]))


def exit_code(errors: Iterable[StarError]) -> int:
    """75 if trying again may help with all of the errors, otherwise 1."""
    return EXIT_TRANSIENT if all(isinstance(error, Transient) for error in errors) else EXIT_PERMANENT


def of_system(error: OSError) -> StarError:
    """What the operating system refused, as an error for people."""
    from star_assets.lake.local_storage import FULL

    told = LakeFull if error.errno in FULL else LakeRefused
    return told(str(error.filename or "The lake"), error.strerror or str(error))


def note(text: str) -> None:
    """Tell what is no error."""
    click.echo(click.style("Note: ", fg="yellow") + text, err=True)


def fail(text: str) -> None:
    """Tell what failed."""
    click.echo(click.style("Error: ", fg="red", bold=True) + text, err=True)


def read_text(file: TextIO) -> str:
    """All of a text file. Raises UsageError for what is no text."""
    try:
        return file.read()
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{file.name} is not UTF-8 text: {error.reason} at byte {error.start}.") from error
