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

/// Runs `work` in a copy of this process and returns the bytes that it returned. Whatever it does
/// to its memory stays there; if it crashes, or uses more than `cpu_seconds` of processor time, it
/// is gone and ContainedDeath is thrown. A UsageError or RunError of `work` is thrown here again.
/// Takes a millisecond and a second copy of the result. `work` must not start threads or take locks
/// that another thread may hold.
std::vector<std::byte> run_contained(const std::function<std::vector<std::byte>()>& work,
                                     unsigned cpu_seconds);

}  // namespace lmrnn
