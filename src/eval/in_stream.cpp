#include <fmt/core.h>

#include <algorithm>
#include <numeric>

#include "eval/check_network.hpp"
#include "eval/score_steps.hpp"
#include "eval/workspaces.hpp"
#include "lmrnn/evaluate.hpp"

namespace lmrnn {
namespace {

constexpr std::size_t block_rows = 32;

// Rows of a stream as the network and the scores need them: (time, channel, row) and (time, row).
struct Rows {
  std::size_t n_steps, n_rows, n_channels, n_rule_slots;
  Buffer<float> inputs;
  Buffer<std::int32_t> rules, targets, tasks;
  Buffer<std::uint8_t> periods, starts;

  Rows(const PackedStream& stream, std::uint32_t batch, std::size_t first, std::size_t n)
      : n_steps(static_cast<std::size_t>(stream.config().steps)),
        n_rows(n),
        n_channels(stream.battery().n_channels()),
        n_rule_slots(stream.battery().n_rule_slots()),
        inputs(n_steps * n_channels * n),
        rules(n_steps * n_rule_slots * n),
        targets(n_steps * n),
        tasks(n_steps * n),
        periods(n_steps * n),
        starts(n_steps * n) {
    stream.fill(batch, static_cast<std::uint32_t>(first),
                {.inputs = inputs.data(),
                 .rules = rules.data(),
                 .targets = targets.data(),
                 .tasks = tasks.data(),
                 .periods = periods.data(),
                 .trial_starts = starts.data(),
                 .layout = Layout::trial_last,
                 .n_rows = n});
  }

  TrialBlock view(bool reset_at_trial) const {
    TrialBlock block;
    block.inputs = {inputs.data(), n_steps, n_channels, n_rows};
    block.rules = {rules.data(), n_steps, n_rule_slots, n_rows};
    if (reset_at_trial) block.resets = {starts.data(), n_steps, n_rows};
    return block;
  }
};

// Follows the trials of one row from step to step, and counts each when it is over.
class RowScore {
 public:
  void step(bool starts, Period period, bool hit, bool fixates, std::int32_t grace) {
    if (starts) {
      whole_ = right_ = true;
      decision_steps_ = right_steps_ = 0;
    }
    if (period != Period::decision) {
      right_ = right_ && fixates;
      return;
    }
    right_ = right_ && (hit || static_cast<std::int32_t>(decision_steps_) < grace);
    ++decision_steps_;
    right_steps_ += hit;
  }

  // The trial ended with the last step; false if its beginning lay in an earlier row.
  bool whole() const { return whole_; }
  ScoreCounts counts() const { return {1, right_ ? 1u : 0u, decision_steps_, right_steps_}; }

 private:
  bool whole_ = false, right_ = true;
  std::uint64_t decision_steps_ = 0, right_steps_ = 0;
};

void score_rows(const Rows& rows, View3<const float> logits, std::int32_t grace,
                std::span<ScoreCounts> by_task) {
  std::vector<float> best(rows.n_rows);
  std::vector<std::int32_t> classes(rows.n_rows);
  std::vector<RowScore> scores(rows.n_rows);
  for (std::size_t t = 0; t < rows.n_steps; ++t) {
    most_likely_classes(logits, t, best, classes);
    for (std::size_t k = 0; k < rows.n_rows; ++k) {
      const std::size_t at = t * rows.n_rows + k;
      if (rows.starts[at] != 0 && t > 0 && scores[k].whole())
        by_task[static_cast<std::size_t>(rows.tasks[at - rows.n_rows])] += scores[k].counts();
      scores[k].step(rows.starts[at] != 0, static_cast<Period>(rows.periods[at]),
                     classes[k] == rows.targets[at], classes[k] == 0, grace);
    }
  }
}

}  // namespace

Evaluation evaluate_stream(const Network& network, const PackedStream& stream,
                           std::uint32_t n_batches, std::span<const Ceiling> ceilings,
                           ThreadPool& pool) {
  const Battery& battery = stream.battery();
  check_network_fits(network, battery);
  const auto n_rows = static_cast<std::size_t>(stream.config().batch);
  const std::size_t n_blocks = (n_rows + block_rows - 1) / block_rows;
  const std::size_t n_tasks = battery.tasks().size();
  const std::int32_t grace = grace_steps(battery.config().dt);
  std::vector<ScoreCounts> by_block(n_blocks * n_tasks);
  Workspaces workspaces;
  pool.for_each(n_blocks, [&](std::size_t block) {
    const std::size_t first = block * block_rows;
    const std::size_t n = std::min(block_rows, n_rows - first);
    auto workspace = workspaces.borrow();
    Buffer<float> values;
    for (std::uint32_t batch = 0; batch < n_batches; ++batch) {
      const Rows rows(stream, batch, first, n);
      values.resize(rows.n_steps * battery.n_classes() * n);
      const View3<float> logits{values.data(), rows.n_steps, battery.n_classes(), n};
      network.forward(rows.view(stream.config().reset_at_trial), {}, {}, logits, *workspace);
      score_rows(rows, {logits.data, logits.n0, logits.n1, logits.n2}, grace,
                 std::span(by_block).subspan(block * n_tasks, n_tasks));
    }
  });
  std::vector<ScoreCounts> by_task(n_tasks);
  for (std::size_t i = 0; i < by_block.size(); ++i) by_task[i % n_tasks] += by_block[i];
  std::vector<std::size_t> tasks(n_tasks);
  std::iota(tasks.begin(), tasks.end(), std::size_t{0});
  return make_evaluation(battery, tasks, by_task, ceilings);
}

}  // namespace lmrnn
