#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "lmrnn/simd.hpp"
#include "lmrnn/train.hpp"
#include "train/curriculum.hpp"
#include "train/gains.hpp"
#include "train/learner.hpp"
#include "train/synapse_terms.hpp"
#include "train/untrained.hpp"

namespace lmrnn {

MemoryEstimate estimate_memory(const RunConfig& config, int n_threads) {
  const Battery battery(config.battery, config.run_seed());
  const Architecture a = make_architecture(config, battery);
  const auto n_parameters = static_cast<double>(parameter_layout(a).total);
  const std::size_t rows = block_rows(config.train, config.stream);
  const auto batch = static_cast<std::size_t>(config.stream.batch);
  const std::size_t n_blocks = (batch + rows - 1) / rows;
  const double n_moments = config.optimiser.kind == OptimiserKind::adam ? 2 : 1;
  if (n_threads <= 0) n_threads = available_processors();
  const auto together =
      static_cast<double>(std::min(n_blocks, static_cast<std::size_t>(n_threads)));
  const auto n_steps = static_cast<double>(config.stream.steps);
  // Recomputing keeps every sqrt(n)-th state, and the sqrt(n) states between two of them.
  const double kept_steps =
      config.train.recompute ? std::min(n_steps, 2 * std::ceil(std::sqrt(n_steps))) : n_steps;
  MemoryEstimate e;
  // Weights, summed gradient, and the packed copies for the kernels (forward and transposed).
  e.bytes_parameters =
      sizeof(float) * n_parameters * (4 + n_moments + static_cast<double>(n_blocks)) +
      bytes_of_synapse_terms(config, a.recurrent.n_synapses()) +
      bytes_of_gains(config, a.recurrent.n_synapses());
  e.bytes_activations = sizeof(float) * together * static_cast<double>(rows) *
                        (kept_steps * static_cast<double>(a.n_units()) +
                         2 * n_steps * static_cast<double>(a.n_classes));
  const BatchShape shape{battery.n_channels(), battery.n_rules(), battery.n_rule_slots(),
                         battery.n_classes()};
  e.bytes_batches = 2.0 * static_cast<double>(batch_bytes(
                              shape, static_cast<std::size_t>(config.stream.steps), batch));
  return e;
}

RunEstimate estimate_run(const RunConfig& config, int n_threads) {
  using Clock = std::chrono::steady_clock;
  check_config(config);
  const SimdScope simd(config.simd);
  const Battery battery(config.battery, config.run_seed());
  ThreadPool pool(n_threads);
  // The time of a whole batch; how far batches have grown by a step is known.
  RunConfig whole = config;
  whole.train.block = static_cast<std::int64_t>(block_rows(config.train, config.stream));
  whole.stream.grow_from = 0;
  Learner learner(whole, battery, make_network(config, battery), 0, pool);

  RunEstimate e;
  const Architecture& a = learner.network().architecture();
  e.costs = cost_table(a);
  e.n_units = a.n_units();
  e.n_synapses = a.recurrent.n_synapses();
  e.n_tasks = battery.tasks().size();
  for (const CostRow& row : e.costs) e.n_parameters += row.n_parameters;
  e.block_rows = block_rows(config.train, config.stream);
  e.n_blocks = learner.n_blocks();
  e.memory = estimate_memory(config, n_threads);
  if (auto warning = warning_of_short_rows(config)) e.notices = {*warning};
  for (auto& warning : {warning_of_missing_leak(config), warning_of_first_batch(config)})
    if (warning) e.notices.push_back(*warning);
  if (auto complaint = complaint_about_untrained(config, learner, learner.look_ahead()))
    e.notices.push_back(std::move(*complaint));
  learner.step();  // allocates memory and warms up caches
  constexpr double enough_seconds = 2;
  constexpr std::int64_t most_steps = 20;
  const auto start = Clock::now();
  double seconds = 0;
  while (e.measured_steps < most_steps && seconds < enough_seconds) {
    learner.step();
    ++e.measured_steps;
    seconds = std::chrono::duration<double>(Clock::now() - start).count();
  }
  e.seconds_per_step = seconds / static_cast<double>(e.measured_steps);
  double rows = 0;
  for (std::int64_t step = 0; step < config.train.steps; ++step)
    rows += static_cast<double>(batch_rows(config, step));
  e.seconds_training = e.seconds_per_step * rows / static_cast<double>(config.stream.batch);
  return e;
}

}  // namespace lmrnn
