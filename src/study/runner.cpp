// Runs a study: a process per run, as many at a time as jobs and memory allow.
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <new>
#include <optional>
#include <set>
#include <thread>

#include "core/shared/descriptor.hpp"
#include "core/shared/text.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/machine.hpp"
#include "lmrnn/study.hpp"
#include "lmrnn/threads.hpp"
#include "study/memory.hpp"
#include "study/plan_lookup.hpp"
#include "study/states.hpp"
#include "study/store.hpp"
#include "study/worker.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// Memory that this process shares with its children.
class SharedSlots {
 public:
  explicit SharedSlots(std::size_t n) : bytes_(n * sizeof(ProgressSlot)) {
    void* memory =
        ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      throw RunError(fmt::format("cannot share memory with runs ({})", std::strerror(errno)));
    slots_ = static_cast<ProgressSlot*>(memory);
    for (std::size_t i = 0; i < n; ++i) new (slots_ + i) ProgressSlot;
  }
  ~SharedSlots() { ::munmap(slots_, bytes_); }
  SharedSlots(const SharedSlots&) = delete;
  SharedSlots& operator=(const SharedSlots&) = delete;
  ProgressSlot& operator[](std::size_t i) const { return slots_[i]; }

 private:
  std::size_t bytes_;
  ProgressSlot* slots_;
};

struct Child {
  pid_t pid;
  std::size_t slot;
  PlannedRun run;
  double bytes;
  Clock::time_point begin;
};

std::string describe_owner(const std::string& job) {
  return fmt::format("{}{}, process {}", job.empty() ? "" : job + " on ", host_name(), ::getpid());
}

struct ChildState {
  bool running;
  std::optional<int> status;  ///< from waitpid; nothing if other code has already collected it
};

ChildState look_at(pid_t child) {
  int status = 0;
  for (;;) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return {false, status};
    if (ended == 0) return {true, {}};
    if (errno == ECHILD) return {false, {}};
    if (errno != EINTR)
      throw RunError(fmt::format("cannot wait for a run ({})", std::strerror(errno)));
  }
}

/// Gives a run that was told to save and end two minutes, then kills it.
void end_by_force(pid_t child) noexcept {
  constexpr int n_looks = 1200;
  for (int i = 0; i < n_looks; ++i) {
    if (::waitpid(child, nullptr, WNOHANG) != 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

std::string describe_death(const ChildState& state) {
  if (!state.status)
    return "ended without a message, and something in this program took its exit status "
           "(SIGCHLD is ignored, or every child is waited for); to see why it ended, run the study "
           "from a program that does neither";
  // The kernel sends SIGKILL when memory runs out.
  const int signal = WTERMSIG(*state.status);
  return fmt::format("killed by signal {} ({}){}", signal, ::strsignal(signal),
                     signal == SIGKILL ? "; out of memory? use fewer --jobs or less --memory" : "");
}

class Runner {
 public:
  Runner(const Study& study, const StudyRunOptions& options, const StudyCallbacks& callbacks)
      : study_(study),
        options_(options),
        callbacks_(callbacks),
        n_threads_(options.n_threads > 0 ? options.n_threads
                                         : std::max(1, available_processors() / options.jobs)),
        budget_(options.memory_bytes > 0 ? options.memory_bytes : 0.9 * available_memory()),
        slots_(static_cast<std::size_t>(options.jobs)),
        slot_taken_(static_cast<std::size_t>(options.jobs)),
        owner_(describe_owner(options.owner)) {}

  ~Runner() {
    for (const Child& child : children_) ::kill(child.pid, SIGTERM);
    for (const Child& child : children_) end_by_force(child.pid);
  }

  StudyOutcome run() {
    refresh();
    find_cells();
    while (true) {
      obey_stop();
      bool changed = reap();
      if (changed || Clock::now() - refreshed_ > std::chrono::seconds(2)) refresh();
      paused_ = study_paused(study_).has_value();
      if (stopping_ == StopRequest::none && !paused_) changed = start_what_fits() || changed;
      report();
      if (children_.empty() && (stopping_ != StopRequest::none || !worth_waiting())) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(changed ? 1 : 100));
    }
    outcome_.n_left = static_cast<std::size_t>(
        std::ranges::count_if(states_, [](const RunStatus& s) { return !is_over(s.state); }));
    for (std::size_t i = 0; i < states_.size(); ++i)
      outcome_.n_failed_before += states_[i].state == RunState::failed && is_wanted(i) &&
                                  !failed_here_.contains(plan_.runs[i].hash);
    return outcome_;
  }

 private:
  static bool is_over(RunState state) {
    return state == RunState::done || state == RunState::recorded || state == RunState::diverged;
  }

  void refresh() {
    const ResultLookup lookup(study_);
    plan_ = plan_study(study_, [&](const PlannedRun& run) {
      const auto known = scores_.find(run.hash);
      if (known != scores_.end()) return std::optional(known->second);
      const auto result = lookup(run);
      if (result) scores_[run.hash] = *result;
      return result;
    });
    states_ = study_status(study_, plan_, lookup);
    refreshed_ = Clock::now();
  }

  void find_cells() const {
    std::vector<std::string> names;
    for (const Cell& cell : plan_.cells) names.push_back(cell.name);
    const auto wanted = [&](const std::string& name) { return is_wanted(name); };
    if (std::ranges::none_of(names, wanted))
      throw UsageError(fmt::format("no cell of the study is called \"{}\"; it has {}",
                                   options_.cells, fmt::join(names, ", ")));
  }

  bool is_wanted(const std::string& cell) const { return matches_glob(options_.cells, cell); }

  bool is_wanted(std::size_t i) const { return is_wanted(plan_.cells[plan_.runs[i].cell].name); }

  void obey_stop() {
    const StopRequest wanted =
        callbacks_.stop_requested ? callbacks_.stop_requested() : StopRequest::none;
    if (wanted <= stopping_) return;
    for (const Child& child : children_)
      ::kill(child.pid, wanted == StopRequest::kill ? SIGKILL : SIGTERM);
    stopping_ = wanted;
  }

  // Handles children that have ended; returns true if there were any.
  bool reap() {
    bool any = false;
    for (std::size_t i = 0; i < children_.size();) {
      const ChildState state = look_at(children_[i].pid);
      if (state.running) {
        ++i;
        continue;
      }
      const Child child = std::move(children_[i]);
      children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(i));
      slot_taken_[child.slot] = 0;
      conclude(child, state);
      any = true;
    }
    return any;
  }

  void conclude(const Child& child, const ChildState& state) {
    const int end = state.status && WIFEXITED(*state.status) ? WEXITSTATUS(*state.status)
                    : state.status                           ? ProgressSlot::no_end
                                                             : slots_[child.slot].end.load();
    if (end == static_cast<int>(WorkerStatus::done)) {
      ++outcome_.n_finished;
      seconds_finished_ += std::chrono::duration<double>(Clock::now() - child.begin).count();
      return say(child.run.name + ": done");
    }
    if (end == static_cast<int>(WorkerStatus::interrupted)) {
      ++outcome_.n_interrupted;
      return say(child.run.name + ": interrupted");
    }
    if (end == ProgressSlot::no_end) {
      if (stopping_ == StopRequest::kill) {
        ++outcome_.n_interrupted;
        return;
      }
      write_failure(study_, child.run, {false, describe_death(state)});
    }
    const auto failure = read_failure(study_, child.run);
    if (failure && failure->diverged) {
      ++outcome_.n_diverged;
    } else {
      ++outcome_.n_failed;
      failed_here_.insert(child.run.hash);
    }
    say(fmt::format("{}: {}", child.run.name,
                    failure ? failure->error : std::string("failed, and could not write why")));
  }

  void say(const std::string& event) {
    event_ = event;
    report();
    event_.clear();
  }

  bool may_begin(std::size_t i) const {
    if (!is_wanted(i)) return false;
    const RunState state = states_[i].state;
    if (state == RunState::planned || state == RunState::interrupted) return true;
    return state == RunState::failed && options_.retry &&
           !failed_here_.contains(plan_.runs[i].hash);
  }

  bool start_what_fits() {
    bool any = false;
    for (std::size_t i = 0; i < plan_.runs.size(); ++i) {
      if (children_.size() >= slot_taken_.size()) break;
      if (options_.limit > 0 && n_begun_ >= options_.limit) break;
      if (!may_begin(i)) continue;
      const double bytes = bytes_of(plan_.runs[i]);
      if (!children_.empty() && bytes_in_use() + bytes > budget_)
        continue;  // a smaller one may fit
      any = start(i, bytes) || any;
    }
    return any;
  }

  double bytes_of(const PlannedRun& run) const {
    constexpr double program = 5e7;  // code, libraries, evaluation
    return program + estimate_memory(run.config, n_threads_).total();
  }

  double bytes_in_use() const {
    double sum = 0;
    for (const Child& child : children_) sum += child.bytes;
    return sum;
  }

  bool start(std::size_t i, double bytes) {
    const PlannedRun& run = plan_.runs[i];
    const auto claim = Claim::take(study_, run, owner_);
    if (!claim) {
      states_[i].state = RunState::running;
      return false;
    }
    // Another process may have finished this run, or failed at it, since we last looked.
    const ResultLookup lookup(study_);
    if (lookup.over(run) == RunState::done ||
        (states_[i].state != RunState::failed && read_failure(study_, run))) {
      refreshed_ = {};
      return false;
    }
    const auto free = std::ranges::find(slot_taken_, std::uint8_t{0}) - slot_taken_.begin();
    const auto slot = static_cast<std::size_t>(free);
    slots_[slot].step = slots_[slot].n_steps = 0;
    slots_[slot].share = slots_[slot].seconds_left = 0;
    slots_[slot].end = ProgressSlot::no_end;
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) throw RunError(fmt::format("cannot start a run ({})", std::strerror(errno)));
    if (pid == 0) {
      // A run must not outlive the process that watches it: it ends as on Ctrl-C.
      ::prctl(PR_SET_PDEATHSIG, SIGTERM);
      if (::getppid() != parent) ::_exit(static_cast<int>(WorkerStatus::interrupted));
      slots_[slot].end = static_cast<int>(carry_out(study_, run, n_threads_, slots_[slot]));
      ::_exit(slots_[slot].end);
    }
    slot_taken_[slot] = 1;
    children_.push_back({pid, slot, run, bytes, Clock::now()});
    states_[i].state = RunState::running;
    // Cells may share a run.
    for (std::size_t j = 0; j < plan_.runs.size(); ++j)
      if (plan_.runs[j].settled && plan_.runs[j].hash == run.hash)
        states_[j].state = RunState::running;
    ++n_begun_;
    return true;
  }

  // Whether runs can begin, or wait for a run of another process: they become ours when it is done.
  bool worth_waiting() const {
    if (options_.limit > 0 && n_begun_ >= options_.limit) return false;
    bool can_begin = false, waiting = false, elsewhere = false;
    for (std::size_t i = 0; i < states_.size(); ++i) {
      can_begin = can_begin || may_begin(i);
      waiting = waiting || (is_wanted(i) && states_[i].state == RunState::waiting);
      elsewhere = elsewhere || states_[i].state == RunState::running;
    }
    return can_begin || (waiting && elsewhere);
  }

  void report() const {
    if (!callbacks_.progress) return;
    StudyProgress p;
    p.event = event_;
    p.paused = paused_;
    std::set<std::string> seen;
    for (std::size_t i = 0; i < states_.size(); ++i) {
      if (!is_wanted(i)) continue;
      if (plan_.runs[i].settled && !seen.insert(plan_.runs[i].hash).second) continue;
      ++p.n_runs;
      p.n_over += is_over(states_[i].state) ? 1 : 0;
      p.n_failed += states_[i].state == RunState::failed ? 1 : 0;
      p.n_elsewhere += states_[i].state == RunState::running ? 1 : 0;
    }
    p.n_elsewhere -= std::min(p.n_elsewhere, children_.size());
    p.done = static_cast<double>(p.n_over);
    double left = 0, mean = 0;
    for (const Child& child : children_) {
      const ProgressSlot& slot = slots_[child.slot];
      const std::int64_t n = slot.n_steps;
      p.running.push_back({child.run.name, slot.step, n, slot.share});
      if (n > 0) p.done += static_cast<double>(slot.step) / static_cast<double>(n);
      left += slot.seconds_left;
      mean += std::chrono::duration<double>(Clock::now() - child.begin).count() + slot.seconds_left;
    }
    const auto n_known = static_cast<double>(outcome_.n_finished + children_.size());
    if (n_known > 0) {
      mean = (mean + seconds_finished_) / n_known;
      const auto n_to_begin = static_cast<double>(
          p.n_runs - std::min(p.n_runs, p.n_over + p.n_failed + p.n_elsewhere + children_.size()));
      p.seconds_left = (left + mean * n_to_begin) / static_cast<double>(slot_taken_.size());
    }
    callbacks_.progress(p);
  }

  const Study& study_;
  const StudyRunOptions& options_;
  const StudyCallbacks& callbacks_;
  int n_threads_;
  double budget_;
  SharedSlots slots_;
  std::vector<std::uint8_t> slot_taken_;
  std::vector<Child> children_;
  StudyPlan plan_;
  std::vector<RunStatus> states_;
  std::map<std::string, RunResult> scores_;
  std::set<std::string> failed_here_;
  Clock::time_point refreshed_{};
  std::int64_t n_begun_ = 0;
  StopRequest stopping_ = StopRequest::none;
  bool paused_ = false;
  double seconds_finished_ = 0;
  std::string owner_, event_;
  StudyOutcome outcome_;
};

// Keeps the text registered before the first run; collect_study reports changes. Writes the whole
// configuration instead of the file's text if keys were also set elsewhere.
void register_study(const Study& study) {
  const fs::path path = registered_file(study);
  make_directories(study.out);
  if (fs::exists(path)) return require_own_directory(study, plan_study(study));
  StudyConfig of_text;
  read_config(of_text, parse_toml(study.text, study.file.string()));
  const std::string whole = to_toml(write_config(study.config));
  write_file(path, to_toml(write_config(of_text)) == whole ? study.text : whole);
}

}  // namespace

StudyOutcome run_study(const Study& study, const StudyRunOptions& options,
                       const StudyCallbacks& callbacks) {
  if (options.jobs < 1) throw UsageError("a study needs at least one job at a time");
  register_study(study);
  if (!study.results.empty()) require_results_file(study.results);  // before hours of training
  const ResultLookup lookup(study);
  lookup.record_missing(plan_study(study, [&](const PlannedRun& run) { return lookup(run); }));
  return Runner(study, options, callbacks).run();
}

}  // namespace lmrnn
