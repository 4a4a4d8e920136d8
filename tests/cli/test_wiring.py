#!/usr/bin/env python3
"""lmrnn wiring: show, stats."""

import json
import math
import struct
import unittest

from program import ProgramTest, run


class Wiring(ProgramTest):
    def stats(self, *arguments):
        return json.loads(self.output_of("wiring", "stats", *arguments, "--json"))

    def write(self, name, text):
        path = self.dir / name
        path.write_text(text, encoding="utf-8")
        return path

    def test_the_lowest_density_of_the_paper(self):
        stats = self.stats("--wiring", "local", "--sheet", "32x32", "--metric", "l1", "--radius",
                           "4", "--boundary", "torus")
        self.assertEqual(stats["n_synapses"], 41984)
        self.assertEqual(stats["in_degree_min"], 41)
        self.assertEqual(stats["in_degree_max"], 41)
        self.assertAlmostEqual(stats["density"], 0.0400, places=4)
        text = self.output_of("wiring", "stats")
        self.assertIn("41984, 41 per unit", text)
        self.assertIn("0.0400", text)

    def test_types_of_units_are_counted(self):
        typed = ("--sheet", "10x10", "--excitatory", "0.8")
        self.assertEqual(self.stats(*typed)["n_excitatory"], 80)
        self.assertIn("80, and 20 inhibitory", self.output_of("wiring", "stats", *typed))
        self.assertNotIn("n_excitatory", self.stats("--sheet", "10x10"))
        # Types change the mask only if they have their own radii; the mask then needs a seed.
        refused = run("wiring", "stats", *typed, "--radius-ei", "1")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("set its seed with --seed", refused.stderr)
        stats = self.stats(*typed, "--radius-ei", "1", "--excitatory-placement", "lattice")
        self.assertLess(stats["n_synapses"], 4100)

    def test_areas_have_statistics_of_their_own(self):
        areas = ("--areas", '[{name = "v1", rows = 2, cols = 3}, {name = "m1", rows = 1, cols = 2, radius = 0}]',
                 "--boundary", "open", "--radius", "1", "--between-density", "0.25",
                 "--projections", '[{from = "v1", to = "m1", density = 0.5}]')  # fmt: skip
        refused = run("wiring", "stats", *areas)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("set its seed with --seed", refused.stderr)
        stats = self.stats(*areas, "--seed", "1")
        self.assertEqual((stats["n_units"], stats["n_synapses"]), (8, 31))
        self.assertNotIn("rows", stats)
        self.assertEqual([a["name"] for a in stats["areas"]], ["v1", "m1"])
        self.assertEqual([a["n_synapses"] for a in stats["areas"]], [20, 2])
        self.assertEqual(stats["between"][0], {"from": "v1", "to": "m1", "n_synapses": 6, "density": 0.5})
        self.assertEqual(stats["between"][1]["n_synapses"], 3)
        text = self.output_of("wiring", "show", *areas, "--seed", "1", "--unit", "7")
        self.assertIn("unit 7 (m1, row 0, column 1)", text)
        self.assertIn("8 in 2 areas", text)
        self.assertRegex(text, r"v1 -> m1 +6 +0\.5000 +3\n")
        self.assertRegex(text, r"(?m)^  v1\n.*\n.*\n\n  m1$")
        refused = run("wiring", "show", *areas, "--seed", "1", "--unit", "0,1")
        self.assertIn("numbered area by area", refused.stderr)
        refused = run("wiring", "stats", "--areas", "v1")
        self.assertIn('areas = "v1"; expected a list in brackets', refused.stderr)

    def test_a_path_of_types_needs_no_quotes(self):
        refused = run("wiring", "stats", "--excitatory-placement", "file", "--excitatory-path", "1")
        self.assertIn("1: the core reads .npz", refused.stderr)

    def test_distances_may_be_between_places(self):
        header = json.dumps({"coordinates": {"dtype": "F32", "shape": [4, 2], "data_offsets": [0, 32]}})
        header = header.ljust(-(-len(header) // 8) * 8).encode()
        path = self.dir / "places.safetensors"
        path.write_bytes(struct.pack("<Q", len(header)) + header
                         + struct.pack("<8f", 0, 0, 3, 0, 3, 4, 30, 40))
        places = ("--sheet", "2x2", "--metric", "l2", "--radius", "5", "--coordinates-path", str(path))
        stats = self.stats(*places, "--boundary", "open")
        self.assertEqual(stats["n_synapses"], 4 + 6)  # autapses, and synapses of three units close together
        self.assertAlmostEqual(stats["wire_length"], 2 * (3 + 4 + 5))
        refused = run("wiring", "stats", *places)
        self.assertEqual(refused.returncode, 2)
        self.assertIn('set wiring.boundary = "open"', refused.stderr)

    def test_nothing_joined_is_null(self):
        self.assertIsNone(self.stats("--wiring", "autapse", "--sheet", "3x3")["mean_path_length"])

    def test_options_win_over_assignments_and_these_over_the_file(self):
        file = self.write("a.toml", 'seed = 5\n[wiring]\nkind = "random"\nrows = 8\ncols = 9\n')
        self.assertEqual(self.stats("--config", file)["n_units"], 72)
        stats = self.stats("--config", file, "--set", "wiring.rows=10", "--set", "wiring.radius=3",
                           "--radius", "1")
        self.assertEqual((stats["n_units"], stats["n_synapses"]), (90, 450))
        # The seed of the file is the seed of its mask.
        self.assertEqual(self.stats("--config", file), self.stats("--config", file, "--seed", 5))
        self.assertNotEqual(self.stats("--config", file, "--radius", 2),
                            self.stats("--config", file, "--radius", 2, "--seed", 6))

    def test_masks_survive_a_file(self):
        arguments = ("--wiring", "rewired", "--sheet", "6x7", "--radius", "2")
        expected = self.stats(*arguments, "--seed", 3)
        path = self.dir / "m.npz"
        self.output_of("wiring", "show", *arguments, "--seed", 3, "--out", path)
        stats = self.stats("--wiring", "file", "--path", path, "--sheet", "6x7")
        self.assertEqual(stats | {"wiring": "rewired"}, expected)

    def test_hdf5_is_written_and_named_with_the_command_that_converts_it(self):
        path = self.dir / "m.h5"
        self.output_of("wiring", "show", "--sheet", "3x3", "--out", path)
        self.assert_refused(("wiring", "stats", "--wiring", "file", "--path", path, "--sheet", "3x3"),
                            f"python -m lmrnn.wirings convert {path} {self.dir / 'm'}.npz")

    def test_edge_list(self):
        path = self.write("edges.csv", "source,target\n0,1\n1,2\n2,3\n")
        stats = self.stats("--wiring", "file", "--path", path, "--sheet", "2x2")
        self.assertEqual(stats["n_synapses"], 3)
        self.assertTrue(math.isclose(stats["mean_path_length"], (3 * 1 + 2 * 2 + 3) / 6))

    def test_show_draws_the_neighbourhood(self):
        text = self.output_of("wiring", "show", "--sheet", "5x5", "--radius", "1", "--unit", "0,0")
        lines = [line.strip() for line in text.split("\n")]
        at = lines.index("◉ ██· · ██")  # the torus joins the first column with the last
        self.assertEqual(lines[at + 1], "██· · · ·")
        self.assertEqual(lines[at + 4], "██· · · ·")
        self.assertIn("unit 0 (row 0, column 0): 5 sources", text)

    def test_a_large_sheet_is_cut(self):
        text = self.output_of("wiring", "show", "--sheet", "50x200", "--unit", "9999")
        self.assertIn("rows 10 to 49 of 50, columns 122 to 199 of 200", text)

    def test_refusals(self):
        stats = ("wiring", "stats")
        self.assert_refused((*stats, "--radius", "-1"), "--radius", "at least 0")
        self.assert_refused((*stats, "--sheet", "32"), "32x32")
        self.assert_refused((*stats, "--wiring", "lokal"), 'did you mean "local"')
        self.assert_refused((*stats, "--wiring", "random"), "--seed")
        self.assert_refused((*stats, "--radus", "4"), 'did you mean "--radius"')
        self.assert_refused(("wiring", "show", "--unit", "1024"), "1023")
        self.assert_refused(("wiring", "show", "--out", self.dir / "m.txt"), ".npz")
        self.assert_refused(("wiring", "show", "--out", self.dir / "no" / "m.npz"),
                            "create the directory", status=1)
        file = self.write("bad.toml", "[wiring]\nradus = 3\n")
        self.assert_refused((*stats, "--config", file), "bad.toml:2", 'did you mean "radius"')
        mask = self.dir / "m.npz"
        self.output_of("wiring", "show", "--sheet", "4x4", "--out", mask)
        self.assert_refused((*stats, "--wiring", "file", "--path", mask, "--sheet", "4x5"),
                            "(16, 16)", "(20, 20)", "wiring.rows")
        self.assertEqual(sorted(p.name for p in self.dir.iterdir()), ["bad.toml", "m.npz"])
        mask.write_bytes(mask.read_bytes()[:-30])
        self.assert_refused((*stats, "--wiring", "file", "--path", mask, "--sheet", "4x4"), "m.npz")
        self.assertEqual(run("wiring").returncode, 2)


if __name__ == "__main__":
    unittest.main()
