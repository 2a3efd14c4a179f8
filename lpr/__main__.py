"""`python -m lpr VERB`: what the stages of dvc.yaml call, so that a copy of the repository runs its own code."""

import sys

from lpr.cli.main import main

sys.exit(main())
