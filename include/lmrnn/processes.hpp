// Several processes that train one network together.
//
// The trainer never sees MPI: each process computes its share of the blocks of trials, and the
// results are copied to all others. Nothing is summed on the way, so the bits do not depend on the
// number of processes.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace lmrnn {

/// Threads: must not be shared. Only the thread that called connect_processes makes calls; MPI
/// requires to be the thread of the main function. So that thread also calls Trainer::run.
class Processes {
 public:
  virtual ~Processes() = default;

  virtual int rank() const noexcept = 0;  ///< 0 ... n() - 1; 0 writes the files
  virtual int n() const noexcept = 0;

  /// `items` holds one item of `item_bytes` per element of work; process r has computed items
  /// [first_item(r), first_item(r + 1)) of `n_items`. Afterwards every process has all items. All
  /// processes must make this call.
  virtual void share(void* items, std::size_t item_bytes, std::size_t n_items) = 0;

  /// Whether `here` is true in any process. All processes must make this call.
  virtual bool any(bool here) = 0;

  /// Ends all processes at once, this one included.
  [[noreturn]] virtual void end_all(int status) noexcept = 0;

  /// Items are divided in order, as evenly as possible.
  std::size_t first_item(int rank, std::size_t n_items) const noexcept {
    return n_items * static_cast<std::size_t>(rank) / static_cast<std::size_t>(n());
  }
};

}  // namespace lmrnn
