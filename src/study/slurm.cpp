// Job arrays.
#include <fmt/format.h>

#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>

#include "core/shared/child.hpp"
#include "core/shared/descriptor.hpp"
#include "core/shared/text.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/study.hpp"
#include "study/keys.hpp"
#include "study/store.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;

// Quotes a word for a shell: 'text', with every ' inside as '\''.
std::string shell_word(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// Quotes a word for an #SBATCH line: "text", in which sbatch replaces % patterns by job numbers.
std::string sbatch_word(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '%') out += '%';
    out += c;
  }
  return out + "\"";
}

// A busy Slurm controller can keep its callers waiting for minutes.
constexpr unsigned patience_seconds = 600;

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (char& c : text)
    if (c == '\n') c = ' ';
  return text;
}

/// The message of a program that failed: its stderr, or else its stdout, or how it ended.
std::string complaint(const ChildOutput& said) {
  for (const std::string& text : {one_line(said.err), one_line(said.out)})
    if (!text.empty()) return text;
  return "it said nothing, " + said.end;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// The number in what sbatch --parsable prints: "JOB" or "JOB;CLUSTER" on a line of its own. A
/// site's wrapper may print greetings before it.
std::optional<std::string> job_id_in(std::string_view out) {
  std::optional<std::string> id;
  for (std::string_view line : split(out, '\n')) {
    line = trimmed(line);
    const std::string_view number = line.substr(0, line.find(';'));
    if (is_number(number)) id = number;
  }
  return id;
}

std::string submit(const std::vector<std::string>& command) {
  const ChildOutput said = output_of(command, patience_seconds);
  if (!said.ok) throw RunError("sbatch refused the job: " + complaint(said));
  if (auto id = job_id_in(said.out)) return *std::move(id);
  throw RunError(fmt::format(
      "sbatch submitted a job, but its answer \"{}\" holds no job id; find the job with squeue and "
      "cancel it (scancel) before you submit again",
      one_line(said.out)));
}

/// Counts the runs that are left and not claimed by any process, by stage (the number of stages
/// they must wait for). A pruned run is one stage after the run that it is pruned from.
std::vector<std::size_t> runs_by_stage(const StudyPlan& plan,
                                       const std::vector<RunStatus>& states) {
  std::map<std::string, std::size_t> depth;  // of directories
  std::vector<std::size_t> counts;
  std::size_t n_tuning = 0;
  for (std::size_t i = 0; i < plan.runs.size(); ++i) {
    const PlannedRun& run = plan.runs[i];
    const RunState state = states[i].state;
    const bool to_do =
        state == RunState::planned || state == RunState::interrupted || state == RunState::waiting;
    if (run.stage == Stage::tuning && to_do) n_tuning = 1;
    if (!to_do) continue;
    std::size_t d = run.stage == Stage::tuning ? 0 : n_tuning;
    if (run.settled && !run.parent.empty()) {
      const auto parent = depth.find(run.parent);
      d = parent == depth.end() ? d : parent->second + 1;
    } else if (!run.settled) {
      // This run's index among the rounds of the same cell and seed.
      for (std::size_t j = 0; j < i; ++j)
        d += plan.runs[j].cell == run.cell && plan.runs[j].seed == run.seed &&
             plan.runs[j].stage == Stage::round;
    }
    if (run.settled) {
      if (!depth.emplace(run.directory_name(), d).second) continue;  // shared by cells
    }
    if (counts.size() <= d) counts.resize(d + 1);
    ++counts[d];
  }
  return counts;
}

std::string script_text(const Study& study, const fs::path& program, std::size_t n_jobs) {
  const SlurmConfig& s = study.config.slurm;
  const fs::path logs = fs::absolute(study.out / "slurm");
  std::string text = "#!/bin/bash\n";
  const auto option = [&](const std::string& o) { text += "#SBATCH " + o + "\n"; };
  option("--job-name=lmrnn-" + file_name_part(study.name));
  option(fmt::format("--array=1-{}{}", n_jobs,
                     s.throttle > 0 ? "%" + std::to_string(s.throttle) : ""));
  if (!s.partition.empty()) option("--partition=" + s.partition);
  if (!s.account.empty()) option("--account=" + s.account);
  if (!s.qos.empty()) option("--qos=" + s.qos);
  option("--time=" + s.time);
  option("--nodes=1");
  option("--ntasks=1");
  option(fmt::format("--cpus-per-task={}", s.cpus));
  option("--mem=" + s.memory);
  option("--requeue");
  option("--open-mode=append");
  std::string log = sbatch_word((logs / "").string());
  log.insert(log.size() - 1, "%A_%a.log");
  option("--output=" + log);
  // The signal goes to the job step and not to this script: the step is lmrnn, which saves and
  // ends.
  option(fmt::format("--signal=TERM@{}", s.warning));
  for (const std::string& more : s.options) option(more);
  text += "\n";
  for (const std::string& line : s.setup) text += line + "\n";
  text += fmt::format("cd {}\n", shell_word(fs::current_path().string()));
  text += fmt::format("srun --cpus-per-task={} {} study run {} --out {}{} --limit 1 --threads {}\n",
                      s.cpus, shell_word(program.string()), shell_word(study.file.string()),
                      shell_word(study.out.string()), study.smoke ? " --smoke" : "", s.cpus);
  text +=
      "status=$?\n"
      "# 75: saved before the time limit or a pre-emption. 143: stopped before it could start.\n"
      "# Back into the queue, to resume.\n"
      "if [ $status -eq 75 ] || [ $status -eq 143 ]; then\n"
      "  scontrol requeue \"${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}\"\n"
      "  sleep 60  # the requeue ends this script\n"
      "fi\n"
      "exit $status\n";
  return text;
}

fs::path jobs_file(const Study& study) {
  return study.out / "slurm" / "jobs";
}

}  // namespace

std::vector<SlurmArray> submit_study(const Study& study, const fs::path& program, bool dry) {
  const StudyPlan plan = plan_study(study);
  require_own_directory(study, plan);
  const auto counts = runs_by_stage(plan, study_status(study, plan));
  const fs::path directory = study.out / "slurm";
  make_directories(directory);
  std::vector<SlurmArray> arrays;
  std::string before;
  for (std::size_t stage = 0; stage < counts.size(); ++stage) {
    if (counts[stage] == 0) continue;
    SlurmArray array;
    array.n_jobs = counts[stage];
    array.script = directory / fmt::format("stage{}.sh", stage);
    write_file(array.script, script_text(study, program, array.n_jobs));
    if (!dry) {
      std::vector<std::string> command = {"sbatch", "--parsable"};
      if (!before.empty()) command.push_back("--dependency=afterany:" + before);
      command.push_back(array.script.string());
      array.job_id = submit(command);
      before = array.job_id;
      std::ofstream(jobs_file(study), std::ios::app) << array.job_id << "\n";
    }
    arrays.push_back(std::move(array));
  }
  return arrays;
}

std::vector<SlurmJob> study_jobs(const Study& study) {
  std::error_code error;
  if (!fs::exists(jobs_file(study), error)) return {};
  std::string ids;
  std::istringstream lines(read_file(jobs_file(study)));
  for (std::string id; std::getline(lines, id);)
    if (is_number(id)) ids += (ids.empty() ? "" : ",") + id;
  if (ids.empty()) return {};
  const ChildOutput said = output_of(
      {"squeue", "--noheader", "--array", "--format=%i|%T|%r", "--jobs=" + ids}, patience_seconds);
  if (!said.ok) {
    // squeue prints this when the controller has forgotten all of the jobs.
    if (said.err.find("Invalid job id") != std::string::npos) return {};
    throw RunError("squeue does not answer: " + complaint(said));
  }
  std::vector<SlurmJob> jobs;
  std::istringstream rows(said.out);
  for (std::string row; std::getline(rows, row);) {
    const std::size_t first = row.find('|');
    const std::size_t second = row.find('|', first + 1);
    // A row begins with the job's number; other lines that a site prints do not.
    const bool is_row = second != std::string::npos && row[0] >= '0' && row[0] <= '9';
    if (!is_row) continue;
    SlurmJob job{row.substr(0, first), row.substr(first + 1, second - first - 1),
                 row.substr(second + 1)};
    if (job.reason == "None") job.reason.clear();
    jobs.push_back(std::move(job));
  }
  return jobs;
}

}  // namespace lmrnn
