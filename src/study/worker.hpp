// One run of a study, from claim to result.
#pragma once

#include <atomic>
#include <cstdint>

#include "lmrnn/study.hpp"

namespace lmrnn {

/// Exit statuses of the process that carries out a run.
enum class WorkerStatus { done = 0, interrupted = 10, failed = 11 };

/// Where a run tells its parent process how far it is; lies in memory that both share.
struct ProgressSlot {
  static constexpr int no_end = -1;

  std::atomic<std::int64_t> step{0}, n_steps{0};
  std::atomic<double> share{0}, seconds_left{0};
  /// The WorkerStatus with which the run ends. The parent may never learn the exit status: a
  /// program that ignores SIGCHLD, or waits for every child, takes it away.
  std::atomic<int> end{no_end};
};

/// Trains the run, begun or not, to its end, until a SIGINT or SIGTERM, or until it fails; then the
/// failure has been written down. Installs handlers for both signals: for a process of its own.
WorkerStatus carry_out(const Study& study, const PlannedRun& run, int n_threads,
                       ProgressSlot& progress) noexcept;

}  // namespace lmrnn
