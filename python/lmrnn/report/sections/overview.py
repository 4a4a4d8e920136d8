"""What was trained."""

from __future__ import annotations

from ..html import Markup, Section, escape, folded, join, values
from .scores import headline


def section(run) -> Section:
    config, wiring = run.config, run.config["wiring"]
    network = run.network()
    tasks = list(run.scores["task"]) or ([] if run.source else run.battery.names)
    pairs = {
        "tasks": len(tasks),
        "units": f"{network.n_units:,} {_where(run.sheet)}",
        "wiring": wiring["kind"]
        + (f", radius {_radii(wiring)} ({wiring['metric']})" if wiring["kind"] == "local" else ""),
        "synapses": f"{network.recurrent.n_synapses:,} ({100 * network.recurrent.density:.3g}%)",
        "parameters": f"{network.n_parameters:,}",
        "activation": f"{network.activation}, alpha {network.alpha:g}"
        + (f", state equation {network.equation}" if network.equation != "rate" else ""),
        "recipe": config["recipe"],
        "optimiser": f"{config['optimiser']['kind']}, rate {config['optimiser']['learning_rate']:g}",
        "batch": f"{config['stream']['batch']} rows of {config['stream']['row_steps']} steps",
        "seed": run.seed,
    }
    return Section("Overview", join(headline(run) if not run.scores.n_rows else Markup(), values(pairs), _names(tasks)))


def _radii(wiring) -> str:
    """The radii of all areas, each only once."""
    areas = wiring.get("areas", [{}])
    return ", ".join(f"{r:g}" for r in dict.fromkeys(a.get("radius", wiring["radius"]) for a in areas))


def _where(sheet) -> str:
    if not sheet.areas:
        return f"on a {sheet.rows} x {sheet.cols} sheet"
    return "in " + ", ".join(f"{name} ({a.rows} x {a.cols})" for name, a in sheet.areas.items())


def _names(tasks) -> Markup:
    names = Markup("<p>") + ", ".join(map(escape, tasks)) + Markup("</p>")
    return names if len(tasks) <= 20 else folded(f"The {len(tasks)} tasks", names)
