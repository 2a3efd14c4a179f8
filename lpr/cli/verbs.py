"""How a verb is added to the command line: what it is for, an example, and the module that it runs."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable
from types import ModuleType
from typing import Any

Call = Callable[[ModuleType, argparse.Namespace], int | None]
_WIDTH = 80


def add_verb(
    verbs: Any, name: str, module: str, call: Call, *, help: str, example: str, description: str = "", notes: str = ""
) -> argparse.ArgumentParser:
    """Add a verb, whose arguments the caller then adds.

    Args:
        verbs: what `ArgumentParser.add_subparsers` returned.
        name: of the verb.
        module: imported when the verb runs, and not before: the command line itself stays light.
        call: runs the verb, given that module and the parsed arguments; its result is the exit status, None for 0.
        help: one line for `lpr --help`, and the description where there is no other.
        example: command lines, one a line.
        description: for the verb's own help.
        notes: put after the example.
    """
    examples = textwrap.indent(example, "  ")
    epilog = f"{'examples' if chr(10) in example else 'example'}:\n{examples}"
    parser: argparse.ArgumentParser = verbs.add_parser(
        name,
        help=help,
        description=textwrap.fill(description or f"{help[0].upper()}{help[1:]}.", _WIDTH),
        epilog=f"{epilog}\n\n{textwrap.fill(notes, _WIDTH)}" if notes else epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(module=module, call=call)
    return parser
