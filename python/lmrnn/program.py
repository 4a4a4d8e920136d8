"""What the programs lmrnn-plot and lmrnn-report share: messages and exit statuses like those of lmrnn's verbs."""

from __future__ import annotations

import sys
from collections.abc import Callable

from . import RunError, UsageError


def run_verb(name: str, action: Callable[[], object]) -> int:
    """Prints what `action` returns. Returns 0, or after printing a message 2 for an invalid request and 1 for a
    failure."""
    try:
        print(action())
        return 0
    except UsageError as error:
        message, status = str(error), 2
    except ModuleNotFoundError as error:
        message, status = f"{error.name} is missing: pip install 'lmrnn[report]'", 1
    except (RunError, OSError) as error:
        message, status = str(error), 1
    print(f"lmrnn {name}: {message}", file=sys.stderr)
    return status
