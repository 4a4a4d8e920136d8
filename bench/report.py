"""The tables for readers."""


def milliseconds(seconds):
    value = 1e3 * seconds
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def table(header, rows):
    """Columns as wide as their widest cell; the first two left-aligned."""
    rows = [list(map(str, row)) for row in [header, *rows]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths))
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def _spread(ratio):
    return f"{ratio['median']:.1f}x ({ratio['least']:.1f}-{ratio['most']:.1f})"


def headline(results):
    rows = []
    for r in results:
        ours = r["ours"]
        peak = f"{100 * ours['fraction_of_peak']:.0f}%" if "fraction_of_peak" in ours else ""
        memory = f"{ours['peak_bytes'] / 2**20:.0f}" if "peak_bytes" in ours else ""
        best = r.get("best")
        rows.append(
            [
                r["workload"], r["words"], r["threads"], milliseconds(ours["seconds"]),
                milliseconds(r["peers"][best]["seconds"]) if best else "-",
                best or "none here", _spread(r["ratio"]) if best else "-", f"{r['target']:g}x",
                peak, memory,
            ]
        )  # fmt: skip
    header = (
        "id", "workload", "threads", "ours, ms", "best peer, ms", "best peer", "ratio (min-max)",
        "target", "of peak", "ours, MiB",
    )  # fmt: skip
    return table(header, rows)


def peers(results):
    rows = []
    for r in results:
        for name, peer in r["peers"].items():
            if "seconds" not in peer:
                rows.append([r["workload"], name, r["threads"], "-", "", "", "", peer["note"]])
                continue
            error = peer.get("worst_error")
            rows.append(
                [
                    r["workload"], name, r["threads"], milliseconds(peer["seconds"]),
                    f"{peer['seconds'] / r['ours']['seconds']:.1f}x", peer["n_timed"],
                    "" if error is None else f"{error:.0e}", peer.get("note", ""),
                ]
            )  # fmt: skip
    header = ("id", "peer", "threads", "ms", "to ours", "timed", "error", "note")
    return table(header, rows)


def layers(results):
    """The cost of our layers compared with `lmrnn train`, in time and memory."""
    for r in results:
        ours, train = r["ours"], r["peers"].get("lmrnn_train", {})
        words = []
        if "seconds" in train:
            extra = ours["seconds"] / train["seconds"] - 1
            words.append(f"{100 * extra:+.0f}% over lmrnn train ({milliseconds(train['seconds'])} ms)")
        if "growth_bytes" in ours:
            times = ours["growth_bytes"] / ours["states_bytes"]
            words.append(
                f"grew by {ours['growth_bytes'] / 2**20:.0f} MiB since before its first step, "
                f"{times:.2f} times its states"
            )
        if words:
            threads = f"{r['threads']} thread{'s' if r['threads'] > 1 else ''}"
            yield f"{r['workload']}, {threads}: {'; '.join(words)}"
