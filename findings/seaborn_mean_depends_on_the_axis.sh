#!/usr/bin/env bash
# seaborn 0.13.2: on a logarithmic axis the mean of the seeds is another one, by the order of two lines. (2026-11-30)
#
# A good guess: lineplot and barplot show the mean over the runs; set_yscale("log") changes the axis only, before or
#               after the plot.
# Instead:      if the axis is logarithmic already, seaborn takes the mean of the logarithms. Five runs with losses of
#               0.0001 to 1 have a mean of 0.22; with set_yscale("log") before lineplot, the line is at 0.01, and
#               after it at 0.22. barplot, pointplot and the error bars do the same, as does log_scale=True. The axis
#               is labelled "loss" in both figures.
# What to do:   take the mean in pandas and plot that; or call set_yscale after the plot. Name the mean in the caption.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 pandas==3.1.1 matplotlib==3.11.2 seaborn==0.13.2
observe <<'PYTHON'
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

runs = pd.DataFrame({"step": np.repeat([1, 2, 3], 5), "loss": np.tile([1e-4, 1e-3, 1e-2, 1e-1, 1.0], 3)})


def shown(plot, before):
    figure, axes = plt.subplots()
    if before:
        axes.set_yscale("log")
    plot(data=runs, x="step", y="loss", ax=axes, errorbar="sd")
    if not before:
        axes.set_yscale("log")
    height = axes.patches[0].get_height() if axes.patches else axes.lines[0].get_ydata()[0]
    plt.close(figure)
    return round(float(height), 4), axes.get_ylabel()


print("seaborn", sns.__version__, "matplotlib", matplotlib.__version__)
print("mean of the five runs:", runs.loss[:5].mean(), " of the logarithms:", np.exp(np.log(runs.loss[:5]).mean()).round(4))
for plot in (sns.lineplot, sns.barplot, sns.pointplot):
    after, before = shown(plot, False), shown(plot, True)
    print(f"{plot.__name__:9} set_yscale('log') after the plot: {after[0]}, before it: {before[0]}; label: {before[1]}")
    assert after == (0.2222, "loss") and before == (0.01, "loss")
PYTHON
