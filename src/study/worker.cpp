#include "study/worker.hpp"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <new>
#include <thread>

#include "lmrnn/error.hpp"
#include "lmrnn/network.hpp"
#include "study/ceilings.hpp"
#include "study/hash.hpp"
#include "study/pruning.hpp"
#include "study/store.hpp"
#include "study/summary.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;

volatile std::sig_atomic_t stop = 0;

// Two signals count like one: the parent's and the terminal's may both arrive.
void on_signal(int) {
  stop = 1;
}

bool begun(const fs::path& dir) {
  return fs::exists(dir / "config.toml") && fs::exists(dir / "provenance.json");
}

Trainer open_trainer(const Study& study, const PlannedRun& run, const fs::path& dir,
                     int n_threads) {
  const TrainerOptions options{.n_threads = n_threads, .ceilings = kept_ceilings(study)};
  if (begun(dir)) return Trainer::resume(dir, options);
  // A run was killed while it made its directory: nothing is lost. We hold the claim, so we may
  // delete.
  fs::remove_all(dir);
  Trainer trainer = Trainer::start(prepare(study, run), dir, options);
  // The directory's name has a hash of what the input files held when the run was planned. A pruned
  // run reads only files that `prepare` makes.
  if (run.parent.empty() && first_run_hash(run.config, run.keep_weights_at) != run.hash) {
    fs::remove_all(dir);
    throw RunError("a file that it reads was replaced while it began; run the study again");
  }
  return trainer;
}

void keep_weights(const PlannedRun& run, const Trainer& trainer) {
  if (run.keep_weights_at != trainer.step()) return;
  const RunConfig& c = trainer.config();
  save_network(trainer.directory() / early_weights, trainer.network(),
               describe_training(trainer.battery(), c.wiring, c.run_seed(), trainer.sheet()));
}

// Checks for the file at most five times a second, because a step of a small network takes only a
// millisecond.
class Pause {
 public:
  explicit Pause(const Study& study) : study_(study) {}

  void wait() {
    using namespace std::chrono_literals;
    if (Clock::now() - looked_ < 200ms) return;
    while (study_paused(study_) && stop == 0) std::this_thread::sleep_for(200ms);
    looked_ = Clock::now();
  }

 private:
  using Clock = std::chrono::steady_clock;
  const Study& study_;
  Clock::time_point looked_{};
};

Outcome train(const Study& study, const PlannedRun& run, int n_threads, ProgressSlot& slot) {
  const fs::path dir = run_directory(study, run);
  Trainer trainer = open_trainer(study, run, dir, n_threads);
  keep_weights(run, trainer);
  slot.step = trainer.step();
  slot.n_steps = trainer.config().train.steps;
  Pause pause(study);
  TrainerCallbacks callbacks;
  callbacks.stop_requested = [] { return stop != 0; };
  callbacks.progress = [&](const Progress& p) {
    keep_weights(run, trainer);
    slot.step = p.step;
    slot.seconds_left = p.seconds_left;
    if (p.evaluation) slot.share = p.evaluation->mean_share_of_ceiling();
    pause.wait();
  };
  return trainer.run(callbacks);
}

void record(const Study& study, const PlannedRun& run, bool diverged) {
  if (study.results.empty()) return;
  try {
    append_result(study.results, summarise(study, run, run_directory(study, run), diverged));
  } catch (const std::exception& error) {
    throw RunError(fmt::format(
        "{}; the run itself is over: lmrnn study run or collect enters it later", error.what()));
  }
}

WorkerStatus fail(const Study& study, const PlannedRun& run, const Failure& failure) noexcept {
  try {
    write_failure(study, run, failure);
    if (failure.diverged) record(study, run, true);
  } catch (...) {
    // Most likely the disk is full; the parent reports that the run failed.
  }
  return WorkerStatus::failed;
}

}  // namespace

WorkerStatus carry_out(const Study& study, const PlannedRun& run, int n_threads,
                       ProgressSlot& progress) noexcept {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  try {
    remove_failure(study, run);
    if (train(study, run, n_threads, progress) == Outcome::interrupted)
      return WorkerStatus::interrupted;
    record(study, run, false);
    return WorkerStatus::done;
  } catch (const Diverged& error) {
    return fail(study, run, {true, error.what()});
  } catch (const std::bad_alloc&) {
    return fail(study, run, {false, "not enough memory; use fewer --jobs or train.recompute"});
  } catch (const std::exception& error) {
    return fail(study, run, {false, error.what()});
  }
}

}  // namespace lmrnn
