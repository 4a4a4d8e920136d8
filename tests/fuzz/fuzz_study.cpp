// A study file, up to the first NUL, and the CSV of its results, which is committed with it and may
// have been damaged by a merge.
#include <map>

#include "lmrnn/study.hpp"
#include "study/grid.hpp"
#include "study/summary.hpp"
#include "target.hpp"

using namespace lmrnn;

namespace {

// Large plans find no more than small ones here, but take longer.
bool is_small(const Study& study) {
  constexpr std::size_t most = 100;
  const StudyConfig& config = study.config;
  std::size_t n = config.seeds.size() + config.tuning.values.size() * config.tuning.seeds.size();
  for (const Axis& axis : study_axes(config)) n *= axis.levels.size();
  return n <= most;  // no overflow: load_study bounds the product of the levels
}

void check_plan(const Study& study) {
  const StudyPlan plan = plan_study(study), again = plan_study(study);
  if (plan.runs.size() != again.runs.size()) fuzz::broken("the same file gives the same plan");
  std::map<std::string, std::string> hashes;
  for (std::size_t i = 0; i < plan.runs.size(); ++i) {
    const PlannedRun& run = plan.runs[i];
    if (run.name != again.runs[i].name || run.hash != again.runs[i].hash)
      fuzz::broken("the same file gives the same plan");
    if (run.name.find('/') != std::string::npos) fuzz::broken("a run has a directory of its own");
    if (run.cell >= plan.cells.size()) fuzz::broken("every run belongs to a cell");
    if (!run.settled) continue;
    if (hashes.try_emplace(run.directory_name(), run.hash).first->second != run.hash)
      fuzz::broken("runs that differ have directories that differ");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = fuzz::text_of(data, size);
  const std::size_t end = std::min(input.find('\0'), size);
  const auto path = fuzz::file_of("study.toml", input.substr(0, end));
  fuzz::file_of("results.csv", input.substr(std::min(end + 1, size)));
  for (const bool smoke : {false, true})
    fuzz::accepts([&] {
      const StudyOptions options{fuzz::scratch() / "out", {"results=\"results.csv\""}, smoke};
      const Study study = load_study(path, options);
      const auto measures = measure_names(study.config.statistics.marks);
      if (!smoke)
        fuzz::accepts([&] {
          for (const RunSummary& row : read_results(study.results))
            for (const std::string& name : measures) measure(row, name);
        });
      if (is_small(study)) check_plan(study);
    });
  return 0;
}
