// Errors that a user can act on.
//
// Everything that comes from outside (a configuration, a file, an argument, an array's shape) is
// checked where it enters and reported by one of these two types. Inside, functions do not throw.
// A message is one line, "where: problem; remedy", for example
//   quickstart.toml:12: unknown key "radus"; did you mean "radius"?
// A function of the public headers throws what its comment names, and otherwise nothing but
// std::bad_alloc. A UsageError has the three parts as fields, too, for programs that show them in
// their own way.
#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace lmrnn {

/// Base of the library's own exceptions.
class Error : public std::runtime_error {
 public:
  /// Control characters of `message` become spaces: names and values from files may hold newlines.
  explicit Error(const std::string& message);
};

/// The request cannot be carried out as written. The command line exits with status 2.
///
/// Threads: may be shared; it never changes.
class UsageError : public Error {
 public:
  /// A message of the form "where: problem; remedy". The place ends at the first ": ", the remedy
  /// begins after the last "; ", both outside quotes and parentheses; either may be missing.
  explicit UsageError(const std::string& message);
  /// `what()` is "where: problem; remedy", without the parts that are empty.
  UsageError(std::string_view where, std::string_view problem, std::string_view remedy);

  // Parts of what(); valid as long as this object or a copy of it exists.
  std::string_view where() const noexcept;    ///< file and line, key, option, or empty
  std::string_view problem() const noexcept;  ///< never empty
  std::string_view remedy() const noexcept;   ///< what to do about it, or empty

 private:
  std::size_t where_size_ = 0, problem_at_ = 0, problem_size_ = 0;
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
