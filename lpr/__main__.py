"""`python -m lpr VERB`: what the stages of dvc.yaml call, so that a copy of the repository runs its own code."""

import sys

from lpr.cli.main import main

if __name__ == "__main__":  # else a process that this one spawned imports it
    sys.exit(main())
