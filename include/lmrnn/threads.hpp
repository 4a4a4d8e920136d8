// A small pool of worker threads for independent items of work.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace lmrnn {

/// Runs items 0 ... n-1 on `n_threads` threads (the caller is one of them). Which thread runs an
/// item is not fixed; items must be independent, so that results cannot depend on it.
class ThreadPool {
 public:
  /// `n_threads` >= 1; 0 means one per processor that this process may use.
  explicit ThreadPool(int n_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int n_threads() const noexcept;

  /// Calls `item(i)` once for every i < n and returns when all are done. The first exception that
  /// an item throws is rethrown here. Not reentrant.
  void for_each(std::size_t n, const std::function<void(std::size_t)>& item);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Processors that this process may use (respects affinity and hence Slurm's binding).
int available_processors() noexcept;

}  // namespace lmrnn
