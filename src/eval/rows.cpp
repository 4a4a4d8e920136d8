// Scores on rows of consecutive trials: of a battery's packed stream, or of any other source.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "eval/check_network.hpp"
#include "eval/checked_source.hpp"
#include "lmrnn/continuous.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/evaluate.hpp"
#include "rnn/shared/workspaces.hpp"

namespace lmrnn {
namespace {

constexpr std::size_t rows_per_block = 32;

/// Rows of a batch with what scores need.
struct ScoredRows {
  Trials trials;
  Buffer<float> outputs;  ///< (time, trial, output): continuous targets, or empty

  TrialArray<float> outputs_view() {
    if (outputs.empty()) return {};
    return {outputs.data(), trials.n_steps, trials.n_trials,
            outputs.size() / (trials.n_steps * trials.n_trials)};
  }
};

/// Rows of a batch from `first` on.
ScoredRows scored_rows(const BatchSource& source, const BatchShape& shape,
                       const StreamConfig& stream, Split split, std::uint32_t batch,
                       std::size_t first) {
  const std::size_t n = std::min(rows_per_block, static_cast<std::size_t>(stream.batch) - first);
  const auto n_steps = static_cast<std::size_t>(stream.steps);
  ScoredRows rows{
      Trials(n_steps, n, shape.n_channels, shape.n_rule_slots,
             {.loss_weights = true, .trial_starts = true, .tasks = true, .scored = true}),
      Buffer<float>(n_steps * n * n_target_outputs(source))};
  fill_with_outputs(source, split, batch, static_cast<std::uint32_t>(first), rows.trials.rows(),
                    rows.outputs_view());
  return rows;
}

/// Counts by task of batches 0 ... n_batches - 1.
std::vector<ScoreCounts> count_scores(const Network& network, const BatchSource& source,
                                      const StreamConfig& stream, Split split,
                                      std::uint32_t n_batches, ThreadPool& pool) {
  const BatchShape shape = source.shape();
  const std::size_t n_tasks = source.tasks().size();
  const auto n_rows = static_cast<std::size_t>(stream.batch);
  const std::size_t n_blocks = (n_rows + rows_per_block - 1) / rows_per_block;
  // If batches depend on earlier ones, each thread keeps its rows and takes batches in order.
  const bool in_order = stream.mode == StreamMode::carry_on || stream.trials_per_task > 0;
  const std::size_t n_together = in_order ? n_batches : 1;
  const std::size_t n_items = in_order ? n_blocks : n_blocks * n_batches;
  std::vector<ScoreCounts> by_item(n_items * n_tasks);
  Workspaces workspaces;
  pool.for_each(n_items, [&](std::size_t item) {
    auto workspace = workspaces.borrow();
    Buffer<float> values;
    for (std::size_t k = 0; k < n_together; ++k) {
      const std::size_t batch = in_order ? k : item / n_blocks;
      ScoredRows scored =
          scored_rows(source, shape, stream, split, static_cast<std::uint32_t>(batch),
                      item % n_blocks * rows_per_block);
      const Trials& trials = scored.trials;
      values.resize(trials.n_steps * shape.n_classes * trials.n_trials);
      const View3<float> logits{values.data(), trials.n_steps, shape.n_classes, trials.n_trials};
      const TrialView rows = trials.view(stream.reset_at_trial);
      network.forward(rows, {}, {}, logits, *workspace);
      const View3<const float> answers{logits.data, logits.n0, logits.n1, logits.n2};
      const auto counts = std::span(by_item).subspan(item * n_tasks, n_tasks);
      if (const ContinuousSource* numbers = continuous(source))
        add_scores(answers, rows, scored.outputs_view(), numbers->tolerance(), counts);
      else
        add_scores(answers, rows, counts);
    }
  });
  std::vector<ScoreCounts> by_task(n_tasks);
  for (std::size_t i = 0; i < by_item.size(); ++i) by_task[i % n_tasks] += by_item[i];
  return by_task;
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
  const std::vector<std::string> names = source.tasks();
  std::vector<std::uint8_t> occurs(names.size()), scored(names.size());
  for (std::size_t first = 0; first < static_cast<std::size_t>(stream.batch);
       first += rows_per_block) {
    const Trials trials = scored_rows(source, source.shape(), stream, split, 0, first).trials;
    for (std::size_t i = 0; i < trials.step_tasks.size(); ++i) {
      const auto task = static_cast<std::size_t>(trials.step_tasks[i]);
      if (task >= names.size()) continue;  // evaluation rejects it
      occurs[task] = 1;
      scored[task] = scored[task] || trials.scored[i] != 0;
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
  // A shared_ptr without ownership: the caller owns the source and waits for this call.
  const CheckedSource source(std::shared_ptr<const BatchSource>(std::shared_ptr<void>(), &given));
  check_network_fits(network, source);
  const std::vector<std::string> names = source.tasks();
  const auto by_task = count_scores(network, source, stream, split, n_batches, pool);
  Evaluation evaluation;
  for (std::size_t task = 0; task < names.size(); ++task)
    evaluation.tasks.push_back(make_score(task, names[task], by_task[task], {{1, 0}, {1, 0}}));
  return evaluation;
}

Evaluation evaluate_stream(const Network& network, const PackedStream& stream,
                           std::uint32_t n_batches, std::span<const Ceiling> ceilings,
                           ThreadPool& pool) {
  const Battery& battery = stream.battery();
  check_network_fits(network, battery);
  const auto by_task = count_scores(network, stream, stream.config(), Split::test, n_batches, pool);
  std::vector<std::size_t> tasks(by_task.size());
  std::iota(tasks.begin(), tasks.end(), std::size_t{0});
  return make_evaluation(battery, tasks, by_task, ceilings);
}

std::shared_ptr<const BatchSource> checked_source(std::shared_ptr<const BatchSource> source) {
  return std::make_shared<CheckedSource>(std::move(source));
}

}  // namespace lmrnn
