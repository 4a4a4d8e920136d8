// Runs other programs and returns their output.
#pragma once

#include <string>
#include <vector>

namespace lmrnn {

/// The output of a program, and how it ended.
struct ChildOutput {
  std::string out;    ///< standard output: the answer
  std::string err;    ///< standard error: for people, never to be parsed
  bool ok = false;    ///< it ended by itself with status 0
  std::string end{};  ///< otherwise: "status 1", "signal 9", "no end after 60 s"
};

/// Runs a program, found along PATH, to its end, without standard input; it is killed if that takes
/// longer than `seconds`. A program that cannot be found or run ends with status 127. Throws
/// RunError if no process can be started. Works however this process handles SIGCHLD.
ChildOutput output_of(const std::vector<std::string>& command, unsigned seconds);

}  // namespace lmrnn
