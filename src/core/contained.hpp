// Calls into libraries of others that may crash or never come back.
#pragma once

#include <cstddef>
#include <functional>
#include <stdexcept>
#include <vector>

namespace lmrnn {

/// The work came to a violent end; what() says how ("signal 11, Segmentation fault").
class ContainedDeath : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Seconds after which a call is ended that may use `cpu_seconds` of processor time: far more than
/// that time takes on a busy machine, and an end to a call that waits for something that never
/// comes (a file system that is gone, a lock).
constexpr unsigned wall_seconds_for(unsigned cpu_seconds) {
  return 60 + 20 * cpu_seconds;
}

/// Runs `work` in a copy of this process and returns the bytes that it returned. Whatever it does
/// to its memory stays there; if it crashes, uses more than `cpu_seconds` of processor time, or has
/// not ended after `wall_seconds`, it is killed and ContainedDeath is thrown. A UsageError or
/// RunError of `work` is thrown here again. Takes a millisecond and a second copy of the result.
/// `work` must not start threads or take locks that another thread may hold. Works whatever this
/// process does about SIGCHLD.
std::vector<std::byte> run_contained(const std::function<std::vector<std::byte>()>& work,
                                     unsigned cpu_seconds, unsigned wall_seconds);

inline std::vector<std::byte> run_contained(const std::function<std::vector<std::byte>()>& work,
                                            unsigned cpu_seconds) {
  return run_contained(work, cpu_seconds, wall_seconds_for(cpu_seconds));
}

}  // namespace lmrnn
