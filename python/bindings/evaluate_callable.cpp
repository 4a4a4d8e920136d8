// Scores of any callable, such as a model of any framework, on the trials that our own networks are
// evaluated on, with their ceilings.
#include "evaluate_callable.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "arrays.hpp"
#include "interruption.hpp"
#include "lmrnn/ceiling.hpp"

namespace lmrnn::python {
namespace {

// Trials per call: enough to keep a model busy. They are padded to the longest of them.
constexpr std::size_t trials_together = 256;

using Logits = nb::ndarray<const float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

/// A copy that Python owns: models may keep their inputs.
template <class T>
nb::object copy_of(const Buffer<T>& array, std::size_t n_items, const TrialBatch& batch) {
  return nb::cast(adopt(Buffer<T>(array), {batch.n_steps, batch.n_trials, n_items}));
}

}  // namespace

Buffer<float> logits_of(const nb::object& model, const TrialBatch& batch, const Battery& battery,
                        std::string_view who) {
  const std::size_t T = batch.n_steps, B = batch.n_trials, C = battery.n_classes();
  const auto logits = nb::cast<Logits>(model(copy_of(batch.inputs, batch.n_channels, batch),
                                             copy_of(batch.rules, batch.n_rule_slots, batch)));
  if (logits.shape(0) != T || logits.shape(1) != B || logits.shape(2) != C)
    throw UsageError(fmt::format(
        "{}: the model returned logits of shape ({}, {}, {}) for inputs (time, row, channel) of "
        "shape ({}, {}, {}); the battery needs ({}, {}, {})",
        who, logits.shape(0), logits.shape(1), logits.shape(2), T, B, batch.n_channels, T, B, C));
  Buffer<float> by_class(T * B * C);
  for (std::size_t t = 0; t < T; ++t)
    for (std::size_t k = 0; k < B; ++k)
      for (std::size_t c = 0; c < C; ++c) {
        const float z = logits.data()[(t * B + k) * C + c];
        if (std::isnan(z) && t < static_cast<std::size_t>(batch.lengths[k]))
          throw UsageError(
              fmt::format("{}: the model returned NaN at step {}, row {}, class {}", who, t, k, c));
        by_class[(t * C + c) * B + k] = z;
      }
  return by_class;
}

Evaluation evaluate_callable(const nb::object& model, const Battery& battery, Seed seed,
                             Split split, std::size_t n_trials,
                             const std::vector<std::size_t>& tasks, int threads) {
  if (n_trials == 0) throw UsageError("evaluation needs at least one trial per task");
  std::vector<Ceiling> best;
  {
    const nb::gil_scoped_release release;
    ThreadPool pool(threads);
    best = ceilings(battery, tasks, seed, pool);
  }
  std::vector<ScoreCounts> counts(tasks.size());
  Interruption interruption;
  for (std::size_t slot = 0; slot < tasks.size(); ++slot)
    for (std::size_t first = 0; first < n_trials; first += trials_together) {
      if (interruption.asked()) interruption.rethrow();
      TrialBatch batch;
      {
        const nb::gil_scoped_release release;
        const std::size_t n = std::min(trials_together, n_trials - first);
        batch = draw_trials(battery, tasks[slot], n, seed, split, first);
      }
      const Buffer<float> logits = logits_of(model, batch, battery, "evaluate");
      add_scores({logits.data(), batch.n_steps, battery.n_classes(), batch.n_trials}, batch.view(),
                 {&counts[slot], 1});
    }
  return make_evaluation(battery, tasks, counts, best);
}

}  // namespace lmrnn::python
