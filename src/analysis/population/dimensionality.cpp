// dimensionality: principal components per task and over tasks, participation ratio, trajectories,
// and how much tasks share dimensions.
#include <Eigen/Dense>
#include <algorithm>

#include "analysis/catalogue.hpp"
#include "analysis/entry.hpp"
#include "analysis/numerics/representation.hpp"
#include "analysis/simulate.hpp"
#include "analysis/work.hpp"

namespace lmrnn {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

struct DimensionalityOptions {
  std::string tasks;
  std::int64_t trials = 50;
  std::int64_t components = 10;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("trials", self.trials, "trials per task", between(2, 100000));
    field("components", self.components, "components that are compared between tasks",
          between(1, 1000));
  }
};

struct Components {
  VectorXd values;   // descending, >= 0
  MatrixXd vectors;  // (unit, component)
};

// Principal components of (sample, unit), computed in the smaller of the two spaces.
Components principal_components(const MatrixXd& activity, Index n_kept) {
  const MatrixXd x = activity.rowwise() - activity.colwise().mean();
  const double n = static_cast<double>(std::max<Index>(1, x.rows() - 1));
  const bool by_unit = x.cols() <= x.rows();
  const MatrixXd gram = by_unit ? MatrixXd(x.transpose() * x / n) : MatrixXd(x * x.transpose() / n);
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(gram);
  Components c;
  c.values = solver.eigenvalues().reverse().cwiseMax(0.0);
  n_kept = std::min(n_kept, c.values.size());
  MatrixXd v = solver.eigenvectors().rowwise().reverse().leftCols(n_kept);
  if (!by_unit) {
    v = (x.transpose() * v).eval();
    for (Index i = 0; i < v.cols(); ++i) v.col(i) /= std::max(v.col(i).norm(), 1e-300);
  }
  // The sign of a component is arbitrary: make the largest entry positive.
  for (Index i = 0; i < v.cols(); ++i) {
    Index at = 0;
    v.col(i).cwiseAbs().maxCoeff(&at);
    if (v(at, i) < 0) v.col(i) *= -1;
  }
  c.vectors = std::move(v);
  return c;
}

std::int64_t n_for(const VectorXd& values, double share) {
  const double total = values.sum();
  double sum = 0;
  for (Index i = 0; i < values.size(); ++i) {
    sum += values[i];
    if (sum >= share * total) return i + 1;
  }
  return values.size();
}

void add_row(Table& table, const std::string& name, const VectorXd& values) {
  const double total = std::max(values.sum(), 1e-300);
  table.add({name, participation_ratio(values), n_for(values, 0.8), n_for(values, 0.9),
             n_for(values, 0.95), values[0] / total, values.sum()});
}

AnalysisResult dimensionality(const Subject& subject, const DimensionalityOptions& options,
                              const AnalysisContext& context) {
  const std::vector<std::size_t> tasks = chosen_tasks(subject.battery, options.tasks);
  const auto n_kept = static_cast<Index>(options.components);
  std::vector<Components> own(tasks.size());
  std::vector<MatrixXd> covariance(tasks.size()), sample(tasks.size());
  std::vector<std::vector<MatrixXd>> shown(tasks.size());
  for_each_item(context, tasks.size(), "task", [&](std::size_t i) {
    std::vector<MatrixXd> activity = task_activity(
        subject, tasks[i],
        test_conditions(subject.battery, tasks[i], static_cast<std::size_t>(options.trials),
                        context.seed, false),
        context.seed);
    const MatrixXd all = stacked(activity);
    own[i] = principal_components(all, n_kept);
    const MatrixXd x = all.rowwise() - all.colwise().mean();
    covariance[i] = x.transpose() * x / static_cast<double>(std::max<Index>(1, x.rows() - 1));
    // For the components over tasks, every task contributes at most 200 samples.
    const Index n = std::min<Index>(all.rows(), 200);
    sample[i].resize(n, all.cols());
    for (Index r = 0; r < n; ++r) sample[i].row(r) = all.row(r * all.rows() / n);
    activity.resize(std::min<std::size_t>(activity.size(), 16));
    shown[i] = std::move(activity);
  });
  const MatrixXd together = stacked(sample);
  const Components shared = principal_components(together, n_kept);

  Table table{"dimensions",
              {"task", "participation_ratio", "components_80", "components_90", "components_95",
               "first_share", "variance"},
              {},
              "Dimensions of activity after fixation"};
  add_row(table, "all tasks", shared.values);
  for (std::size_t i = 0; i < tasks.size(); ++i)
    add_row(table, subject.battery.tasks()[tasks[i]].name(), own[i].values);

  // Share of the variance of task B in the components of task A, relative to its share in B's own
  // components (Elsayed et al., Nature Communications 7:13239, 2016).
  Table overlap{"task_similarity",
                {"task_a", "task_b", "alignment"},
                {},
                "Share of the variance of task b in the leading components of task a, relative to "
                "its own"};
  const std::size_t n = tasks.size();
  std::vector<double> alignment(n * n);
  for_each_item(context, n, "pairs of tasks", [&](std::size_t a) {
    for (std::size_t b = 0; b < n; ++b) {
      const Index d = std::min({n_kept, own[a].vectors.cols(), own[b].vectors.cols()});
      const MatrixXd& v = own[a].vectors;
      const double held = (v.leftCols(d).transpose() * covariance[b] * v.leftCols(d)).trace();
      alignment[a * n + b] = held / std::max(own[b].values.head(d).sum(), 1e-300);
    }
  });
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b < n; ++b)
      overlap.add({subject.battery.tasks()[tasks[a]].name(),
                   subject.battery.tasks()[tasks[b]].name(), alignment[a * n + b]});

  Recording recording;
  recording.name = "trajectories";
  const Eigen::RowVectorXd mean = together.colwise().mean();
  const Index n_axes = std::min<Index>(3, shared.vectors.cols());
  for (std::size_t i = 0; i < n; ++i) {
    Index longest = 0;
    for (const MatrixXd& x : shown[i]) longest = std::max(longest, x.rows());
    const auto n_trials = static_cast<Index>(shown[i].size());
    std::vector<double> values(static_cast<std::size_t>(longest * n_axes * n_trials),
                               std::numeric_limits<double>::quiet_NaN());
    for (Index k = 0; k < n_trials; ++k) {
      const MatrixXd& x = shown[i][static_cast<std::size_t>(k)];
      const MatrixXd p = (x.rowwise() - mean) * shared.vectors.leftCols(n_axes);
      for (Index t = 0; t < p.rows(); ++t)
        for (Index c = 0; c < n_axes; ++c)
          values[static_cast<std::size_t>((t * n_axes + c) * n_trials + k)] = p(t, c);
    }
    recording.add<double>(subject.battery.tasks()[tasks[i]].name(), values,
                          {static_cast<std::size_t>(longest), static_cast<std::size_t>(n_axes),
                           static_cast<std::size_t>(n_trials)},
                          {"time", "component", "trial"});
  }
  recording.add<double>("eigenvalues",
                        {shared.values.data(), static_cast<std::size_t>(shared.values.size())},
                        {static_cast<std::size_t>(shared.values.size())}, {"component"});
  AnalysisResult result;
  result.headline("participation_ratio", participation_ratio(shared.values));
  result.headline("components_90", n_for(shared.values, 0.9));
  result.tables = {std::move(table), std::move(overlap)};
  result.recordings.push_back(std::move(recording));
  return result;
}

}  // namespace

AnalysisEntry dimensionality_entry() {
  return analysis_entry<DimensionalityOptions, dimensionality>(
      "dimensionality", "principal components, participation ratio, dimensions tasks share");
}

}  // namespace lmrnn
