// Job arrays.
#include <fmt/format.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "core/descriptor.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/study.hpp"
#include "study/keys.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;

// For a shell: 'text', with every ' inside as '\''.
std::string shell_word(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// For an #SBATCH line: "text", in which sbatch takes % for the number of a job.
std::string sbatch_word(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '%') out += '%';
    out += c;
  }
  return out + "\"";
}

/// Standard output of a shell command and whether it succeeded.
std::pair<std::string, bool> output_of(const std::string& command) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(
      ::popen((command + " 2>&1").c_str(), "r"), [](std::FILE*) { return 0; });
  if (!pipe) throw RunError(fmt::format("cannot start a shell ({})", std::strerror(errno)));
  std::string out;
  std::array<char, 4096> buffer;
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe.get()))
    out.append(buffer.data(), n);
  const int status = ::pclose(pipe.get());
  return {out, WIFEXITED(status) && WEXITSTATUS(status) == 0};
}

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (char& c : text)
    if (c == '\n') c = ' ';
  return text;
}

/// Runs that nobody is at and that are to be done, by how many stages come before them. A pruned
/// run comes one stage after the one that it is pruned from.
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
      // Its number among the rounds of the same cell and seed.
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
  // To the step, not to this script: the step is lmrnn, which saves and ends.
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
      "# 75: saved before the time limit or a pre-emption. Back into the queue, to go on.\n"
      "if [ $status -eq 75 ]; then\n"
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
      const std::string dependency = before.empty() ? "" : "--dependency=afterany:" + before + " ";
      const auto [out, ok] =
          output_of("sbatch --parsable " + dependency + shell_word(array.script.string()));
      if (!ok) throw RunError("sbatch refused the job: " + one_line(out));
      array.job_id = one_line(out).substr(0, one_line(out).find(';'));  // ;cluster may follow
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
    if (!id.empty() && id.find_first_not_of("0123456789") == std::string::npos)
      ids += (ids.empty() ? "" : ",") + id;
  if (ids.empty()) return {};
  const auto [out, ok] = output_of("squeue --noheader --array --format='%i|%T|%r' --jobs=" + ids);
  if (!ok) {
    // So says squeue when the controller has forgotten all of them.
    if (out.find("Invalid job id") != std::string::npos) return {};
    throw RunError("squeue does not answer: " + one_line(out));
  }
  std::vector<SlurmJob> jobs;
  std::istringstream rows(out);
  for (std::string row; std::getline(rows, row);) {
    const std::size_t first = row.find('|');
    const std::size_t second = row.find('|', first + 1);
    if (second == std::string::npos) continue;
    SlurmJob job{row.substr(0, first), row.substr(first + 1, second - first - 1),
                 row.substr(second + 1)};
    if (job.reason == "None") job.reason.clear();
    jobs.push_back(std::move(job));
  }
  return jobs;
}

}  // namespace lmrnn
