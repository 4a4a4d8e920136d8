// One run of a study, from claim to result.
#pragma once

#include <atomic>
#include <cstdint>

#include "lmrnn/study.hpp"

namespace lmrnn {

/// Exit status of the process of a run.
enum class WorkerStatus { done = 0, interrupted = 10, failed = 11 };

/// Shared memory in which a run tells its parent process its progress.
struct ProgressSlot {
  static constexpr int no_end = -1;

  std::atomic<std::int64_t> step{0}, n_steps{0};
  std::atomic<double> share{0}, seconds_left{0};
  /// The WorkerStatus with which the run ends. The parent may never learn the exit status: it is
  /// lost in a program that ignores SIGCHLD or waits for every child.
  std::atomic<int> end{no_end};
};

/// Trains the run, new or resumed, until it ends, fails, or receives SIGINT or SIGTERM. A failure
/// is written down. Installs handlers for both signals, so call it in a process of its own.
WorkerStatus carry_out(const Study& study, const PlannedRun& run, int n_threads,
                       ProgressSlot& progress) noexcept;

}  // namespace lmrnn
