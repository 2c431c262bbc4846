"""The command line: ``vaedocs check``, ``train``, ``evaluate`` and ``figures``.

Each subcommand lives in its own module, which is imported only when it can be: with SymPy alone
``vaedocs check`` works, and ``vaedocs train`` says in one line what to install.

>>> main(["--version"])
vaedocs 0.1.0
0
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Sequence

from vaedocs import __version__

# Modules that add subcommands: each offers ``add_parser(subparsers)`` and imports nothing heavy.
COMMANDS = ("vaedocs.derivation.command", "vaedocs.training.command")

# What a subcommand needs beyond SymPy: the extra that brings it, and the modules it imports.
NEEDS = {
    "train": ("train", ("torch", "numpy", "sklearn", "matplotlib", "pooch", "rich")),
    "evaluate": ("train", ("torch", "numpy", "sklearn", "matplotlib", "pooch", "rich")),
    "figures": ("train", ("torch", "numpy", "sklearn", "matplotlib", "pooch", "rich")),
}


def parser() -> argparse.ArgumentParser:
    """Build the parser with every subcommand that the package holds.

    >>> "check" in parser().format_help()
    True
    """
    root = argparse.ArgumentParser(
        prog="vaedocs",
        description="Variational autoencoders in which no displayed equation is unchecked.",
    )
    root.add_argument("--version", action="store_true", help="print the version and stop")
    subparsers = root.add_subparsers(dest="command", metavar="COMMAND")
    for name in COMMANDS:
        if importlib.util.find_spec(name) is not None:
            importlib.import_module(name).add_parser(subparsers)
    return root


def missing(command: str) -> str | None:
    """Say in one line what ``command`` lacks, or return None when it can run.

    >>> missing("check") is None
    True
    """
    extra, modules = NEEDS.get(command, ("", ()))
    absent = [name for name in modules if importlib.util.find_spec(name) is None]
    if not absent:
        return None
    return (
        f"vaedocs {command} needs {', '.join(absent)}, which this Python ({sys.executable}) "
        f"does not have. Install the extra: python -m pip install 'vaedocs[{extra}]' "
        f"(in a clone: python -m pip install '.[{extra}]')"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit status: 0 all right, 1 found wanting, 2 misuse.

    ``argparse`` leaves through SystemExit for ``--help`` and for misuse (status 2).
    """
    root = parser()
    options = root.parse_args(arguments)
    if options.version:
        print(f"vaedocs {__version__}")
        return 0
    if options.command is None:
        root.print_help(sys.stderr)
        return 2
    lacking = missing(options.command)
    if lacking is not None:
        print(lacking, file=sys.stderr)
        return 2
    try:
        status: int = options.run(options)
    except KeyboardInterrupt:
        print(f"\nvaedocs {options.command}: stopped by Ctrl-C", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `vaedocs check … | head`: the reader has seen enough
        sys.stderr.close()
        return 141
    return status


if __name__ == "__main__":
    raise SystemExit(main())
