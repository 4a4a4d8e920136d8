"""What the scripts of the zoo share: its folder, its index, and the table of docs/results/zoo.md."""

import hashlib
import json
import re
from pathlib import Path

ZOO = Path(__file__).resolve().parent
ROOT = ZOO.parent
PAGE = ROOT / "docs/results/zoo.md"
MOST_BYTES = 8_000_000  # of the whole zoo
TRIALS = 4000  # per task, of the scores


def index() -> dict:
    path = ZOO / "index.json"
    return json.loads(path.read_text()) if path.is_file() else {"format": 1, "networks": {}}


def write_index(content: dict) -> None:
    content["networks"] = dict(sorted(content["networks"].items()))
    (ZOO / "index.json").write_text(json.dumps(content, indent=1) + "\n")
    write_page(content)


def network_file(folder: Path) -> Path:
    """The one network of a folder of the zoo, or the newest of a run."""
    files = sorted((folder / "checkpoints").glob("step-*/network.safetensors"))
    if not files:
        raise SystemExit(f"{folder}: has no network; is it a run directory?")
    return files[-1]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def size() -> int:
    """Bytes of all networks with what belongs to them."""
    return sum(p.stat().st_size for name in index()["networks"] for p in (ZOO / name).rglob("*") if p.is_file())


def minutes(name: str, network: dict) -> str:
    """How long training took: of the processor if all sessions recorded it, because other work may have run next to it."""
    sessions = json.loads((ZOO / name / "provenance.json").read_text())["sessions"]
    seconds = [session.get("processor_seconds") for session in sessions]
    if None in seconds:
        return f"{network['seconds'] / 60:.1f} min"
    return f"{sum(seconds) / 60:.1f} min of processor time"


def table(content: dict) -> str:
    """The table of the page."""
    lines = [
        "| network and its report | wiring | tasks passed | of the ceiling: mean, worst | training |",
        "|---|---|---|---|---|",
    ]
    for name, n in content["networks"].items():
        # An expression has asterisks, which Markdown takes for emphasis.
        tasks = f"`{n['tasks']}`" if "*" in n["tasks"] else n["tasks"]
        threads = f"{n['threads']} thread{'s' if n['threads'] != 1 else ''}"
        lines.append(
            f"| [`zoo:{name}`](zoo/{name}.html) "
            f"| {n['wiring']}, {n['units']} units, {n['synapses']} synapses "
            f"| {tasks}: {n['tasks_passed']} of {n['n_tasks']} "
            f"| {100 * n['mean_share_of_ceiling']:.1f}%, {100 * n['worst_share_of_ceiling']:.1f}% "
            f"| {n['steps']} steps, {minutes(name, n)}, {threads} of {n['processor']} |"
        )
    return "\n".join(lines) + "\n"


def page_with(text: str, content: dict) -> str:
    """`text` with the table between its two marks replaced."""
    begin, end = "<!-- zoo: table -->\n", "<!-- zoo: end -->"
    if begin not in text or end not in text:
        raise SystemExit(f"{PAGE}: the marks of the table are missing: {begin.strip()} and {end}")
    return re.sub(re.escape(begin) + r".*?" + re.escape(end), lambda _: f"{begin}\n{table(content)}\n{end}", text, flags=re.S)


def write_page(content: dict) -> None:
    PAGE.write_text(page_with(PAGE.read_text(), content))
