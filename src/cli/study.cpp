// lmrnn study: many runs that answer one question.
#include "lmrnn/study.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

#include "common.hpp"
#include "lmrnn/machine.hpp"
#include "progress.hpp"
#include "verbs.hpp"

namespace lmrnn::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Options {
  std::string file, out, cells = "*";
  std::vector<std::string> assignments;
  bool smoke = false, json = false, list_keys = false, retry = false, dry = false;
  int jobs = 1, n_threads = 0;
  double memory_gigabytes = 0;
  std::int64_t limit = 0;

  Study load() const {
    if (file.empty()) throw UsageError("lmrnn study: the study is missing; give its TOML file");
    return load_study(file, {out, assignments, smoke});
  }

  /// Arguments with which another verb finds the same study.
  std::string same_study() const {
    std::string words = shell_word(file);
    if (!out.empty()) words += " --out " + shell_word(out);
    for (const std::string& assignment : assignments) words += " --set " + shell_word(assignment);
    if (smoke) words += " --smoke";
    return words;
  }
};

volatile std::sig_atomic_t n_signals = 0;
void count_signal(int) {
  n_signals = n_signals + 1;
}

// plan ----------------------------------------------------------------------------------------

std::string number_text(const std::optional<double>& x, const char* otherwise) {
  return x ? fmt::format("{}", *x) : otherwise;
}

Json to_json(const PlannedRun& run, const RunStatus& status, const StudyPlan& plan) {
  Json levels = Json::object();
  for (std::size_t a = 0; a < plan.axes.size(); ++a)
    levels[plan.axes[a]] = plan.cells[run.cell].levels[a];
  Json out{{"run", run.name},
           {"stage", to_name(run.stage)},
           {"seed", run.seed},
           {"cell", levels},
           {"state", to_name(status.state)},
           {"hash", run.hash},
           {"directory", run.settled ? run.directory_name() : ""}};
  if (run.tuned) out["tuned"] = *run.tuned;
  if (!status.owner.empty()) out["owner"] = status.owner;
  if (!status.error.empty()) out["error"] = status.error;
  return out;
}

Json runs_json(const StudyPlan& plan, const std::vector<RunStatus>& states) {
  Json runs = Json::array();
  for (std::size_t i = 0; i < plan.runs.size(); ++i)
    runs.push_back(to_json(plan.runs[i], states[i], plan));
  return runs;
}

std::size_t longest_name(const StudyPlan& plan) {
  std::size_t n = 4;
  for (const PlannedRun& run : plan.runs) n = std::max(n, run.name.size());
  return n;
}

void print_tuning(const Study& study, const StudyPlan& plan) {
  for (std::size_t c = 0; c < plan.tuning.size(); ++c) {
    const Tuning& tuning = plan.tuning[c];
    fmt::print("# {} of {}: {}", study.config.tuning.key, plan.cells[c].name,
               tuning.best              ? fmt::format("{}{}", *tuning.best,
                                         tuning.inside ? "" : " (at the edge of its grid!)")
               : tuning.problem.empty() ? "not tuned yet"
                                        : "cannot be tuned: " + tuning.problem);
    for (const Tuning::Value& v : tuning.values)
      fmt::print("{}{}", &v == &tuning.values.front() ? "  of " : ", ", v.value);
    fmt::print("\n");
  }
}

void plan_verb(const Options& options) {
  if (options.list_keys) return fmt::print("{}", study_reference());
  const Study study = options.load();
  const StudyPlan plan = plan_study(study);
  const auto states = study_status(study, plan);
  if (options.json)
    return fmt::print("{}\n", Json{{"study", study.name},
                                   {"out", study.out.string()},
                                   {"warnings", plan_warnings(study, plan)},
                                   {"axes", plan.axes},
                                   {"runs", runs_json(plan, states)}}
                                  .dump(2));
  const std::size_t width = longest_name(plan);
  fmt::print("{:<{}}  {:<7} {:>5}  {:<11} {:>9} {:>9}  {}\n", "run", width, "stage", "seed",
             "state", study.config.tuning.values.empty() ? "" : "tuned", "steps", "hash");
  for (std::size_t i = 0; i < plan.runs.size(); ++i) {
    const PlannedRun& run = plan.runs[i];
    fmt::print("{:<{}}  {:<7} {:>5}  {:<11} {:>9} {:>9}  {}\n", run.name, width, to_name(run.stage),
               run.seed, to_name(states[i].state),
               study.config.tuning.values.empty() ? "" : number_text(run.tuned, "?"),
               run.settled ? std::to_string(run.config.train.steps) : "?", run.hash);
  }
  std::set<std::string_view> different;  // cells may share runs
  for (const PlannedRun& run : plan.runs) different.insert(run.name);
  fmt::print("# {} runs in {} cells ({}); claim: {}\n# support: {}\n", different.size(),
             plan.cells.size(), fmt::join(plan.axes, " x "), study.config.claim,
             study.config.support);
  print_tuning(study, plan);
  for (const std::string& warning : plan_warnings(study, plan)) warn(warning);
}

// run -----------------------------------------------------------------------------------------

std::string note(const StudyProgress& p) {
  std::string text = p.paused ? "paused (lmrnn study resume continues)  " : "";
  if (p.n_elsewhere > 0) text += fmt::format("{} elsewhere  ", p.n_elsewhere);
  if (p.n_failed > 0) text += fmt::format("{} failed  ", p.n_failed);
  for (std::size_t i = 0; i < p.running.size() && i < 3; ++i) {
    const auto& r = p.running[i];
    const double percent =
        r.n_steps > 0 ? 100.0 * static_cast<double>(r.step) / static_cast<double>(r.n_steps) : 0;
    text += fmt::format("{} {:.0f}%  ", r.name, percent);
  }
  if (p.running.size() > 3) text += fmt::format("and {} more", p.running.size() - 3);
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

// This job's name in Slurm, or nothing outside of Slurm.
std::string slurm_job() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value ? value : "");
  };
  const std::string array = variable("SLURM_ARRAY_JOB_ID");
  if (!array.empty()) return "job " + array + "_" + variable("SLURM_ARRAY_TASK_ID");
  const std::string job = variable("SLURM_JOB_ID");
  return job.empty() ? "" : "job " + job;
}

void run_verb(const Options& options) {
  std::signal(SIGINT, count_signal);
  std::signal(SIGTERM, count_signal);
  const Study study = options.load();
  StudyRunOptions run{.jobs = options.jobs,
                      .n_threads = options.n_threads,
                      .memory_bytes = 1e9 * options.memory_gigabytes,
                      .limit = options.limit,
                      .retry = options.retry,
                      .cells = options.cells,
                      .owner = slurm_job()};
  std::unique_ptr<ProgressBar> bar;
  StudyCallbacks callbacks;
  callbacks.stop_requested = [] {
    return n_signals == 0   ? StopRequest::none
           : n_signals == 1 ? StopRequest::save
                            : StopRequest::kill;
  };
  callbacks.progress = [&](const StudyProgress& p) {
    if (!bar) {
      fmt::print(stderr, "study {} in {}\n", study.name, study.out.string());
      bar = std::make_unique<ProgressBar>("run", static_cast<std::int64_t>(p.n_runs));
    }
    if (!p.event.empty()) {
      bar->finish();
      fmt::print(stderr, "{}\n", p.event);
    }
    bar->set_total(static_cast<std::int64_t>(p.n_runs));  // a grid of tuning values may have grown
    bar->update(static_cast<std::int64_t>(p.n_over), note(p), p.seconds_left);
  };
  const StudyOutcome outcome = run_study(study, run, callbacks);
  bar.reset();
  fmt::print(stderr, "{} finished, {}{} failed, {} interrupted; {} of the study left\n",
             outcome.n_finished,
             outcome.n_diverged > 0 ? fmt::format("{} diverged, ", outcome.n_diverged) : "",
             outcome.n_failed, outcome.n_interrupted, outcome.n_left);
  for (const std::string& problem : tuning_problems(plan_study(study))) warn(problem);
  if (outcome.n_interrupted > 0 || n_signals > 0) {
    fmt::print(stderr, "resume with the same command\n");
    throw Unsuccessful{interrupted_status};
  }
  // Failures of earlier calls are not run again, but they keep the study from being complete.
  const std::size_t n_failed = outcome.n_failed + outcome.n_failed_before;
  if (n_failed > 0) {
    fmt::print(stderr, "{} {} failed; lmrnn study status {} shows why; --retry runs them again\n",
               n_failed, n_failed == 1 ? "run has" : "runs have", options.same_study());
    throw Unsuccessful{};
  }
}

// pause, resume -------------------------------------------------------------------------------

void pause_verb(const Options& options) {
  const Study study = options.load();
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  if (!pause_study(study, fmt::format("on {} at {:%Y-%m-%d %H:%M:%S} UTC", host_name(), now)))
    return fmt::print("{} was already paused, {}\n", study.name, *study_paused(study));
  fmt::print(
      "{} is paused: its runs wait between two steps; lmrnn study resume {} continues them\n",
      study.name, options.same_study());
}

void resume_verb(const Options& options) {
  const Study study = options.load();
  fmt::print("{} {}\n", study.name, resume_study(study) ? "continues" : "was not paused");
}

// status --------------------------------------------------------------------------------------

Json jobs_json(const std::vector<SlurmJob>& jobs) {
  Json out = Json::array();
  for (const SlurmJob& job : jobs)
    out.push_back({{"job", job.id}, {"state", job.state}, {"reason", job.reason}});
  return out;
}

void status_verb(const Options& options) {
  const Study study = options.load();
  const StudyPlan plan = plan_study(study);
  const auto states = study_status(study, plan);
  const auto jobs = study_jobs(study);
  std::map<RunState, std::size_t> counts;
  std::set<std::string_view> names;  // cells may share runs
  for (std::size_t i = 0; i < states.size(); ++i)
    if (names.insert(plan.runs[i].name).second) ++counts[states[i].state];
  if (options.json) {
    Json n = Json::object();
    for (const auto& [state, count] : counts) n[std::string(to_name(state))] = count;
    return fmt::print("{}\n", Json{{"study", study.name},
                                   {"out", study.out.string()},
                                   {"paused", study_paused(study).has_value()},
                                   {"counts", n},
                                   {"jobs", jobs_json(jobs)},
                                   {"runs", runs_json(plan, states)}}
                                  .dump(2));
  }
  if (const auto paused = study_paused(study))
    fmt::print("paused {}; lmrnn study resume {} continues\n", *paused, options.same_study());
  for (const auto& [state, count] : counts) fmt::print("{:<12} {:>6}\n", to_name(state), count);
  std::map<std::string, std::size_t> queue;
  for (const SlurmJob& job : jobs)
    ++queue[job.state + (job.reason.empty() ? "" : " (" + job.reason + ")")];
  for (const auto& [state, count] : queue)
    fmt::print("{:<12} {:>6}  {}\n", "in queue", count, state);
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (names.erase(plan.runs[i].name) == 0) continue;
    if (!states[i].owner.empty())
      fmt::print("{} is running: {}\n", plan.runs[i].name, states[i].owner);
    if (!states[i].error.empty())
      fmt::print("{} {}: {}\n", plan.runs[i].name, to_name(states[i].state), states[i].error);
  }
  print_tuning(study, plan);
}

// collect, submit -----------------------------------------------------------------------------

void collect_verb(const Options& options) {
  const Study study = options.load();
  const Collected collected = collect_study(study);
  for (const std::string& warning : collected.warnings) warn(warning);
  if (options.json) {
    Json tables = Json::object();
    for (const auto& [name, rows] : collected.tables) tables[name] = rows;
    return fmt::print("{}\n", Json{{"directory", collected.directory.string()},
                                   {"index", collected.index.string()},
                                   {"verdicts", collected.verdicts},
                                   {"tables", tables}}
                                  .dump(2));
  }
  for (const auto& [name, rows] : collected.tables)
    fmt::print("{:<8} {}\n", rows, (collected.directory / (name + ".csv")).string());
  fmt::print("{:<8} {}\n", "index", collected.index.string());
  for (const std::string& verdict : collected.verdicts) fmt::print("{}\n", verdict);
}

void submit_verb(const Options& options) {
  const Study study = options.load();
  const auto arrays = submit_study(study, fs::read_symlink("/proc/self/exe"), options.dry);
  if (arrays.empty()) return fmt::print("nothing is left to submit\n");
  for (const SlurmArray& array : arrays)
    fmt::print("{}  {} jobs  {}\n", array.job_id.empty() ? "not submitted" : "job " + array.job_id,
               array.n_jobs, array.script.string());
}

CLI::App* add_study_verb(CLI::App& study, const std::string& name, const std::string& description,
                         const std::string& example, const std::shared_ptr<Options>& options,
                         void (*run)(const Options&)) {
  CLI::App* verb = add_verb(study, name, description, example, [options, run] { run(*options); });
  verb->add_option("study", options->file, "TOML file of the study")->type_name("STUDY.toml");
  verb->add_option("--out", options->out, "directory of the study; default runs/STUDY")
      ->type_name("DIR");
  verb->add_option("--set", options->assignments,
                   "set one key of the study file, e.g. config.train.steps=100; may be repeated")
      ->type_name("KEY=VALUE")
      ->type_size(1)
      ->allow_extra_args(false);
  verb->add_flag(
      "--smoke", options->smoke,
      "train every cell for a few steps, to find mistakes; kept separate from the study");
  return verb;
}

}  // namespace

void add_study(CLI::App& program) {
  CLI::App* study = add_verb(program, "study", "many runs that answer one question",
                             "lmrnn study plan studies/e1-small.toml\n"
                             "lmrnn study run studies/e1-small.toml --jobs 2\n"
                             "lmrnn study collect studies/e1-small.toml");
  study->require_subcommand(1);
  add_study_init(*study);
  const auto options = std::make_shared<Options>();

  CLI::App* plan = add_study_verb(*study, "plan", "list the runs of a study",
                                  "lmrnn study plan studies/e4-small.toml", options, plan_verb);
  plan->add_flag("--list-keys", options->list_keys,
                 "list every key of a study file as a Markdown table");

  CLI::App* run = add_study_verb(*study, "run",
                                 "train the runs that are left; several processes may share the "
                                 "work, on all machines that share the directory. "
                                 "Exit status 75: interrupted; the same command resumes",
                                 "lmrnn study run studies/e4-small.toml --jobs 2\n"
                                 "lmrnn study run studies/e4-small.toml --smoke",
                                 options, run_verb);
  run->add_option("--jobs", options->jobs, "number of runs at the same time")
      ->check(whole_number(1, std::numeric_limits<int>::max()))
      ->capture_default_str();
  run->add_option("--threads", options->n_threads, "of a run; 0: processors / jobs")
      ->check(whole_number(0, std::numeric_limits<int>::max()))
      ->capture_default_str();
  run->add_option("--memory", options->memory_gigabytes,
                  "memory for all runs, in gigabytes; 0: nine tenths of the available memory")
      ->check(at_least_zero())
      ->capture_default_str();
  run->add_option("--limit", options->limit, "start at most this many runs; 0: all")
      ->check(whole_number(0, std::numeric_limits<int>::max()))
      ->capture_default_str();
  run->add_option("--cells", options->cells, "only runs of these cells, e.g. 'dense*'")
      ->type_name("GLOB")
      ->capture_default_str();
  run->add_flag("--retry", options->retry, "run failed runs again");

  add_study_verb(*study, "pause",
                 "make all runs of a study wait between two steps, on every machine, e.g. while "
                 "you time something; they keep their memory and use no processor",
                 "lmrnn study pause studies/e4-small.toml", options, pause_verb);
  add_study_verb(*study, "resume", "let the runs of a paused study continue",
                 "lmrnn study resume studies/e4-small.toml", options, resume_verb);
  CLI::App* status =
      add_study_verb(*study, "status", "show the progress and the failures of a study",
                     "lmrnn study status studies/e4-small.toml", options, status_verb);
  CLI::App* collect =
      add_study_verb(*study, "collect", "write tables and an SQLite index from the run directories",
                     "lmrnn study collect studies/e4-small.toml", options, collect_verb);
  CLI::App* submit = add_study_verb(
      *study, "submit", "write and submit Slurm job arrays for the runs that are left",
      "lmrnn study submit studies/e4-paper.toml", options, submit_verb);
  submit->add_flag("--dry-run", options->dry, "write the scripts, submit nothing");
  for (CLI::App* verb : {plan, status, collect}) verb->add_flag("--json", options->json, "as JSON");
}

}  // namespace lmrnn::cli
