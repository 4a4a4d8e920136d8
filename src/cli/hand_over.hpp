// Verbs that the Python package carries out: this program itself stays free of Python.
#pragma once

#include <string>
#include <vector>

namespace lmrnn::cli {

/// Becomes the program `command` (lmrnn-report, ...), which lies next to this one or on PATH, with
/// `words` as its arguments, the way git hands over to git-NAME. Throws RunError, with `extra` of
/// the Python package to install, if there is none.
[[noreturn]] void hand_over(const std::string& verb, const std::string& command,
                            const std::string& extra, std::vector<std::string> words);

}  // namespace lmrnn::cli
