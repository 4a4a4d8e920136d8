#!/usr/bin/env bash
# nibabel 5.4.2: a map of p-values saved with the header of its image has no p below 8e-6. (2026-11-30)
#
# A good guess: Nifti1Image(p_values, image.affine, image.header) takes the geometry from the header. The
#               float64 array is saved as float64, or at least as float32.
# Instead:      the header's data type wins: if the image was int16, as scanners write it, the map is squeezed
#               into 65536 steps between its smallest and its largest value. A p-value of 1e-6 becomes 0 and
#               0.001 becomes 0.00101; one large value makes the steps so wide that all others are the same.
#               get_fdata() of the image is still exact before it is saved, and the type of what it returns is
#               float64 afterwards.
# What to do:   Nifti1Image(p_values, image.affine, image.header, dtype=p_values.dtype), or leave out the
#               header.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 nibabel==5.4.2
observe <<'PYTHON'
import nibabel
import numpy as np

nibabel.save(nibabel.Nifti1Image(np.arange(8, dtype="i2").reshape(2, 2, 2), np.eye(4)), "image.nii")
image = nibabel.load("image.nii")
p_values = np.array([1e-12, 1e-6, 0.001, 0.01, 0.04, 0.05, 0.5, 1]).reshape(2, 2, 2)
rates = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 1e6]).reshape(2, 2, 2)
print("nibabel", nibabel.__version__, "image:", image.get_data_dtype())
seen = {}
for name, values in {"p-values": p_values, "rates with one of 1e6": rates}.items():
    maps = {"with the header": nibabel.Nifti1Image(values, image.affine, image.header),
            "with dtype": nibabel.Nifti1Image(values, image.affine, image.header, dtype=values.dtype),
            "without": nibabel.Nifti1Image(values, image.affine)}
    for way, each in maps.items():
        assert np.array_equal(each.get_fdata(), values)
        nibabel.save(each, "map.nii")
        loaded = nibabel.load("map.nii")
        assert loaded.get_fdata().dtype == np.float64
        seen[name, way] = np.array(loaded.get_fdata())
        print(f"{name}, {way}: {loaded.get_data_dtype()}",
              " ".join(f"{value:.3g}" for value in seen[name, way].ravel()))
        assert np.array_equal(seen[name, way], values) == (way != "with the header")
small = seen["p-values", "with the header"].ravel()
assert small[0] == small[1] == 0 and round(small[2], 5) == 0.00101
assert len(np.unique(seen["rates with one of 1e6", "with the header"].ravel()[:7])) == 1
PYTHON
