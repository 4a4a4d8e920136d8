"""What was trained, and how it ended."""

from __future__ import annotations

from ..html import Markup, Section, escape, folded, join, values


def section(run) -> Section:
    config, wiring = run.config, run.config["wiring"]
    network = run.network()
    tasks = list(run.scores["task"]) or ([] if run.source else run.battery.names)
    pairs = {
        "tasks": len(tasks),
        "units": f"{network.n_units:,} on a {wiring['rows']} x {wiring['cols']} sheet",
        "wiring": wiring["kind"]
        + (f", radius {wiring['radius']:g} ({wiring['metric']})" if wiring["kind"] == "local" else ""),
        "synapses": f"{network.recurrent.n_synapses:,} ({100 * network.recurrent.density:.3g}%)",
        "parameters": f"{network.n_parameters:,}",
        "activation": f"{network.activation}, alpha {network.alpha:g}",
        "recipe": config["recipe"],
        "optimiser": f"{config['optimiser']['kind']}, rate {config['optimiser']['learning_rate']:g}",
        "batch": f"{config['stream']['batch']} rows of {config['stream']['steps']} steps",
        "seed": run.seed,
    }
    return Section("Overview", join(_headline(run), values(pairs), _names(tasks)))



def _headline(run) -> Markup:
    if run.done:
        s = run.summary
        text = (
            f"{100 * s['mean_share_of_ceiling']:.1f}% of the ceiling on average, "
            f"{100 * s['worst_share_of_ceiling']:.1f}% on the worst task; "
            f"{s['tasks_solved']} of {s['tasks']} tasks solved, "
            f"after {s['steps']:,} steps and {s['trials']:,} trials ({_duration(s['seconds'])})."
        )
    else:
        text = f"Not finished: {run.checkpoints[-1]:,} of {run.config['train']['steps']:,} steps."
    return Markup('<p class="lead">') + escape(text) + Markup("</p>")


def _names(tasks) -> Markup:
    names = Markup("<p>") + ", ".join(map(escape, tasks)) + Markup("</p>")
    return names if len(tasks) <= 20 else folded(f"The {len(tasks)} tasks", names)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
