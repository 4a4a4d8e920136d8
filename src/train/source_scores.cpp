// Scores on data that a program brings along.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "eval/score_steps.hpp"
#include "eval/workspaces.hpp"
#include "lmrnn/batches.hpp"
#include "lmrnn/error.hpp"
#include "train/batches.hpp"
#include "train/checked_source.hpp"

namespace lmrnn {
namespace {

constexpr std::size_t rows_per_block = 32;

struct Rows {
  std::size_t n_steps, n_rows;
  BatchShape shape;
  Buffer<float> inputs, loss_weights;
  Buffer<std::int32_t> rules, targets, tasks;
  Buffer<std::uint8_t> starts, scored;

  Rows(const BatchSource& source, Split split, std::uint32_t batch, std::size_t first,
       std::size_t rows, std::size_t steps)
      : n_steps(steps),
        n_rows(rows),
        shape(source.shape()),
        inputs(steps * shape.n_channels * rows),
        loss_weights(steps * rows),
        rules(steps * shape.n_rule_slots * rows),
        targets(steps * rows),
        tasks(steps * rows),
        starts(steps * rows),
        scored(steps * rows) {
    source.fill(split, batch, static_cast<std::uint32_t>(first),
                {.inputs = {inputs.data(), steps, shape.n_channels, rows},
                 .rules = {rules.data(), steps, shape.n_rule_slots, rows},
                 .targets = {targets.data(), steps, rows},
                 .loss_weights = {loss_weights.data(), steps, rows},
                 .trial_starts = {starts.data(), steps, rows},
                 .tasks = {tasks.data(), steps, rows},
                 .scored = {scored.data(), steps, rows}});
  }

  TrialBlock view(bool reset_at_trial) const {
    TrialBlock block;
    block.inputs = {inputs.data(), n_steps, shape.n_channels, n_rows};
    if (shape.n_rule_slots > 0) block.rules = {rules.data(), n_steps, shape.n_rule_slots, n_rows};
    if (reset_at_trial) block.resets = {starts.data(), n_steps, n_rows};
    return block;
  }
};

// Counts the trials of one row, one after the other.
void score_row(const Rows& rows, std::size_t row, std::span<const std::uint8_t> hits,
               std::span<ScoreCounts> by_task) {
  ScoreCounts trial;
  std::int32_t task = 0;
  const auto finish = [&] {
    if (trial.decision_steps == 0) return;
    trial.trials = 1;
    trial.right_trials = trial.right_decision_steps == trial.decision_steps ? 1 : 0;
    by_task[static_cast<std::size_t>(task)] += trial;
    trial = {};
  };
  for (std::size_t t = 0; t < rows.n_steps; ++t) {
    const std::size_t at = t * rows.n_rows + row;
    if (rows.starts[at] != 0) finish();
    task = rows.tasks[at];
    if (rows.scored[at] == 0) continue;
    ++trial.decision_steps;
    trial.right_decision_steps += hits[at];
  }
  finish();
}

void check_network_fits(const Network& network, const BatchSource& source) {
  const Architecture& a = network.architecture();
  const BatchShape s = source.shape();
  if (a.n_channels != s.n_channels || a.n_rules != s.n_rules || a.n_classes != s.n_classes)
    throw UsageError(fmt::format(
        "source \"{}\" has {} channels, {} rules and {} classes, but the network {}, {} "
        "and {}; evaluate a network of the same shape",
        source.name(), s.n_channels, s.n_rules, s.n_classes, a.n_channels, a.n_rules, a.n_classes));
}

}  // namespace

std::optional<std::string> warning_of_unscored_tasks(const BatchSource& source,
                                                     const StreamConfig& stream, Split split) {
  const auto n_rows = static_cast<std::size_t>(stream.batch);
  const std::vector<std::string> names = source.tasks();
  std::vector<std::uint8_t> occurs(names.size()), scored(names.size());
  for (std::size_t first = 0; first < n_rows; first += rows_per_block) {
    const Rows rows(source, split, 0, first, std::min(rows_per_block, n_rows - first),
                    static_cast<std::size_t>(stream.steps));
    for (std::size_t i = 0; i < rows.tasks.size(); ++i) {
      const auto task = static_cast<std::size_t>(rows.tasks[i]);
      if (task >= names.size()) continue;  // evaluation refuses it
      occurs[task] = 1;
      scored[task] = scored[task] || rows.scored[i] != 0;
    }
  }
  std::vector<std::string> never;
  for (std::size_t task = 0; task < names.size(); ++task)
    if (occurs[task] && !scored[task]) never.push_back(fmt::format("{:?}", names[task]));
  if (never.empty()) return {};
  return fmt::format(
      "{}: no step of {} is scored in the first held-out batch, so the score would be 0 whatever "
      "the network does; are trials longer than stream.row_steps = {}?",
      source.name(), fmt::join(never, ", "), stream.steps);
}

Evaluation evaluate_source(const Network& network, const BatchSource& given,
                           const StreamConfig& stream, Split split, std::uint32_t n_batches,
                           ThreadPool& pool) {
  // Not owned: it is the caller's, who waits.
  const CheckedSource source(std::shared_ptr<const BatchSource>(std::shared_ptr<void>(), &given));
  check_network_fits(network, source);
  const auto n_rows = static_cast<std::size_t>(stream.batch);
  const auto n_steps = static_cast<std::size_t>(stream.steps);
  const std::size_t n_blocks = (n_rows + rows_per_block - 1) / rows_per_block;
  const std::vector<std::string> names = source.tasks();
  const std::size_t n_classes = source.shape().n_classes;
  std::vector<ScoreCounts> by_item(n_batches * n_blocks * names.size());
  Workspaces workspaces;
  pool.for_each(n_batches * n_blocks, [&](std::size_t item) {
    const std::size_t first = item % n_blocks * rows_per_block;
    const std::size_t n = std::min(rows_per_block, n_rows - first);
    const Rows rows(source, split, static_cast<std::uint32_t>(item / n_blocks), first, n, n_steps);
    auto workspace = workspaces.borrow();
    Buffer<float> values(n_steps * n_classes * n);
    network.forward(rows.view(stream.reset_at_trial), {}, {},
                    {values.data(), n_steps, n_classes, n}, *workspace);
    const View3<const float> logits{values.data(), n_steps, n_classes, n};
    std::vector<std::uint8_t> hits(n_steps * n);
    std::vector<float> best(n);
    std::vector<std::int32_t> classes(n);
    for (std::size_t t = 0; t < n_steps; ++t) {
      most_likely_classes(logits, t, best, classes);
      for (std::size_t k = 0; k < n; ++k) hits[t * n + k] = classes[k] == rows.targets[t * n + k];
    }
    for (std::size_t k = 0; k < n; ++k)
      score_row(rows, k, hits, std::span(by_item).subspan(item * names.size(), names.size()));
  });

  Evaluation evaluation;
  for (std::size_t task = 0; task < names.size(); ++task) {
    ScoreCounts counts;
    for (std::size_t i = task; i < by_item.size(); i += names.size()) counts += by_item[i];
    evaluation.tasks.push_back(make_score(task, names[task], counts, {{1, 0}, {1, 0}}));
  }
  return evaluation;
}

}  // namespace lmrnn
