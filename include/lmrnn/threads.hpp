// A small pool of worker threads for independent items of work, and what threads may share.
//
// Every class of the public headers says under "Threads:" what several threads may do with one
// object. For everything else:
//   - Structs are values: any number of threads may read one, or one thread may write it. The same
//     holds for arrays that views point to.
//   - Functions may be called by any number of threads at once, with the same arguments too, unless
//     they say otherwise. run_study (it forks), connect_processes (MPI) and use_zoo do.
//   - Nothing that one caller chooses changes what another one gets: there are no global settings,
//     except the folder of use_zoo.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace lmrnn {

/// Runs items 0 ... n-1 on `n_threads` threads (the caller is one of them). Which thread runs an
/// item is not fixed; items must be independent, so that results cannot depend on it.
///
/// Threads: may be shared. Callers take turns, so the pool never uses more than its threads plus
/// the callers that wait.
class ThreadPool {
 public:
  /// `n_threads` >= 1; 0 means one per processor that this process may use. Throws UsageError for
  /// more than 4096 threads, RunError if they cannot be started.
  explicit ThreadPool(int n_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int n_threads() const noexcept;

  /// Calls `item(i)` once for every i < n and returns when all are done. The first exception that
  /// an item throws is rethrown here. Items use the caller's SIMD target (lmrnn/simd.hpp). Throws
  /// std::logic_error if it is called by an item of the same pool.
  void for_each(std::size_t n, const std::function<void(std::size_t)>& item);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Processors that this process may use (respects affinity and hence Slurm's binding).
int available_processors() noexcept;

}  // namespace lmrnn
