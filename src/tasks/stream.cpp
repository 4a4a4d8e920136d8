#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <type_traits>
#include <utility>

#include "lmrnn/ceiling.hpp"
#include "lmrnn/streams.hpp"
#include "tasks/places.hpp"
#include "tasks/render.hpp"
#include "tasks/row_cursor.hpp"
#include "tasks/scored.hpp"

namespace lmrnn {
namespace {

/// The arrays of one row.
class RowWriter {
 public:
  RowWriter(const Battery& battery, const StepWeights& weights, const TrialRows& rows,
            std::size_t row)
      : battery_(battery), weights_(weights), row_(rows.trials(row, 1)) {}

  float* inputs_at(std::size_t step) const { return row_.inputs.at(step, 0); }
  std::size_t input_stride() const { return row_.inputs.step_stride; }
  bool has_inputs() const { return !row_.inputs.empty(); }

  /// Writes everything except inputs for steps [first, last) of a trial, from step `at` of the row
  /// on.
  void write_labels(std::size_t task, const TrialOutline& outline, std::int32_t first,
                    std::int32_t last, std::size_t at) const {
    const auto n = static_cast<std::size_t>(last - first);
    const auto rule = battery_.rule(task);
    for (std::size_t s = 0; s < row_.rules.n_items; ++s) fill(row_.rules, at, n, rule[s], s);
    fill(row_.tasks, at, n, static_cast<std::int32_t>(task));
    fill(row_.trial_starts, at, n, std::uint8_t{0});
    if (first == 0) fill(row_.trial_starts, at, 1, std::uint8_t{1});
    const bool whole = first == 0 && last == outline.n_steps;
    for (const PeriodOutline& period : outline.all_periods()) {
      const std::int32_t begin = std::max(period.span.first, first);
      const std::int32_t end = std::min(period.span.last, last);
      if (begin < end)
        write_period(period.span, task, whole, at + static_cast<std::size_t>(begin - first),
                     static_cast<std::size_t>(end - begin));
    }
    if (!row_.targets.empty()) write_targets(outline, first, last, at);
  }

 private:
  template <class T>
  static void fill(const TrialArray<T>& array, std::size_t at, std::size_t n,
                   std::type_identity_t<T> value, std::size_t item = 0) {
    if (array.empty()) return;
    T* out = array.at(0, 0) + at * array.step_stride + item;
    for (std::size_t i = 0; i < n; ++i) out[i * array.step_stride] = value;
  }

  void write_period(const PeriodSpan& span, std::size_t task, bool whole, std::size_t at,
                    std::size_t n) const {
    const auto period = static_cast<std::size_t>(span.period);
    fill(row_.periods, at, n, static_cast<std::uint8_t>(period));
    fill(row_.loss_weights, at, n, weights_.empty() ? 1.0f : weights_[task][period]);
    if (row_.scored.empty()) return;
    if (!whole) return fill(row_.scored, at, n, code_of(Scored::no));
    mark_scored(span, grace_steps(battery_.config().dt), row_.scored, at, 0);
  }

  void write_targets(const TrialOutline& outline, std::int32_t first, std::int32_t last,
                     std::size_t at) const {
    const std::int32_t decision = std::clamp(outline.decision, first, last);
    fill(row_.targets, at, static_cast<std::size_t>(decision - first), 0);
    for (std::int32_t t = decision; t < last; ++t)
      row_.targets(at + static_cast<std::size_t>(t - first), 0) =
          target_at(data_of(battery_), outline, t);
  }

  const Battery& battery_;
  const StepWeights& weights_;
  TrialRows row_;
};

}  // namespace

struct PackedStream::Implementation {
  Implementation(const Battery& battery_in, const StreamConfig& config, Seed seed, Split split,
                 StepWeights weights_in)
      : battery(battery_in),
        weights(std::move(weights_in)),
        plan{&data_of(battery), config, seed, split} {
    check_ranges(config, "stream");
    if (!plan.has_history()) return;
    cursors.reserve(static_cast<std::size_t>(config.batch));
    for (std::uint32_t row = 0; row < config.batch; ++row) cursors.emplace_back(plan, row);
    turns = std::vector<std::mutex>(cursors.size());
  }

  void check_request(std::uint32_t batch, std::uint32_t first_row, std::size_t n_rows) const {
    if (first_row + n_rows > static_cast<std::size_t>(plan.config.batch))
      throw UsageError(fmt::format("rows {} to {} of a batch of {} (stream.batch)", first_row,
                                   first_row + n_rows - 1, plan.config.batch));
    if (batch >= n_batches_most)
      throw UsageError(fmt::format("batch {}: a stream has 2^30 batches", batch));
  }

  /// Calls visit(cursor) with a cursor at the beginning of the row's batch; `visit` must walk it to
  /// the batch's end. If batches depend on earlier ones, the row has one cursor that is kept
  /// between calls, and callers that ask for the same row wait for each other.
  template <class Visitor>
  void with_cursor(std::uint32_t batch, std::uint32_t row, Visitor&& visit) {
    if (!plan.has_history()) {
      RowCursor own(plan, row);
      own.begin_batch(batch);
      return visit(own);
    }
    const std::scoped_lock turn(turns[row]);
    RowCursor& cursor = cursors[row];
    if (cursor.next_batch() > batch) cursor = RowCursor(plan, row);
    while (cursor.next_batch() < batch) {
      cursor.begin_batch(cursor.next_batch());
      for_each_stretch(cursor, [](std::int32_t, std::int32_t, std::size_t) {});
      cursor.end_batch();
    }
    cursor.begin_batch(batch);
    visit(cursor);
    cursor.end_batch();
  }

  /// Calls visit(first, last, at) for the parts of trials that make up the row: steps [first, last)
  /// of the cursor's trial begin at step `at` of the row.
  template <class Visitor>
  void for_each_stretch(RowCursor& cursor, Visitor&& visit) const {
    const auto n_steps = static_cast<std::size_t>(plan.config.steps);
    for (std::size_t at = 0; at < n_steps;) {
      cursor.enter_trial();
      const std::int32_t first = cursor.step();
      const auto left = static_cast<std::int32_t>(n_steps - at);
      const std::int32_t last = std::min(cursor.outline().n_steps, first + left);
      visit(first, last, at);
      cursor.advance(last - first);
      at += static_cast<std::size_t>(last - first);
    }
  }

  /// The number of rows of the arrays, which must agree.
  std::size_t count_rows(const TrialRows& rows) const {
    std::size_t n_rows = 0;
    rows.for_each_with(rows, [&](const auto& array, const auto&) {
      if (!array.empty()) n_rows = array.n_trials;
    });
    const auto n_steps = static_cast<std::size_t>(plan.config.steps);
    const auto check_array = [&](const auto& array, std::size_t n_items, const char* name) {
      if (array.empty()) return;
      if (array.n_steps != n_steps || array.n_trials != n_rows || array.n_items != n_items)
        throw UsageError(fmt::format(
            "stream: {} (time, row, item) have the shape ({}, {}, {}); give ({}, {}, {})", name,
            array.n_steps, array.n_trials, array.n_items, n_steps, n_rows, n_items));
    };
    check_array(rows.inputs, battery.n_channels(), "inputs");
    check_array(rows.rules, battery.n_rule_slots(), "rules");
    check_array(rows.targets, 1, "targets");
    check_array(rows.loss_weights, 1, "loss weights");
    check_array(rows.trial_starts, 1, "trial starts");
    check_array(rows.periods, 1, "periods");
    check_array(rows.tasks, 1, "tasks");
    check_array(rows.scored, 1, "scored");
    return n_rows;
  }

  Battery battery;
  StepWeights weights;
  StreamPlan plan;
  std::vector<RowCursor> cursors;  ///< one per row, if batches depend on earlier ones
  std::vector<std::mutex> turns;   ///< (row): lock of its cursor
};

PackedStream::PackedStream(const Battery& battery, const StreamConfig& config, Seed seed,
                           Split split, StepWeights weights)
    : implementation_(
          std::make_unique<Implementation>(battery, config, seed, split, std::move(weights))) {}
PackedStream::~PackedStream() = default;
PackedStream::PackedStream(PackedStream&&) noexcept = default;

const Battery& PackedStream::battery() const noexcept {
  return implementation_->battery;
}
const StreamConfig& PackedStream::config() const noexcept {
  return implementation_->plan.config;
}
std::string PackedStream::name() const {
  return "battery";
}
BatchShape PackedStream::shape() const {
  return {battery().n_channels(), battery().n_rules(), battery().n_rule_slots(),
          battery().n_classes()};
}
std::vector<std::string> PackedStream::tasks() const {
  return names_of(battery().tasks());
}
void PackedStream::fill(Split, std::uint32_t batch, std::uint32_t first_row,
                        const TrialRows& rows) const {
  fill(batch, first_row, rows);
}

void PackedStream::fill(std::uint32_t batch, std::uint32_t first_row, const TrialRows& rows) const {
  Implementation& self = *implementation_;
  const std::size_t n_rows = self.count_rows(rows);
  self.check_request(batch, first_row, n_rows);
  const std::size_t n_channels = self.battery.n_channels();
  Renderer renderer(data_of(self.battery));
  NoiseReader noise;
  // All at once: row by row, each step would be a short stretch on a page of its own.
  rows.inputs.for_each_stretch([](std::span<float> inputs) { std::ranges::fill(inputs, 0.0f); });
  for (std::size_t row = 0; row < n_rows; ++row) {
    const auto r = static_cast<std::uint32_t>(first_row + row);
    const RowWriter writer(self.battery, self.weights, rows, row);
    noise.start({self.plan.seed, RandomPurpose::input_noise, self.plan.split, batch, r}, 0,
                n_channels);
    self.with_cursor(batch, r, [&](RowCursor& cursor) {
      self.for_each_stretch(cursor, [&](std::int32_t first, std::int32_t last, std::size_t at) {
        writer.write_labels(cursor.task(), cursor.outline(), first, last, at);
        if (!writer.has_inputs()) return;
        if (self.plan.is_finite())
          noise.start(cursor.trial_noise(), noise_before(cursor.outline(), first), n_channels);
        renderer.write_inputs(cursor.outline(), first, last, writer.inputs_at(at),
                              writer.input_stride(), &noise);
      });
    });
  }
}

}  // namespace lmrnn
