#include "lmrnn/threads.hpp"

#include <sched.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "core/simd_choice.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

/// The pool whose item this thread runs.
thread_local const void* pool_at_work = nullptr;

}  // namespace

int available_processors() noexcept {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  const unsigned n = std::thread::hardware_concurrency();
  return n == 0 ? 1 : static_cast<int>(n);
}

struct ThreadPool::State {
  std::mutex turn;  ///< held by the caller of for_each
  std::mutex mutex;
  std::condition_variable start, finished;
  const std::function<void(std::size_t)>* item = nullptr;
  std::size_t n_items = 0;
  std::int64_t simd = 0;  ///< the caller's choice
  std::atomic<std::size_t> next{0};
  std::size_t generation = 0;
  int n_working = 0;
  bool stopping = false;
  std::exception_ptr error;
  std::vector<std::thread> workers;

  void stop() {
    {
      const std::scoped_lock lock(mutex);
      stopping = true;
    }
    start.notify_all();
    for (auto& worker : workers) worker.join();
  }

  void run_items() {
    const void* const outer = std::exchange(pool_at_work, this);
    for (std::size_t i; (i = next.fetch_add(1)) < n_items;) {
      try {
        (*item)(i);
      } catch (...) {
        const std::scoped_lock lock(mutex);
        if (!error) error = std::current_exception();
      }
    }
    pool_at_work = outer;
  }

  void work() {
    std::size_t seen = 0;
    std::unique_lock lock(mutex);
    for (;;) {
      start.wait(lock, [&] { return stopping || generation != seen; });
      if (stopping) return;
      seen = generation;
      lock.unlock();
      set_simd_of_thread(simd);
      run_items();
      lock.lock();
      if (--n_working == 0) finished.notify_one();
    }
  }
};

ThreadPool::ThreadPool(int n_threads) : state_(std::make_unique<State>()) {
  if (n_threads <= 0) n_threads = available_processors();
  constexpr int most_threads = 4096;
  if (n_threads > most_threads)
    throw UsageError(std::to_string(n_threads) + " threads are too many; at most " +
                     std::to_string(most_threads) + " are allowed, and this process may use " +
                     std::to_string(available_processors()) + " processors");
  try {
    for (int i = 1; i < n_threads; ++i)
      state_->workers.emplace_back([s = state_.get()] { s->work(); });
  } catch (const std::system_error& error) {
    const std::size_t n = state_->workers.size() + 1;
    state_->stop();
    throw RunError("only " + std::to_string(n) + " of " + std::to_string(n_threads) +
                   " threads could be started (" + error.what() + "); use fewer");
  }
}

ThreadPool::~ThreadPool() {
  state_->stop();
}

int ThreadPool::n_threads() const noexcept {
  return static_cast<int>(state_->workers.size()) + 1;
}

void ThreadPool::for_each(std::size_t n, const std::function<void(std::size_t)>& item) {
  if (n == 0) return;
  State& s = *state_;
  if (pool_at_work == &s)
    throw std::logic_error(
        "ThreadPool::for_each: called by one of the pool's own items, which would wait for itself; "
        "use a loop or another pool in there");
  const std::scoped_lock turn(s.turn);
  {
    const std::scoped_lock lock(s.mutex);
    s.item = &item;
    s.n_items = n;
    s.simd = simd_of_thread();
    s.next = 0;
    s.error = nullptr;
    s.n_working = static_cast<int>(s.workers.size());
    ++s.generation;
  }
  s.start.notify_all();
  s.run_items();
  std::unique_lock lock(s.mutex);
  s.finished.wait(lock, [&] { return s.n_working == 0; });
  if (s.error) std::rethrow_exception(s.error);
}

}  // namespace lmrnn
