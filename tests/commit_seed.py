"""A seed that depends on the commit, for tests with random cases."""

import subprocess
from pathlib import Path


def seed_from(text):
    """A number, or "commit": a seed that all runs of one commit share, so that the outcome depends on the commit and
    not on the day. Without a repository, None, which means a fresh seed."""
    if text != "commit":
        return int(text)
    try:
        name = ["git", "-C", Path(__file__).parent, "rev-parse", "--short=7", "HEAD"]
        said = subprocess.run(name, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    return int(said.strip()[:7], 16)
