// Whether a run gives the same bits in all circumstances.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "small_run.hpp"

namespace lmrnn {

/// The last step of a run and both files of its checkpoint; interrupted after `interrupted_at`
/// steps and resumed, if that is above 0.
inline std::string bytes_after(const RunConfig& config, const std::filesystem::path& run,
                               int n_threads, std::int64_t interrupted_at = 0) {
  TrainerCallbacks callbacks;
  std::int64_t steps = 0;
  if (interrupted_at > 0) callbacks.stop_requested = [&] { return ++steps == interrupted_at; };
  Outcome outcome = Trainer::start(config, run, {.n_threads = n_threads}).run(callbacks);
  if (outcome == Outcome::interrupted)
    outcome = Trainer::resume(run, {.n_threads = n_threads}).run();
  EXPECT_NE(outcome, Outcome::interrupted);
  const std::int64_t last = checkpoint_steps(run).back();
  return std::to_string(last) + checkpoint_bytes(run, last);
}

/// The same bits for one thread, three, and after an interruption.
inline void expect_reproducible(const RunConfig& config) {
  const TemporaryDirectory dir;
  const std::string alone = bytes_after(config, dir / "alone", 1);
  EXPECT_TRUE(alone == bytes_after(config, dir / "threads", 3));
  for (const std::int64_t step : {7, 13})
    EXPECT_TRUE(alone == bytes_after(config, dir / std::to_string(step), 2, step)) << step;
}

}  // namespace lmrnn
