"""The seed that belongs to a commit, for tests that draw what they do."""

import subprocess
from pathlib import Path


def seed_from(text):
    """A number, or "commit": a seed that every run of one commit shares, so that its outcome is the
    commit's and not the day's. None, for a fresh one, where there is no repository."""
    if text != "commit":
        return int(text)
    try:
        name = ["git", "-C", Path(__file__).parent, "rev-parse", "--short=7", "HEAD"]
        said = subprocess.run(name, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    return int(said.strip()[:7], 16)
