// Errors that a user can act on.
//
// Everything that comes from outside (a configuration, a file, an argument, an array's shape) is
// checked where it enters and reported by one of these two types. Inside, functions do not throw.
// A message is one line: what is wrong, where, and the remedy, for example
//   quickstart.toml:12: unknown key "radus"; did you mean "radius"?
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace lmrnn {

/// Base of every exception that the library throws.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The request cannot be carried out as written. The command line exits with status 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// The request was sound but the work failed (disk full, diverged training). Exit status 1.
class RunError : public Error {
 public:
  using Error::Error;
};

/// `; did you mean "radius"?` for the known word nearest to `word`, or `otherwise` if none is near
/// (edit distance at most a third of the longer one, at least 1).
std::string did_you_mean(std::string_view word, std::span<const std::string> known,
                         std::string_view otherwise = {});

}  // namespace lmrnn
