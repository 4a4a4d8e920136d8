// similarity: compares two networks on the same trials, by representation (CKA) and by dynamics
// (DSA).
#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <optional>

#include "analysis/catalogue.hpp"
#include "analysis/entry.hpp"
#include "analysis/numerics/numerics.hpp"
#include "analysis/numerics/representation.hpp"
#include "analysis/simulate.hpp"
#include "analysis/work.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

struct SimilarityOptions {
  std::string other;
  std::string tasks;
  std::int64_t trials = 50;
  std::int64_t delays = 3, rank = 10, starts = 5;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("other", self.other, "run directory or network file to compare with");
    field("tasks", self.tasks, "which tasks; empty: all that both were trained on");
    field("trials", self.trials, "trials per task", between(2, 100000));
    field("delays", self.delays, "dynamics: steps that are stacked", between(1, 20));
    field("rank", self.rank, "dynamics: dimensions of the fitted operators", between(1, 100));
    field("starts", self.starts, "dynamics: starts of the search for the best alignment",
          between(1, 1000));
  }
};

// Projects each trajectory on the leading components, because stacking delays multiplies
// dimensions.
std::vector<MatrixXd> projected(const std::vector<MatrixXd>& trajectories, Index n) {
  const MatrixXd all = stacked(trajectories);
  const Eigen::RowVectorXd mean = all.colwise().mean();
  const MatrixXd x = all.rowwise() - mean;
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(x.transpose() * x);
  const MatrixXd basis = solver.eigenvectors().rightCols(std::min(n, x.cols())).rowwise().reverse();
  std::vector<MatrixXd> result;
  for (const MatrixXd& t : trajectories) result.push_back((t.rowwise() - mean) * basis);
  return result;
}

/// Saves an operator, so that other packages can compare it.
void add_operator(Recording& to, const std::string& name, const MatrixXd& matrix) {
  const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> rows = matrix;
  to.add<double>(name, {rows.data(), static_cast<std::size_t>(rows.size())},
                 {static_cast<std::size_t>(rows.rows()), static_cast<std::size_t>(rows.cols())},
                 {"row", "column"});
}

AnalysisResult similarity(const Subject& subject, const SimilarityOptions& options,
                          const AnalysisContext& context) {
  if (options.other.empty())
    throw UsageError("similarity: to what? Name another run or network file with --set other=PATH");
  if (!context.load) throw UsageError("similarity: no way to load another network here");
  const Subject other = context.load(options.other);
  std::vector<std::pair<std::size_t, std::size_t>> tasks;  // the same task in each battery
  for (const std::size_t task : chosen_tasks(subject.battery, options.tasks)) {
    const auto theirs = std::ranges::find(other.battery.tasks(), subject.battery.tasks()[task]);
    if (theirs != other.battery.tasks().end())
      tasks.emplace_back(task, theirs - other.battery.tasks().begin());
  }
  if (tasks.empty())
    throw UsageError("similarity: the two networks were trained on no task in common");
  if (subject.battery.config().dt != other.battery.config().dt)
    throw UsageError("similarity: the two networks have different time steps (battery.dt)");

  struct Row {
    double cka = 0, dsa = 0, spectral = 0;
    MatrixXd ours, theirs;
  };
  std::vector<Row> rows(tasks.size());
  for_each_item(context, tasks.size(), "task", [&](std::size_t i) {
    const auto n = static_cast<std::size_t>(options.trials);
    // The same conditions for both, although their batteries may draw others: from other ranges of
    // durations, or with published semantics, where they depend on the run's seed.
    const auto conditions =
        test_conditions(subject.battery, tasks[i].first, n, context.seed, false);
    const auto ours = task_activity(subject, tasks[i].first, conditions, context.seed);
    const auto theirs = task_activity(other, tasks[i].second, conditions, context.seed);
    if (!std::ranges::equal(ours, theirs, {}, &MatrixXd::rows, &MatrixXd::rows))
      throw UsageError(
          fmt::format("similarity: trials of {} have more steps in one of the two batteries; their "
                      "semantics differ (battery.semantics), so they have no trials in common",
                      subject.battery.tasks()[tasks[i].first].name()));
    rows[i].cka = linear_cka(stacked(ours), stacked(theirs));
    const auto rank = static_cast<Index>(options.rank), delays = static_cast<Index>(options.delays);
    const MatrixXd a = delay_operator(projected(ours, rank), delays, rank);
    const MatrixXd b = delay_operator(projected(theirs, rank), delays, rank);
    rows[i].spectral = spectral_distance(a, b);
    rows[i].dsa = dynamical_distance(a, b, static_cast<std::size_t>(options.starts),
                                     {context.seed, RandomPurpose::statistics, Split::test,
                                      9000 + static_cast<std::uint32_t>(i), 0});
    rows[i].ours = a;
    rows[i].theirs = b;
  });
  Table table{"similarity",
              {"task", "cka", "dynamical_distance", "spectral_distance"},
              {},
              "Similarity to " + options.other};
  Recording operators;
  operators.name = "operators";
  std::vector<double> cka, dsa, spectral;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const std::string name = subject.battery.tasks()[tasks[i].first].name();
    table.add({name, rows[i].cka, rows[i].dsa, rows[i].spectral});
    add_operator(operators, name + "/ours", rows[i].ours);
    add_operator(operators, name + "/theirs", rows[i].theirs);
    spectral.push_back(rows[i].spectral);
    cka.push_back(rows[i].cka);
    dsa.push_back(rows[i].dsa);
  }
  AnalysisResult result;
  result.headline("tasks", static_cast<std::int64_t>(tasks.size()));
  result.headline("mean_cka", mean_of(cka));
  result.headline("mean_dynamical_distance", mean_of(dsa));
  result.headline("mean_spectral_distance", mean_of(spectral));
  result.tables.push_back(std::move(table));
  result.recordings.push_back(std::move(operators));
  return result;
}

}  // namespace

AnalysisEntry similarity_entry() {
  return analysis_entry<SimilarityOptions, similarity>(
      "similarity", "how alike two networks are: representation (CKA) and dynamics (DSA)");
}

}  // namespace lmrnn
