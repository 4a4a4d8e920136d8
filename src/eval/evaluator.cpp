#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "eval/check_network.hpp"
#include "lmrnn/evaluate.hpp"
#include "rnn/shared/workspaces.hpp"

namespace lmrnn {
namespace {

// Trials drawn together. Sorting them by length before they are cut into blocks keeps the padding
// small; a few hundred are enough for that and fit into the processor's cache.
constexpr std::size_t chunk_trials = 256;
constexpr std::size_t block_trials = 32;

// Consecutive trials of one task.
struct Chunk {
  std::size_t slot;  // index into the evaluator's tasks
  std::size_t first, n;
};

std::vector<std::size_t> all_tasks(const Battery& battery) {
  std::vector<std::size_t> tasks(battery.tasks().size());
  std::iota(tasks.begin(), tasks.end(), std::size_t{0});
  return tasks;
}

}  // namespace

void check_network_fits(const Network& network, const Battery& battery) {
  const Architecture& a = network.architecture();
  const auto check = [](std::string_view what, std::size_t has, std::size_t wants) {
    if (has != wants)
      throw UsageError(
          fmt::format("the network has {} {}, the battery {}; evaluate it on the battery that it "
                      "was trained on",
                      has, what, wants));
  };
  check("input channels", a.n_channels, battery.n_channels());
  check("rule inputs", a.n_rules, battery.n_rules());
  check("classes", a.n_classes, battery.n_classes());
}

struct Evaluator::Implementation {
  Battery battery;
  Seed seed;
  Split split;
  std::size_t n_trials;
  std::vector<std::size_t> tasks;
  std::vector<Ceiling> ceilings;
  std::vector<Chunk> chunks;
  mutable Workspaces workspaces;

  ScoreCounts run_chunk(const Chunk& chunk, const Network& network, double recurrent_noise) const {
    const std::size_t task = tasks[chunk.slot];
    const TrialBatch batch = draw_trials(battery, task, chunk.n, seed, split, chunk.first);
    std::vector<std::size_t> order(chunk.n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t k) { return batch.lengths[k]; });

    auto workspace = workspaces.borrow();
    ScoreCounts counts;
    Buffer<float> values;
    for (std::size_t first = 0; first < chunk.n; first += block_trials) {
      const std::size_t n = std::min(block_trials, chunk.n - first);
      const auto some = std::span(order).subspan(first, n);
      const Trials block = batch.chosen(some, static_cast<std::size_t>(batch.lengths[some.back()]));
      values.resize(block.n_steps * battery.n_classes() * n);
      const View3<float> logits{values.data(), block.n_steps, battery.n_classes(), n};
      const RecurrentNoise noise{
          .sigma = recurrent_noise,
          .key = {seed, RandomPurpose::recurrent_noise, split, static_cast<std::uint32_t>(task), 0},
          .first_row = static_cast<std::uint32_t>(chunk.first + first)};
      network.forward(block.view(), noise, {}, logits, *workspace);
      add_scores({logits.data, logits.n0, logits.n1, logits.n2}, block.view(), {&counts, 1});
    }
    return counts;
  }
};

Evaluator::Evaluator(const Battery& battery, Seed seed, Split split, std::size_t n_trials,
                     ThreadPool& pool, std::vector<std::size_t> tasks,
                     const CeilingFunction& ceilings) {
  if (n_trials == 0) throw UsageError("evaluation needs at least one trial per task");
  if (tasks.empty()) tasks = all_tasks(battery);
  for (const std::size_t task : tasks)
    if (task >= battery.tasks().size())
      throw UsageError(fmt::format("there is no task number {}; the battery has {}", task,
                                   battery.tasks().size()));
  std::vector<Chunk> chunks;
  for (std::size_t slot = 0; slot < tasks.size(); ++slot)
    for (std::size_t first = 0; first < n_trials; first += chunk_trials)
      chunks.push_back({slot, first, std::min(chunk_trials, n_trials - first)});
  std::vector<Ceiling> best =
      ceilings ? ceilings(battery, tasks, seed, pool) : lmrnn::ceilings(battery, tasks, seed, pool);
  implementation_ = std::unique_ptr<Implementation>(new Implementation{
      battery, seed, split, n_trials, std::move(tasks), std::move(best), std::move(chunks), {}});
}

Evaluator::~Evaluator() = default;
Evaluator::Evaluator(Evaluator&&) noexcept = default;
Evaluator& Evaluator::operator=(Evaluator&&) noexcept = default;

Evaluation Evaluator::evaluate(const Network& network, ThreadPool& pool,
                               double recurrent_noise) const {
  const Implementation& self = *implementation_;
  check_network_fits(network, self.battery);
  require_recurrent_noise(recurrent_noise);
  std::vector<ScoreCounts> by_chunk(self.chunks.size());
  pool.for_each(self.chunks.size(), [&](std::size_t i) {
    by_chunk[i] = self.run_chunk(self.chunks[i], network, recurrent_noise);
  });
  std::vector<ScoreCounts> by_task(self.tasks.size());
  for (std::size_t i = 0; i < by_chunk.size(); ++i) by_task[self.chunks[i].slot] += by_chunk[i];
  return make_evaluation(self.battery, self.tasks, by_task, self.ceilings);
}

std::span<const std::size_t> Evaluator::tasks() const noexcept {
  return implementation_->tasks;
}
std::span<const Ceiling> Evaluator::ceilings() const noexcept {
  return implementation_->ceilings;
}
std::size_t Evaluator::n_trials() const noexcept {
  return implementation_->n_trials;
}

}  // namespace lmrnn
