"""Masks from other sources: read correctly or rejected with a message, but never read as another mask."""

import subprocess
import sys

import numpy as np
import pytest
from wiring_variants import FILES, N, OBJECTS, SOURCES, TARGETS, TRUTH, WEIGHTS, parameters

import lmrnn
from lmrnn import wirings

pytestmark = pytest.mark.filterwarnings("default")  # warnings of other packages are not ours


def need(variant):
    for package in variant.needs:
        pytest.importorskip(package)


@pytest.mark.parametrize("variant", parameters(FILES))
def test_files(variant, tmp_path):
    need(variant)
    path = variant.make(tmp_path)
    if variant.refused is not None:
        with pytest.raises(lmrnn.UsageError, match=variant.refused) as refusal:
            wirings.read(path, **variant.options)
        assert str(path) in str(refusal.value)
        return
    wiring = wirings.read(path, **variant.options)
    assert np.array_equal(wiring.mask.to_dense(), TRUTH)
    assert variant.notes in "\n".join(wiring.notes)
    if variant.weighted:
        assert np.allclose(wiring.matrix, WEIGHTS, rtol=1e-6)
    else:
        assert wiring.weights is None


@pytest.mark.parametrize("variant", parameters(OBJECTS))
def test_objects(variant, tmp_path):
    need(variant)
    given = variant.make(tmp_path)
    if variant.refused is not None:
        with pytest.raises(lmrnn.UsageError, match=variant.refused) as refusal:
            lmrnn.Mask(given)
        assert str(refusal.value).startswith("mask")
        return
    assert np.array_equal(lmrnn.Mask(given).to_dense(), TRUTH)


@pytest.mark.parametrize("variant", parameters(v for v in OBJECTS if v.name in (
    "list", "pandas", "xarray, source x target", "networkx", "tensor", "scipy csr_array")))  # fmt: skip
def test_a_trainer_takes_what_a_mask_is_made_from(variant, tmp_path, small_config):
    need(variant)
    small_config["wiring"] = {"rows": 3, "cols": 4}
    trainer = lmrnn.Trainer(small_config, tmp_path / "run", mask=variant.make(tmp_path))
    assert np.array_equal(trainer.network().recurrent.to_dense(), TRUTH)


def test_there_are_more_than_sixty_variants_of_each_fate():
    assert len(FILES) + len(OBJECTS) > 100
    assert sum(v.refused is None for v in FILES) > 60


@pytest.mark.parametrize("separator", [" ", ",", "\t"])
def test_lists_of_networkx_with_attributes_are_read(tmp_path, separator):
    nx = pytest.importorskip("networkx")
    graph = nx.DiGraph()
    graph.add_edge("a", "b", weight=0.5, kind="chemical, fast")
    graph.add_edge("b", "c", weight=-2)
    graph.add_edge("c", "a")  # networkx counts it as 1
    nx.write_edgelist(graph, tmp_path / "w.edgelist", delimiter=separator)
    found = wirings.read(tmp_path / "w.edgelist")
    assert found.names == ["a", "b", "c"]
    assert found.matrix.tolist() == [[0, 0, 1], [0.5, 0, 0], [0, -2, 0]]
    nx.write_edgelist(nx.DiGraph([("a", "b"), ("b", "c")]), tmp_path / "plain.edgelist", delimiter=separator)
    assert wirings.read(tmp_path / "plain.edgelist").weights is None
    (tmp_path / "numpy.edgelist").write_text("a b {'weight': np.float64(0.5)}\n")
    with pytest.raises(lmrnn.UsageError, match=r"numpy.edgelist:1: .*np.float64\(0.5\).* cannot be read"):
        wirings.read(tmp_path / "numpy.edgelist")


# Orientation -------------------------------------------------------------------------------------


def test_the_first_line_says_which_way_a_file_was_read(tmp_path):
    matrix = np.zeros((5, 5))
    matrix[3, [0, 1, 4]] = 1
    np.save(tmp_path / "m.npy", matrix)
    first = wirings.read(tmp_path / "m.npy").describe().splitlines()[0]
    assert "unit 3 receives from 3 units and sends to 0" in first
    assert "not stated by the file" in first and '"source-target"' in first
    turned = wirings.read(tmp_path / "m.npy", orientation="source-target")
    assert "unit 3 receives from 0 units and sends to 3" in turned.describe().splitlines()[0]
    np.save(tmp_path / "s.npy", matrix + matrix.T)
    assert "symmetric" in wirings.read(tmp_path / "s.npy").describe().splitlines()[0]
    (tmp_path / "e.csv").write_text("source,target\n0,1\n")
    assert "said by the file" in wirings.read(tmp_path / "e.csv").describe()
    with pytest.raises(lmrnn.UsageError, match='orientation = "rows"'):
        wirings.read(tmp_path / "m.npy", orientation="rows")


def test_a_correlation_becomes_a_mask_by_threshold_or_density(tmp_path):
    correlation = np.corrcoef(np.random.default_rng(0).normal(size=(10, 20)))
    np.save(tmp_path / "c.npy", correlation)
    path = tmp_path / "c.npy"
    above = wirings.read(path, threshold=0.3)
    assert np.array_equal(above.mask.to_dense(), np.abs(correlation) > 0.3)
    strongest = wirings.read(path, density=0.2).mask.to_dense()
    assert strongest.sum() == 20
    assert np.abs(correlation)[strongest].min() >= np.abs(correlation)[~strongest].max()
    for keywords, message in (
        ({"threshold": 2}, "above the threshold"), ({"density": 1.5}, "at most 1"),
        ({"threshold": 0.1, "density": 0.1}, "not both"), ({"threshold": -1}, ">= 0"),
    ):  # fmt: skip
        with pytest.raises(lmrnn.UsageError, match=message):
            wirings.read(path, **keywords)
    np.save(tmp_path / "ones.npy", np.ones((4, 4)))
    assert wirings.read(tmp_path / "ones.npy").mask.density == 1  # all to all, and says so


# What else a file knows --------------------------------------------------------------------------


def test_names_weights_signs_and_coordinates(tmp_path):
    networkx = pytest.importorskip("networkx")
    graph = networkx.DiGraph()
    for i, name in enumerate(("AVAL", "AVAR", "PVCL")):
        graph.add_node(name, x=float(i), y=2.0 * i)
    graph.add_edge("AVAL", "AVAR", weight=2.0)
    graph.add_edge("PVCL", "AVAL", weight=-1.0)
    networkx.write_graphml(graph, tmp_path / "g.graphml")
    wiring = wirings.read(tmp_path / "g.graphml")
    assert wiring.names == ["AVAL", "AVAR", "PVCL"]
    assert wiring.matrix[1, 0] == 2 and wiring.matrix[0, 2] == -1
    assert wiring.signs.tolist() == [1, 0, -1]
    assert wiring.coordinates.tolist() == [[0, 0], [1, 2], [2, 4]]
    wiring.save(tmp_path / "g.npz")
    again = wirings.read(tmp_path / "g.npz")
    assert again == wiring and lmrnn.Mask(again) == wiring.mask


def test_a_graph_keeps_its_names():
    networkx = pytest.importorskip("networkx")
    graph = networkx.DiGraph([("b", "a"), ("c", "b")])
    wiring = wirings.read(graph)
    assert wiring.names == ["b", "a", "c"] and wiring.mask == lmrnn.Mask(graph)
    with pytest.raises(lmrnn.UsageError, match="neither a path nor a graph"):
        wirings.read(np.eye(3))


def test_units_of_identifiers_are_in_ascending_order(tmp_path):
    ids = [720575940600000003, 720575940600000001, 720575940600000002]
    (tmp_path / "e.csv").write_text(f"pre,post\n{ids[0]},{ids[1]}\n{ids[1]},{ids[2]}\n")
    wiring = wirings.read(tmp_path / "e.csv")
    assert wiring.names == [str(i) for i in sorted(ids)]  # they differ in the last of 18 digits
    assert np.argwhere(wiring.mask.to_dense()).tolist() == [[0, 2], [1, 0]]


def test_numbered_units_without_edges(tmp_path):
    (tmp_path / "e.csv").write_text("source,target\n1,2\n2,4\n")
    assert wirings.read(tmp_path / "e.csv", n_units=6).mask.to_dense()[4, 2]
    from_one = wirings.read(tmp_path / "e.csv", n_units=4)  # 4 occurs, so they count from 1
    assert from_one.mask.to_dense()[3, 1] and "from 1" in from_one.notes[0]


# The command -------------------------------------------------------------------------------------


def command(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "lmrnn.wirings", *map(str, arguments)], capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


def test_convert_makes_what_wiring_path_reads(tmp_path):
    pytest.importorskip("scipy")
    variant = next(v for v in FILES if v.name == "scipy npz dia array")
    path = variant.make(tmp_path)
    with pytest.raises(lmrnn.UsageError, match=f"python -m lmrnn.wirings convert {path} "):
        lmrnn.Mask.make("file", rows=3, cols=4, path=str(path))
    code, out, _ = command("convert", path, tmp_path / "out.npz")
    assert code == 0 and "wiring.rows = 3, wiring.cols = 4" in out
    mask = lmrnn.Mask.make("file", rows=3, cols=4, path=str(tmp_path / "out.npz"))
    assert np.array_equal(mask.to_dense(), TRUTH)


def test_convert_does_not_replace_what_it_reads(tmp_path):
    path = tmp_path / "m.npz"
    np.savez(path, mask=np.eye(4), sessions=np.arange(3))
    code, _, error = command("convert", path, tmp_path / "." / "m.npz")
    assert code == 2 and "m.npz: is the file to read; write to another one" in error
    assert "sessions" in np.load(path).files


@pytest.mark.parametrize("ending", ["mat", "graphml", "tsv", "nc", "mtx", "json", "xlsx"])
def test_the_core_names_the_command_for_foreign_endings(tmp_path, ending):
    with pytest.raises(lmrnn.UsageError, match=rf"wirings convert .*m\.{ending} .*m\.npz"):
        lmrnn.Mask.make("file", rows=3, cols=4, path=str(tmp_path / f"m.{ending}"))


@pytest.mark.parametrize("content", ["5", "null", "true", '"links"', "{}", '{"nodes": []}', "[" * 100_000])
def test_json_that_is_no_wiring_is_refused_in_words(tmp_path, content):
    (tmp_path / "m.json").write_text(content)
    with pytest.raises(lmrnn.UsageError, match="m.json: (holds .*node-link data; save a list of rows|not JSON)"):
        lmrnn.wirings.read(tmp_path / "m.json")


def test_show_and_its_errors(tmp_path):
    np.save(tmp_path / "m.npy", TRUTH)
    code, out, _ = command("show", tmp_path / "m.npy")
    assert code == 0 and f"{N} units, {len(TARGETS)} synapses" in out
    (tmp_path / "m.csv").write_text("0,1,0\n1,0,1\n0,1,0\n")
    code, out, error = command("show", tmp_path / "m.csv")
    assert (code, out) == (2, "") and '--layout "matrix"' in error
    code, out, _ = command("show", tmp_path / "m.csv", "--layout", "matrix")
    assert code == 0 and "3 units, 4 synapses" in out


def test_a_mask_lies_in_the_folder_of_its_configuration(tmp_path, monkeypatch):
    (tmp_path / "studies").mkdir()
    np.save(tmp_path / "studies" / "m.npy", TRUTH)
    (tmp_path / "studies" / "mine.toml").write_text(
        'seed = 1\n[wiring]\nkind = "file"\nrows = 3\ncols = 4\npath = "m.npy"\n'
    )
    monkeypatch.chdir(tmp_path)
    resolved = lmrnn.resolve_config("studies/mine.toml")
    assert resolved["wiring"]["path"] == "studies/m.npy"
    monkeypatch.chdir(tmp_path / "studies")  # where it was found before, its name stays
    assert lmrnn.resolve_config("mine.toml")["wiring"]["path"] == "m.npy"
    assert lmrnn.resolve_config(str(tmp_path / "studies/mine.toml"))["wiring"]["path"] == "m.npy"


def test_only_the_named_dataset_is_read(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["mask"] = TRUTH
        file.create_dataset("huge", (200_000, 200_000), "f8", chunks=(1000, 1000))  # 320 GB if read
    wiring = wirings.read(tmp_path / "m.h5", dataset="mask")
    assert np.array_equal(np.stack([wiring.mask.targets, wiring.mask.sources]), [TARGETS, SOURCES])


def test_a_virtual_dataset_needs_all_its_files(tmp_path):
    """HDF5 reads the part of a missing file as 0, which would mean that those synapses do not exist."""
    h5py = pytest.importorskip("h5py")
    layout = h5py.VirtualLayout(TRUTH.shape, "u1")
    for row, values in enumerate(TRUTH):
        with h5py.File(tmp_path / f"row{row}.h5", "w") as file:
            file["part"] = values.astype("u1")
        layout[row] = h5py.VirtualSource(f"row{row}.h5", "part", (TRUTH.shape[1],))
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.create_virtual_dataset("mask", layout)
    assert wirings.read(tmp_path / "m.h5").mask.n_synapses == len(TARGETS)
    (tmp_path / "row1.h5").unlink()
    with pytest.raises(lmrnn.UsageError, match=r"m.h5: mask: row1.h5, which holds a part of it, is missing"):
        wirings.read(tmp_path / "m.h5")


def partly_written(path, dtype, fill, attribute=None):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        matrix = file.create_dataset("mask", TRUTH.shape, dtype, chunks=(1, 1), fillvalue=fill)
        if attribute:
            matrix.attrs[attribute] = np.array([fill], dtype)
        matrix[TARGETS[0], SOURCES[0]] = 1
    return path


@pytest.mark.parametrize(
    ("dtype", "fill", "attribute"),
    [
        ("f4", np.float32(9.969209968386869e36), None), ("f8", 9.969209968386869e36, None), ("i4", 1 - 2**31, None),
        ("f4", -999, "_FillValue"), ("i2", 7, "missing_value"),
    ],
)  # fmt: skip
def test_entries_that_were_never_written_are_no_synapses(tmp_path, dtype, fill, attribute):
    path = partly_written(tmp_path / "m.h5", dtype, fill, attribute)
    with pytest.raises(lmrnn.UsageError, match=rf"marks {TRUTH.size - 1} entries that are missing or were never"):
        wirings.read(path)


def test_fill_values_that_mark_nothing_are_read(tmp_path):
    assert wirings.read(partly_written(tmp_path / "m.h5", "f8", 0, "_FillValue")).mask.n_synapses == 1
    assert wirings.read(partly_written(tmp_path / "n.h5", "f8", 1)).mask.n_synapses == TRUTH.size


def test_a_column_that_numbers_the_lines_is_no_weight(tmp_path):
    path = tmp_path / "edges.csv"
    path.write_text("number,source,target,weight\n1,A,B,0.5\n2,B,C,-0.25\n3,C,A,0.125\n")
    assert wirings.read(path).weights.tolist() == [0.125, 0.5, -0.25]  # by target A, B, C
    path.write_text("number,source,target\n1,A,B\n2,B,C\n3,C,A\n")
    with pytest.raises(lmrnn.UsageError, match='"number" numbers the lines; remove it, or call it weight'):
        wirings.read(path)
    path.write_text("source,target,number\nA,B,4\nB,C,2\nC,A,3\n")
    assert wirings.read(path).weights.tolist() == [3, 4, 2]
    path.write_text("source,target,count,strength\nA,B,4,1\nB,A,2,1\n")
    with pytest.raises(lmrnn.UsageError, match="two columns could be the weight"):
        wirings.read(path)


def test_netcdf_with_names_of_units(tmp_path):
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    weights = np.array([[0, 1, 0], [0, 0, 2], [3, 0, 0.0]])  # A -> B -> C -> A
    matrix = xarray.DataArray(weights, dims=("pre", "post"), coords={"pre": list("ABC"), "post": list("ABC")}, name="w")
    path = tmp_path / "w.nc"
    matrix.to_netcdf(path, engine="h5netcdf")
    wiring = wirings.read(path)
    assert wiring.names == list("ABC") and np.array_equal(wiring.matrix, weights.T)
    matrix.sel(post=list("CAB")).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(lmrnn.UsageError, match="the same names in different orders"):
        wirings.read(path)


def test_tables_of_pandas_in_hdf5_have_names(tmp_path):
    """The layout of DataFrame.to_hdf, as pandas 3 writes it through PyTables."""
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "frame.h5"
    for columns in ("abc", "cab"):
        with h5py.File(path, "w") as file:
            group = file.create_group("w")
            group.attrs["pandas_type"] = np.bytes_(b"frame")
            for name, labels in (("axis0", columns), ("axis1", "abc"), ("block0_items", columns)):
                group[name] = np.array(list(labels), "S1")
            group["block0_values"] = np.array([[0, 1, 0], [0, 0, 2], [3, 0, 0.0]])
        if columns == "abc":
            assert wirings.read(path).names == list("abc")
        else:
            with pytest.raises(lmrnn.UsageError, match="the same names in different orders"):
                wirings.read(path)


def test_units_of_one_name_are_taken_by_number():
    wiring = wirings.Wiring(lmrnn.Mask.from_pairs(3, 3, [(1, 0), (2, 1), (0, 2)]), names=["L2/3", "L2/3", "L5"])
    with pytest.raises(lmrnn.UsageError, match="2 units are named 'L2/3'; give their numbers"):
        wiring.take(["L2/3", "L5"])
    assert wiring.take([0, 2]).names == ["L2/3", "L5"]


def test_links_between_nodes_that_are_not_listed_are_refused(tmp_path):
    path = tmp_path / "w.json"
    path.write_text('{"directed": true, "nodes": [{"id": "A"}, {"id": "B"}], "links": [{"source": "A", "target": "C"}]}')
    with pytest.raises(lmrnn.UsageError, match="names the node 'C', which is not among the nodes"):
        wirings.read(path)


def test_a_header_of_numbers_must_be_named(tmp_path):
    path = tmp_path / "matrix.csv"
    rows = np.eye(4, dtype=int)
    path.write_text("\n".join(",".join(map(str, row)) for row in [range(4), *rows]))
    with pytest.raises(lmrnn.UsageError, match="5 lines of 4 numbers.*header=True"):
        wirings.read(path)
    assert wirings.read(path, header=True).mask.n_synapses == 4
