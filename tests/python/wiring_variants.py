"""One mask in all the forms that users have: files and objects, and the expected result of each.

A variant is either read as TRUTH (or TRUTH without isolated units, if the form cannot represent them), or rejected with
a message. None may be read as another mask.
"""

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

N = 12
RNG = np.random.default_rng(3)
WEIGHTS = np.where(RNG.random((N, N)) < 0.3, RNG.normal(size=(N, N)), 0)
WEIGHTS[0, 5], WEIGHTS[5, 0] = 0.5, 0  # not symmetric
for _unit in range(N):  # every unit has an edge
    WEIGHTS[_unit, (_unit + 1) % N] = WEIGHTS[_unit, (_unit + 1) % N] or 0.25
TRUTH = WEIGHTS != 0
TARGETS, SOURCES = np.nonzero(TRUTH)


@dataclass
class Variant:
    name: str
    make: Callable[[Path], object]
    """Writes a file into the folder and returns its path; for objects, returns the object."""
    refused: str | None = None
    """Text of the message, if it cannot be read."""
    options: dict = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    notes: str = ""
    """Text that must be among the notes."""
    weighted: bool = False


FILES: list[Variant] = []
OBJECTS: list[Variant] = []


def file(name, refused=None, *, needs=(), notes="", weighted=False, **options):
    def add(make):
        FILES.append(Variant(name, make, refused, options, tuple(needs), notes, weighted))
        return make

    return add


def thing(name, refused=None, *, needs=()):
    def add(make):
        OBJECTS.append(Variant(name, make, refused, {}, tuple(needs)))
        return make

    return add


def parameters(variants):
    return [pytest.param(variant, id=variant.name) for variant in variants]


# NumPy ------------------------------------------------------------------------------------------

for _dtype in ("bool", "int8", "uint16", "int64", "float16", "float32", "float64", ">f4", ">i8"):

    @file(f"npy {_dtype}")
    def _(folder, dtype=_dtype):
        np.save(folder / "m.npy", TRUTH.astype(dtype))
        return folder / "m.npy"


@file("npy weights", weighted=True)
def _(folder):
    np.save(folder / "m.npy", WEIGHTS)
    return folder / "m.npy"


@file("npy Fortran order")
def _(folder):
    np.save(folder / "m.npy", np.asfortranarray(TRUTH))
    return folder / "m.npy"


@file("npy of three dimensions", "3 dimensions")
def _(folder):
    np.save(folder / "m.npy", np.stack([TRUTH, TRUTH]))
    return folder / "m.npy"


@file("npy complex", "complex")
def _(folder):
    np.save(folder / "m.npy", TRUTH.astype(complex))
    return folder / "m.npy"


@file("npy of objects", "Python objects")
def _(folder):
    np.save(folder / "m.npy", TRUTH.astype(object), allow_pickle=True)
    return folder / "m.npy"


@file("npy of text", "text")
def _(folder):
    np.save(folder / "m.npy", TRUTH.astype(int).astype(str))
    return folder / "m.npy"


@file("npy with NaN", "nan at")
def _(folder):
    np.save(folder / "m.npy", np.where(TRUTH, 1, np.nan))
    return folder / "m.npy"


@file("npy of a correlation", "threshold")
def _(folder):
    np.save(folder / "m.npy", np.corrcoef(RNG.normal(size=(N, 30))))
    return folder / "m.npy"


@file("npy not square", "12 x 11")
def _(folder):
    np.save(folder / "m.npy", TRUTH[:, 1:])
    return folder / "m.npy"


@file("npy of zeros", "no edge")
def _(folder):
    np.save(folder / "m.npy", np.zeros((N, N)))
    return folder / "m.npy"


@file("npy source-target", orientation="source-target")
def _(folder):
    np.save(folder / "m.npy", TRUTH.T)
    return folder / "m.npy"


@file("npz of one array")
def _(folder):
    np.savez(folder / "m.npz", anything=TRUTH)
    return folder / "m.npz"


@file("npz compressed, one of several by name", dataset="structure")
def _(folder):
    np.savez_compressed(folder / "m.npz", structure=TRUTH, function=~TRUTH, x=np.zeros(N))
    return folder / "m.npz"


@file("npz of several, none named", "several arrays")
def _(folder):
    np.savez(folder / "m.npz", structure=TRUTH, function=~TRUTH)
    return folder / "m.npz"


@file("npz with a wrong name", 'named "masks"', dataset="masks")
def _(folder):
    np.savez(folder / "m.npz", structure=TRUTH, function=~TRUTH)
    return folder / "m.npz"


@file("npz, cut off", "not a whole npz")
def _(folder):
    np.savez(folder / "whole.npz", m=TRUTH)
    (folder / "m.npz").write_bytes((folder / "whole.npz").read_bytes()[:300])
    return folder / "m.npz"


# SciPy ------------------------------------------------------------------------------------------

for _format in ("csr", "csc", "coo", "bsr", "dia"):
    for _kind in ("matrix", "array"):

        @file(f"scipy npz {_format} {_kind}", needs=["scipy"], weighted=True)
        def _(folder, format=_format, kind=_kind):
            import scipy.sparse as sparse

            made = getattr(sparse, f"{format}_{kind}")(WEIGHTS)
            sparse.save_npz(folder / "m.npz", made)
            return folder / "m.npz"


@file("scipy npz dia with as many diagonals as units", needs=["scipy"])
def _(folder):
    import scipy.sparse as sparse

    offsets = [k for k in range(-N + 1, N) if np.diagonal(TRUTH, k).any()][:N]
    # Twelve diagonals that contain only part of the mask would be another mask, so all are kept.
    full = sparse.dia_matrix(TRUTH.astype(float))
    assert len(full.offsets) >= len(offsets)
    sparse.save_npz(folder / "m.npz", full)
    return folder / "m.npz"


@file("scipy npz with dataset = data", "sparse matrix of SciPy", needs=["scipy"], dataset="data")
def _(folder):
    import scipy.sparse as sparse

    sparse.save_npz(folder / "m.npz", sparse.dia_matrix(TRUTH.astype(float)))
    return folder / "m.npz"


# HDF5 -------------------------------------------------------------------------------------------


def hdf5(folder, write, name="m.h5", **options):
    import h5py

    with h5py.File(folder / name, "w", **options) as made:
        write(made)
    return folder / name


@file("HDF5", needs=["h5py"])
def _(folder):
    return hdf5(folder, lambda f: f.create_dataset("connectome", data=TRUTH))


@file("HDF5, libver latest, bool, gzip and shuffle", needs=["h5py"])
def _(folder):
    return hdf5(
        folder,
        lambda f: f.create_dataset("w", data=TRUTH, chunks=(5, 5), compression="gzip", shuffle=True),
        libver="latest",
    )


@file("HDF5, lzf", needs=["h5py"])
def _(folder):
    return hdf5(folder, lambda f: f.create_dataset("w", data=TRUTH, compression="lzf"))


@file("HDF5, big-endian half", needs=["h5py"])
def _(folder):
    return hdf5(folder, lambda f: f.create_dataset("w", data=TRUTH.astype(">f2")))


@file("HDF5, bit fields as PyTables writes them", needs=["h5py"])
def _(folder):
    import h5py

    def write(made):
        space = h5py.h5s.create_simple((N, N))
        kind = h5py.h5t.STD_B8LE
        dataset = h5py.h5d.create(made.id, b"w", kind, space)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, TRUTH.astype(np.uint8), mtype=kind)

    return hdf5(folder, write)


@file("HDF5, chunks never written", needs=["h5py"])
def _(folder):
    def write(made):
        dataset = made.create_dataset("w", (N, N), "f4", chunks=(1, 1), fillvalue=0)
        for target, source in zip(TARGETS, SOURCES):
            dataset[target, source] = 1

    return hdf5(folder, write)


@file("HDF5, chunks never written, filled with NaN", "never written", needs=["h5py"])
def _(folder):
    def write(made):
        dataset = made.create_dataset("w", (N, N), "f4", chunks=(4, 4), fillvalue=np.nan)
        dataset[:4, :4] = TRUTH[:4, :4]

    return hdf5(folder, write)


@file("HDF5, a soft link", needs=["h5py"], dataset="current")
def _(folder):
    import h5py

    def write(made):
        made["v2/mask"] = TRUTH
        made["v1/mask"] = ~TRUTH
        made["current"] = h5py.SoftLink("/v2/mask")

    return hdf5(folder, write)


@file("HDF5, a link into another file", needs=["h5py"])
def _(folder):
    import h5py

    hdf5(folder, lambda f: f.create_dataset("w", data=TRUTH), "other.h5")
    return hdf5(folder, lambda f: f.__setitem__("w", h5py.ExternalLink("other.h5", "/w")))


@file("HDF5 beside datasets of other kinds", needs=["h5py"], dataset="a/mask")
def _(folder):
    import h5py

    def write(made):
        made["a/mask"] = TRUTH
        made["a/records"] = np.zeros(3, [("x", "f4"), ("y", "i4")])
        made["a/text"] = "hello"
        made.create_dataset("a/nothing", data=h5py.Empty("f4"))
        made.create_dataset("a/references", (1,), dtype=h5py.ref_dtype)
        made["a/complex"] = np.zeros(3, complex)

    return hdf5(folder, write)


@file("HDF5 of several, none named", "several arrays", needs=["h5py"])
def _(folder):
    def write(made):
        made["one"], made["two"] = TRUTH, ~TRUTH

    return hdf5(folder, write)


@file("HDF5, three dimensions", "3 dimensions", needs=["h5py"])
def _(folder):
    return hdf5(folder, lambda f: f.create_dataset("w", data=TRUTH[None]))


@file("HDF5, text", "no array of numbers", needs=["h5py"])
def _(folder):
    return hdf5(folder, lambda f: f.create_dataset("w", data="none"))


@file("not HDF5", "not an HDF5 file", needs=["h5py"])
def _(folder):
    (folder / "m.h5").write_bytes(b"something else entirely")
    return folder / "m.h5"


@file("HDF5, cut off", "h5py", needs=["h5py"])
def _(folder):
    whole = hdf5(folder, lambda f: f.create_dataset("w", data=TRUTH), "whole.h5").read_bytes()
    (folder / "m.h5").write_bytes(whole[: len(whole) // 2])
    return folder / "m.h5"


@file("AnnData, csr in a group", needs=["h5py", "scipy"], dataset="obsp/connectivities", weighted=True)
def _(folder):
    import scipy.sparse as sparse

    def write(made):
        matrix = sparse.csr_matrix(WEIGHTS)
        group = made.create_group("obsp/connectivities")
        for part in ("data", "indices", "indptr"):
            group[part] = getattr(matrix, part)
        group.attrs["shape"], group.attrs["encoding-type"] = matrix.shape, "csr_matrix"

    return hdf5(folder, write, "m.h5ad")


for _dims in (("target", "source"), ("source", "target"), ("post", "pre")):

    @file(f"netCDF of xarray, {_dims[0]} x {_dims[1]}", needs=["xarray", "h5netcdf"], notes="")
    def _(folder, dims=_dims):
        import xarray

        matrix = TRUTH.T if dims[0] == "source" else TRUTH
        table = xarray.DataArray(matrix.astype("i1"), dims=dims, name="mask")
        table.to_netcdf(folder / "m.nc", engine="h5netcdf")
        return folder / "m.nc"


@file("netCDF against its names", "the file says source-target", needs=["xarray", "h5netcdf"],
      orientation="target-source")  # fmt: skip
def _(folder):
    import xarray

    table = xarray.DataArray(TRUTH.T.astype("i1"), dims=("source", "target"), name="mask")
    table.to_netcdf(folder / "m.nc", engine="h5netcdf")
    return folder / "m.nc"


@file("netCDF 3", "netCDF 3", needs=["scipy", "xarray", "h5py"])
def _(folder):
    import xarray

    table = xarray.DataArray(TRUTH.astype("i1"), dims=("target", "source"), name="mask")
    table.to_netcdf(folder / "m.nc", engine="scipy")
    return folder / "m.nc"


# MATLAB -----------------------------------------------------------------------------------------


def mat73(folder, write):
    """The output of MATLAB's save(..., "-v7.3"): HDF5 after 512 bytes of text."""
    path = hdf5(folder, write, "m.mat", userblock_size=512)
    with open(path, "r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Thu Jan  1 00:00:00 2026".ljust(116))
        raw.seek(124)
        raw.write(struct.pack("<H", 0x0200) + b"IM")
    return path


@file("MATLAB 5", needs=["scipy"], weighted=True)
def _(folder):
    import scipy.io

    scipy.io.savemat(folder / "m.mat", {"W": WEIGHTS, "name": "worm"})
    return folder / "m.mat"


@file("MATLAB 5, sparse and logical", needs=["scipy"], dataset="S")
def _(folder):
    import scipy.io
    import scipy.sparse as sparse

    scipy.io.savemat(folder / "m.mat", {"S": sparse.csc_matrix(TRUTH), "W": ~TRUTH}, do_compression=True)
    return folder / "m.mat"


@file("MATLAB 5, a struct", "no array of numbers", needs=["scipy"])
def _(folder):
    import scipy.io

    scipy.io.savemat(folder / "m.mat", {"s": {"W": WEIGHTS}})
    return folder / "m.mat"


@file("MATLAB 7.3", needs=["h5py", "scipy"], notes="transposed back", weighted=True)
def _(folder):
    def write(made):
        made["W"] = WEIGHTS.T  # as MATLAB does
        made["W"].attrs["MATLAB_class"] = np.bytes_("double")

    return mat73(folder, write)


@file("MATLAB 7.3, logical", needs=["h5py", "scipy"], notes="transposed back")
def _(folder):
    def write(made):
        made["W"] = TRUTH.T.astype("u1")
        made["W"].attrs["MATLAB_class"] = np.bytes_("logical")
        made["W"].attrs["MATLAB_int_decode"] = 1

    return mat73(folder, write)


@file("MATLAB 7.3, sparse", needs=["h5py", "scipy"], weighted=True)
def _(folder):
    import scipy.sparse as sparse

    def write(made):
        matrix = sparse.csc_matrix(WEIGHTS)
        group = made.create_group("W")
        group.attrs["MATLAB_class"], group.attrs["MATLAB_sparse"] = np.bytes_("double"), np.uint64(N)
        group["data"], group["ir"] = matrix.data, matrix.indices.astype("u8")
        group["jc"] = matrix.indptr.astype("u8")

    return mat73(folder, write)


# Text -------------------------------------------------------------------------------------------


def edges(folder, separator=",", header="", name="m.csv", unit=str, weights=False, swap=False, end="\n"):
    lines = [header] if header else []
    for target, source in zip(TARGETS, SOURCES):
        fields = [unit(source), unit(target)][:: -1 if swap else 1]
        lines.append(separator.join(fields + ([repr(float(WEIGHTS[target, source]))] if weights else [])))
    (folder / name).write_bytes((end.join(lines) + end).encode())
    return folder / name


def neuron(i):
    return f"N{i:02}"


def root_id(i):
    return str(720575940600000000 + 7 * int(i))


@file("CSV edges")
def _(folder):
    return edges(folder)


for _header, _swap in (("source,target", False), ("Source,Target", False), ("target,source", True),
                       ("pre,post", False), ("Post_ID,Pre_ID", True), ("from,to", False)):  # fmt: skip

    @file(f"CSV edges, header {_header}")
    def _(folder, header=_header, swap=_swap):
        return edges(folder, header=header, swap=swap)


@file("CSV edges with weights", weighted=True)
def _(folder):
    return edges(folder, weights=True)


@file("CSV edges with weights and a header", weighted=True)
def _(folder):
    return edges(folder, header="Source,Target,Weight", weights=True)


@file("TSV edges", weighted=True)
def _(folder):
    return edges(folder, "\t", "pre\tpost\tweight", "m.tsv", weights=True)


@file("edges between spaces, with comments", weighted=True)
def _(folder):
    return edges(folder, " ", "# made by hand\n% and by foot", "m.txt", weights=True)


@file("edges between semicolons, from Windows")
def _(folder):
    return edges(folder, ";", "\ufeffsource;target", end="\r\n")


@file("networkx's edgelist", needs=["networkx"], notes="")
def _(folder):
    import networkx

    graph = networkx.DiGraph(zip(SOURCES.tolist(), TARGETS.tolist()))
    networkx.write_edgelist(graph, folder / "m.edgelist", data=False)
    return folder / "m.edgelist"


@file("edges from 1", notes="from 1")
def _(folder):
    return edges(folder, header="source,target", unit=lambda i: str(i + 1))


@file("edges by name", notes="alphabetical")
def _(folder):
    return edges(folder, header="source,target", unit=neuron)


@file("edges by name without a header")
def _(folder):
    return edges(folder, unit=neuron)


@file("edges by identifiers of 18 digits", notes="ascending")
def _(folder):
    return edges(folder, header="pre_root_id,post_root_id", unit=root_id)


@file("edges by identifiers that went through a float", "lost digits")
def _(folder):
    return edges(folder, header="pre,post", unit=lambda i: f"{float(root_id(i)):.6e}")


@file("edges twice", notes="more than once")
def _(folder):
    path = edges(folder)
    path.write_text(path.read_text() * 2)
    return path


@file("edges of weight 0", notes="weight 0", weighted=True)
def _(folder):
    path = edges(folder, weights=True)
    target, source = np.argwhere(~TRUTH)[0]
    path.write_text(path.read_text() + f"{source},{target},0\n")
    return path


@file("edges with a number out of range", "n_units", n_units=10)
def _(folder):
    return edges(folder)


@file("edges with units that have none", "n_units")
def _(folder):
    (folder / "m.csv").write_text("source,target\n0,1\n1,5\n")
    return folder / "m.csv"


@file("no edge", "there is no edge")
def _(folder):
    (folder / "m.csv").write_text("source,target\n")
    return folder / "m.csv"


@file("edges with an unknown header", "a header")
def _(folder):
    return edges(folder, header="neuron_a,neuron_b")


@file("edges with many columns and no header", "columns")
def _(folder):
    path = edges(folder, weights=True)
    path.write_text("".join(f"{line},x,y\n" for line in path.read_text().splitlines()[:8]))
    return path


@file("edges with a bad weight", "not a finite number")
def _(folder):
    (folder / "m.csv").write_text("source,target,weight\n0,1,many\n")
    return folder / "m.csv"


@file("three lines of three numbers", "layout")
def _(folder):
    (folder / "m.csv").write_text("0,1,0\n1,0,1\n0,1,0\n")
    return folder / "m.csv"


@file("CSV matrix", weighted=True)
def _(folder):
    np.savetxt(folder / "m.csv", WEIGHTS, delimiter=",", fmt="%.17g")
    return folder / "m.csv"


@file("numpy.savetxt matrix", weighted=True)
def _(folder):
    np.savetxt(folder / "m.txt", WEIGHTS)
    return folder / "m.txt"


@file("pandas CSV matrix with names", needs=["pandas"], weighted=True)
def _(folder):
    import pandas

    names = [neuron(i) for i in range(N)]
    pandas.DataFrame(WEIGHTS, names, names).to_csv(folder / "m.csv")
    return folder / "m.csv"


@file("CSV matrix, columns in another order", "different orders", needs=["pandas"])
def _(folder):
    import pandas

    names = [neuron(i) for i in range(N)]
    pandas.DataFrame(WEIGHTS, names, names)[names[::-1]].to_csv(folder / "m.csv")
    return folder / "m.csv"


@file("CSV matrix with a hole", "empty field")
def _(folder):
    text = "\n".join(",".join("1" if x else "0" for x in row) for row in TRUTH)
    (folder / "m.csv").write_text(text[:-1] + "\n")
    return folder / "m.csv"


# Graphs -----------------------------------------------------------------------------------------


def graph(weights=True):
    import networkx

    made = networkx.DiGraph()
    made.add_nodes_from(range(N))
    for target, source in zip(TARGETS.tolist(), SOURCES.tolist()):
        made.add_edge(source, target, **({"weight": float(WEIGHTS[target, source])} if weights else {}))
    return made


@file("GraphML", needs=["networkx"], weighted=True, notes="order of the graph's nodes")
def _(folder):
    import networkx

    networkx.write_graphml(graph(), folder / "m.graphml")
    return folder / "m.graphml"


@file("GraphML against its directions", "the file says", needs=["networkx"], orientation="target-source")
def _(folder):
    import networkx

    networkx.write_graphml(graph(), folder / "m.graphml")
    return folder / "m.graphml"


@file("node-link JSON", needs=["networkx"], weighted=True)
def _(folder):
    links = [{"source": int(s), "target": int(t), "weight": WEIGHTS[t, s]} for t, s in zip(TARGETS, SOURCES)]
    data = {"directed": True, "multigraph": False, "graph": {}, "nodes": [{"id": i} for i in range(N)]}
    (folder / "m.json").write_text(json.dumps({**data, "links": links}))
    return folder / "m.json"


@file("JSON matrix", weighted=True)
def _(folder):
    (folder / "m.json").write_text(json.dumps(WEIGHTS.tolist()))
    return folder / "m.json"


@file("Matrix Market", needs=["scipy"], weighted=True)
def _(folder):
    import scipy.io
    import scipy.sparse

    scipy.io.mmwrite(folder / "m.mtx", scipy.sparse.coo_matrix(WEIGHTS), symmetry="general", precision=17)
    return folder / "m.mtx"


@file("SONATA", needs=["libsonata", "h5py"], weighted=True)
def _(folder):
    def write(made):
        order = np.argsort(TARGETS, kind="stable")
        population = made.create_group("edges/v1")
        population["source_node_id"] = SOURCES[order].astype("u8")
        population["target_node_id"] = TARGETS[order].astype("u8")
        for key in ("source_node_id", "target_node_id"):
            population[key].attrs["node_population"] = "v1"
        population["edge_type_id"] = np.zeros(len(order), "i8")
        population["edge_group_id"] = np.zeros(len(order), "u8")
        population["edge_group_index"] = np.arange(len(order), dtype="u8")
        population["0/syn_weight"] = WEIGHTS[TARGETS, SOURCES][order]

    return hdf5(folder, write)


# Others -----------------------------------------------------------------------------------------


@file("safetensors", needs=["safetensors"], dataset="rec_mask")
def _(folder):
    from safetensors.numpy import save_file

    save_file({"rec_mask": TRUTH.astype("f4"), "w_rec": WEIGHTS.astype("f4")}, folder / "m.safetensors")
    return folder / "m.safetensors"


@file("PyTorch, one tensor of a state dict", needs=["torch"], dataset="rec_mask")
def _(folder):
    import torch

    torch.save({"rec_mask": torch.from_numpy(TRUTH), "w": torch.zeros(N, N)}, folder / "m.pt")
    return folder / "m.pt"


@file("an unknown ending", "unknown file format")
def _(folder):
    (folder / "m.xlsx").write_bytes(b"PK")
    return folder / "m.xlsx"


@file("no file", "does not exist")
def _(folder):
    return folder / "m.npy"


# Objects ----------------------------------------------------------------------------------------

for _dtype in ("bool", "uint8", ">i4", "float16", "float64"):

    @thing(f"array {_dtype}")
    def _(folder, dtype=_dtype):
        return TRUTH.astype(dtype)


@thing("array, Fortran order")
def _(folder):
    return np.asfortranarray(TRUTH)


@thing("list")
def _(folder):
    return TRUTH.tolist()


for _format in ("csr", "csc", "coo", "bsr", "dia", "lil", "dok"):
    for _kind in ("matrix", "array"):

        @thing(f"scipy {_format}_{_kind}", needs=["scipy"])
        def _(folder, format=_format, kind=_kind):
            import scipy.sparse as sparse

            return getattr(sparse, f"{format}_{kind}")(WEIGHTS)


@thing("scipy with a stored 0 and a pair twice", needs=["scipy"])
def _(folder):
    import scipy.sparse as sparse

    absent = np.argwhere(~TRUTH)[0]
    rows, columns = [*TARGETS, TARGETS[0], absent[0]], [*SOURCES, SOURCES[0], absent[1]]
    return sparse.coo_matrix(([1.0] * (len(rows) - 1) + [0.0], (rows, columns)), (N, N))


@thing("scipy with NaN", "nan at", needs=["scipy"])
def _(folder):
    import scipy.sparse as sparse

    return sparse.csr_matrix(np.where(TRUTH, np.nan, 0))


@thing("pandas", needs=["pandas"])
def _(folder):
    import pandas

    return pandas.DataFrame(WEIGHTS)


@thing("pandas, mixed columns", needs=["pandas"])
def _(folder):
    import pandas

    table = pandas.DataFrame(TRUTH.astype(int))
    table[3] = table[3].astype(bool)
    table[4] = table[4].astype("Int64")
    return table


@thing("pandas with names in another order", "different orders", needs=["pandas"])
def _(folder):
    import pandas

    names = [neuron(i) for i in range(N)]
    return pandas.DataFrame(WEIGHTS, names, names)[names[::-1]]


@thing("pandas with a missing value", "missing", needs=["pandas"])
def _(folder):
    import pandas

    table = pandas.DataFrame(TRUTH.astype(int)).astype("Int64")
    table.iloc[2, 3] = pandas.NA
    return table


@thing("pandas, a table of edges", "matrix of numbers", needs=["pandas"])
def _(folder):
    import pandas

    return pandas.DataFrame({"source": ["a", "b"], "target": ["b", "a"]})


@thing("xarray", needs=["xarray"])
def _(folder):
    import xarray

    return xarray.DataArray(WEIGHTS, dims=("target", "source"))


@thing("xarray, source x target", needs=["xarray"])
def _(folder):
    import xarray

    return xarray.DataArray(WEIGHTS.T, dims=("source", "target"))


@thing("xarray dataset", "one of its arrays", needs=["xarray"])
def _(folder):
    import xarray

    return xarray.Dataset({"mask": (("target", "source"), WEIGHTS)})


@thing("networkx", needs=["networkx"])
def _(folder):
    return graph()


@thing("networkx, edges several times", needs=["networkx"])
def _(folder):
    import networkx

    made = networkx.MultiDiGraph(graph(weights=False))
    made.add_edge(int(SOURCES[0]), int(TARGETS[0]))
    return made


@thing("tensor", needs=["torch"])
def _(folder):
    import torch

    return torch.from_numpy(WEIGHTS).requires_grad_()


@thing("tensor, bfloat16", needs=["torch"])
def _(folder):
    import torch

    return torch.from_numpy(WEIGHTS).to(torch.bfloat16)


@thing("tensor, sparse", needs=["torch"])
def _(folder):
    import torch

    return torch.from_numpy(WEIGHTS).to_sparse()


@thing("a path", "read the file first")
def _(folder):
    return folder / "m.npy"


@thing("an array of text", "dtype")
def _(folder):
    return TRUTH.astype(str)


@thing("lists of different lengths", "mask")
def _(folder):
    return [[1, 0], [1]]
