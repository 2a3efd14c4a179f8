"""`lpr VERB`: the command line. Imports nothing heavy: a verb's module is imported when it runs."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Any

from lpr.cli import configuration, data, experiments, extras, models, predict, scene, serve, stages
from lpr.cli.os_errors import explain_os_error
from lpr.errors import UserError
from lpr.standard_output import discard_standard_output


def main(arguments: list[str] | None = None) -> int:
    """Run one verb.

    Returns:
        The exit status: 0 if it went well, 1 after a message to the user on standard error, 130 after an interruption,
        141 where standard output was closed.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files may have bytes that are no text
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # where a project's own plug-ins are; `python -m` has it, the command `lpr` not
    if arguments[:1] == ["experiment"] and not {"-h", "--help"}.intersection(arguments):
        # Hydra has a command line of its own: all that follows is for it.
        options = build_parser().parse_args(arguments[:1])
        options.overrides = arguments[1:]
    else:
        options = build_parser().parse_args(arguments)
    try:
        status = options.call(import_module(options.module), options) or 0
        sys.stdout.flush()
        return status
    except UserError as error:
        print(f"lpr {options.verb}: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        message = extras.explain(error)
        if message is None:
            raise
        print(f"lpr {options.verb} {message}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        discard_standard_output()
        return 128 + signal.SIGPIPE
    except OSError as error:
        message = explain_os_error(error)
        if message is None:
            raise
        print(f"lpr {options.verb}: {message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"lpr {options.verb}: interrupted; the same command goes on from here", file=sys.stderr)
        return 130


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command line, but for that of `lpr experiment`, which is Hydra's.

    What it parses has, besides the arguments, `verb`, `module` (which the verb runs) and `call` (how).
    """
    parser = argparse.ArgumentParser(
        prog="lpr",
        description="License plate recognition: `lpr predict` reads plates, the other verbs are for experiments. "
        "`dvc repro` runs all the stages in order.",
        epilog="examples: `lpr predict car.jpg`; `lpr params experiment=smoke`, then `dvc repro`. "
        "`lpr VERB --help` has one of each verb.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for group in (predict, serve, models, scene, data, configuration, experiments, stages):
        group.add_verbs(verbs)
    return parser


class _Version(argparse.Action):
    """Prints the installed version, which is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import version

        print(f"lpr {version('lpr')}")
        parser.exit()
