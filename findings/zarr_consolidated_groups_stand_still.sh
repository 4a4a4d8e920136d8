#!/usr/bin/env bash
# zarr 3.1.6: after consolidate_metadata, readers do not see what is appended. (2026-11-29)
#
# A good guess: consolidate_metadata speeds up opening. What is appended or created later is seen by whoever opens the
#               group afterwards, or the outdated metadata are noticed.
# Instead:      the group has a copy of the shapes from that moment, and open_group uses it without a check. A curve that
#               a training run extended from 3 to 6 values has 3 for each new reader, of zarr and of xarray, and even in
#               the process that appends, if it asks the group again. A new array is not listed. Opening the
#               array by its own path shows all 6.
# What to do:   consolidate at the very end, and again after each change; or open with use_consolidated=False (xarray:
#               consolidated=False). xarray.Dataset.to_zarr consolidates by itself.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 zarr==3.1.6
observe <<'PYTHON'
import warnings

import numpy as np
import zarr

warnings.simplefilter("ignore")
print("zarr", zarr.__version__)
for format in (2, 3):
    folder = f"run{format}"
    zarr.create_group(folder, zarr_format=format).create_array("loss", data=np.array([3.0, 2.0, 1.0]))
    zarr.consolidate_metadata(folder)
    run = zarr.open_group(folder, mode="a")
    run["loss"].append(np.array([0.5, 0.4, 0.3]))
    run.create_array("accuracy", data=np.ones(6))
    same = run["loss"].shape
    reader, fresh = zarr.open_group(folder, mode="r"), zarr.open_group(folder, mode="r", use_consolidated=False)
    print(f"format {format}: new reader", reader["loss"][:].tolist(), sorted(reader.array_keys()), " the writer's group:", same)
    print(f"format {format}: use_consolidated=False", fresh["loss"][:].tolist(), sorted(fresh.array_keys()),
          " by its path:", zarr.open_array(f"{folder}/loss", mode="r").shape)
    assert reader["loss"][:].tolist() == [3, 2, 1] and list(reader.array_keys()) == ["loss"] and same == (3,)
    assert fresh["loss"].shape == zarr.open_array(f"{folder}/loss", mode="r").shape == (6,)
    assert sorted(fresh.array_keys()) == ["accuracy", "loss"]
PYTHON
