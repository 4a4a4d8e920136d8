"""Finds the smallest case that still fails: resets keys to their defaults and reduces sizes."""

import copy
import re
import time

# Sizes, and their smallest allowed values. Their defaults are large, so they are never reset.
SIZES = {
    "wiring.rows": 1,
    "wiring.cols": 1,
    "stream.row_steps": 1,
    "stream.batch": 1,
    "train.steps": 1,
    "evaluation.trials": 1,
    "battery.n_ring": 2,
}
NEEDED = {"seed", "battery.tasks", *SIZES} - {"battery.n_ring"}
PLAIN = {
    "evaluation.trials": 1,
    "train.log_every": 1,
    "battery.tasks": "go",
    "seed": 1,
    "battery.dt": 100,
}


def candidates(case):
    """Slightly simpler cases, the largest simplification first."""

    def changed(**changes):
        new = copy.deepcopy(case)
        for key, value in changes.items():
            if value is None:
                new.pop(key, None)
            else:
                new[key] = value
        return new

    def with_keys(changes, drop=(), **around):
        new = changed(**around)
        for key in drop:
            new["config"].pop(key, None)
        new["config"].update(changes)
        return new

    config = case["config"]
    if "after" in case:
        for half in (case["after"][len(case["after"]) // 2 :], case["after"][1:]):
            yield changed(after=half or None)
    sections = sorted({key.split(".")[0] for key in config if "." in key})
    for section in sections:
        drop = [k for k in config if k.startswith(section + ".") and k not in NEEDED]
        if drop and section != "wiring":
            yield with_keys({}, drop)
    if case.get("data"):
        yield with_keys({}, ["source"], data=None)
    if case.get("init_from"):
        yield with_keys({}, ["init_from"], init_from=None)
    if config.get("wiring.kind", "local") != "local":
        yield with_keys(
            {"wiring.radius": 2},
            [
                "wiring.kind",
                "wiring.path",
                "wiring.dataset",
                "wiring.density",
                "wiring.block_units",
                "wiring.weights_path",
                "wiring.weights_scale",
            ],
            mask=None,
            weights=None,
        )
    for key, least in SIZES.items():
        value = config.get(key)
        for smaller in sorted(
            {least, (value or 0) // 2, (value or 0) - (2 if key == "battery.n_ring" else 1)}
        ):
            if (
                value is not None
                and least <= smaller < value
                and (key != "battery.n_ring" or smaller % 2 == 0)
            ):
                yield with_keys({key: smaller})
    for key, value in PLAIN.items():
        if key in config and config[key] != value:
            yield with_keys({key: value})
    tasks = str(config.get("battery.tasks", "")).split(",")
    if len(tasks) > 1:
        for task in tasks:
            yield with_keys({"battery.tasks": task}, ["battery.weights", "battery.durations"])
            yield with_keys(
                {"battery.tasks": ",".join(t for t in tasks if t != task)}, ["battery.weights"]
            )
    if "wiring.areas" in config:  # one sheet instead
        about = [k for k in config if k.startswith("wiring.between_") or k.endswith(".patch")]
        about += ["wiring.areas", "wiring.projections", "network.input.areas", "network.readout.areas"]
        kinds = [k for k in ("wiring.plastic.kind", "wiring.initial.kind") if config.get(k) in ("within", "between")]
        yield with_keys({}, about + kinds)
    if case.get("types"):
        types = [key for key in config if "excitatory" in key or key.startswith("wiring.radius_")]
        yield with_keys({}, types, types=None)
    for what, key in {"places": "coordinates_path", "cells": "types_path", "weights": "weights_path"}.items():
        if case.get(what):
            more = ["wiring.weights_scale"] if what == "weights" else []
            more += ["wiring.gains"] if what == "cells" else []
            yield with_keys({}, [f"wiring.{key}", *more], **{what: None})
    for key in list(config):
        if key not in NEEDED:
            yield with_keys({}, [key])
    if case.get("kill"):
        yield changed(kill=False)
    for key in ("threads", "resume_threads", "stop", "check_step"):
        if case.get(key, 1) > 1 and key in ("stop", "check_step"):
            yield changed(**{key: 1})
        if key == "threads" and case[key] > 2:
            yield changed(threads=2)


def fits(case):
    """Whether the sizes of a candidate are consistent; otherwise the program would reject it."""
    config = case["config"]
    batch = config.get("stream.batch", 64)
    if "wiring.areas" in config:
        return config.get("train.block", 0) <= batch
    for layer in ("input", "readout"):
        patch = config.get(f"network.{layer}.patch")
        if patch and (
            patch[0] + patch[2] > config["wiring.rows"]
            or patch[1] + patch[3] > config["wiring.cols"]
        ):
            return False
    return config.get("train.block", 0) <= batch


def same_failure(result, failure):
    """Whether the same check failed; a rejected configuration must be rejected for the same reason."""

    def name(failure):
        check = re.sub(r"simd .*", "simd", failure["check"])
        words = re.sub(r"[-+.\d]+(e[-+]\d+)?|\"[^\"]*\"", "", failure["detail"]).split()
        return check, words if check == "valid" else None

    return name(failure) in map(name, result["failures"])


def shrink(case, failure, run, seconds):
    """The smallest case found with the same failure; `run(case)` returns the worker's result."""
    deadline = time.monotonic() + seconds
    tried = set()
    improved = True
    while improved and time.monotonic() < deadline:
        improved = False
        for candidate in candidates(case):
            key = repr(sorted(candidate.items(), key=lambda item: item[0]))
            if key in tried or not fits(candidate) or candidate == case:
                continue
            tried.add(key)
            if time.monotonic() > deadline:
                break
            if same_failure(run(candidate), failure):
                case, improved = candidate, True
                break
    return case
