#!/usr/bin/env python3
"""The include scan finds each kind of violation, and nothing in a tree that has none."""

import tempfile
import unittest
from pathlib import Path

from include_scan import scan


class IncludeScan(unittest.TestCase):
    def violations(self, files):
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory)
            for name, text in files.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return scan(root)

    def assert_refused(self, name, line, reason):
        found = self.violations({"src/rnn/cell.hpp": "", "src/kernels/steps.hpp": "", name: line})
        self.assertEqual(len(found), 1, found)
        self.assertIn(f"{name}:1:", found[0])
        self.assertIn(reason, found[0])

    def test_allowed_arrows(self):
        self.assertEqual(
            self.violations(
                {
                    "include/lmrnn/network.hpp": '#include "lmrnn/wiring.hpp"\n',
                    "src/kernels/steps.hpp": '#include <hwy/highway.h>\n#include "lmrnn/array.hpp"',
                    "src/rnn/cell.hpp": "#include <vector>\n",
                    "src/rnn/one/cell.cpp": '#include "rnn/cell.hpp"\n',
                    "src/rnn/cell.cpp": '#include "cell.hpp"\n#include "kernels/steps.hpp"\n',
                    "src/train/trainer.cpp": '#include "lmrnn/tasks.hpp"\n',
                    "src/cli/main.cpp": '#include <CLI/CLI.hpp>\n#include "lmrnn/train.hpp"\n'
                    "int main() { printf(); }\n",
                    "src/core/a.cpp": "// printf(\nint fprint(int);\n",
                }
            ),
            [],
        )

    def test_networks_know_no_tasks(self):
        self.assert_refused("src/rnn/a.cpp", '#include "lmrnn/tasks.hpp"', "rnn must not")
        self.assert_refused("src/tasks/a.cpp", '#include "lmrnn/network.hpp"', "tasks must not")
        self.assert_refused("src/tasks/a.cpp", '#include "rnn/cell.hpp"', "tasks must not")
        self.assert_refused("src/tasks/a.cpp", '#include "../rnn/cell.hpp"', "tasks must not")
        self.assert_refused("src/tasks/a.cpp", '#include "lmrnn/wiring.hpp"', "tasks must not")
        self.assert_refused("src/wiring/a.cpp", '#include "lmrnn/tasks.hpp"', "wiring must not")
        self.assert_refused("src/kernels/a.cpp", '#include "lmrnn/wiring.hpp"', "kernels must not")

    def test_private_headers_stay_in_their_module(self):
        files = {"src/wiring/makers.hpp": "", "src/core/shared/text.hpp": "", "src/core/npy.hpp": ""}
        for line, wrong in [('#include "wiring/makers.hpp"', "private to wiring"),
                            ('#include "core/npy.hpp"', "private to core"),
                            ('#include "../core/npy.hpp"', "private to core"),
                            ('#include "core/shared/text.hpp"', None)]:
            found = self.violations({**files, "src/eval/lesion.cpp": line})
            self.assertEqual(len(found), 0 if wrong is None else 1, (line, found))
            if wrong:
                self.assertIn(wrong, found[0])

    def test_public_headers_have_modules_too(self):
        self.assert_refused("include/lmrnn/tasks.hpp", '#include "lmrnn/network.hpp"', "tasks must")
        self.assert_refused("src/rnn/a.cpp", '#include "lmrnn/new.hpp"', "belongs to no module")
        self.assert_refused("include/lmrnn/new.hpp", "", "belongs to no module")

    def test_the_command_line_sees_public_headers_only(self):
        self.assert_refused("src/cli/a.cpp", '#include "kernels/steps.hpp"', "public headers only")
        self.assert_refused(
            "python/bindings/a.cpp", '#include "rnn/cell.hpp"', "public headers only"
        )

    def test_third_parties_stay_at_home(self):
        self.assert_refused("src/rnn/a.cpp", "#include <hwy/highway.h>", "for src/kernels only")
        self.assert_refused("src/train/a.cpp", "#include <CLI/CLI.hpp>", "for src/cli only")

    def test_the_library_is_silent(self):
        for line in ('std::cout << "x";', "printf(x);", "fmt::print(x);", 'std::getenv("HOME");',
                     "#include <iostream>", "std::cerr<<x;", "std::exit(1);"):
            self.assert_refused("src/core/a.cpp", line, "a library does not use")

    def test_kernels_are_called_on_the_target_of_their_thread(self):
        for line in ("HWY_DYNAMIC_DISPATCH(f)(x);", "hwy::SetSupportedTargetsForTest(0);"):
            self.assert_refused("src/kernels/a.cpp", line, "for the whole process")

    def test_public_classes_say_what_threads_may_share(self):
        header = "include/lmrnn/network.hpp"
        self.assert_refused(header, "class Network {\n};\n", "say of Network what threads")
        for text in ("/// Weights.\n///\n/// Threads: may be shared.\nclass Network {\n};\n",
                     "class Diverged : public RunError {\n};\n", "class Network;\n",
                     "struct Key {\n};\n"):
            self.assertEqual(self.violations({header: text}), [])

    def test_an_empty_tree_is_no_success(self):
        self.assertEqual(len(self.violations({"README.md": ""})), 1)


if __name__ == "__main__":
    unittest.main()
