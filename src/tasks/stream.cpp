#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <mutex>

#include "lmrnn/streams.hpp"
#include "tasks/places.hpp"
#include "tasks/render.hpp"
#include "tasks/row_cursor.hpp"
#include "tasks/transpose.hpp"

namespace lmrnn {
namespace {

/// Rows that are composed side by side before they are transposed to (time, channel, row).
constexpr std::size_t rows_at_a_time = 16;

/// One row of an array with `n_items` values per step: item k of step t is
/// data[t * time + k * item].
template <class T>
struct RowOf {
  T* data = nullptr;
  std::size_t time = 0, item = 0;

  RowOf(T* array, Layout layout, std::size_t n_steps, std::size_t n_rows, std::size_t row,
        std::size_t n_items) {
    if (!array) return;
    switch (layout) {
      case Layout::time_major:
        data = array + row * n_items, time = n_rows * n_items, item = 1;
        break;
      case Layout::batch_first:
        data = array + row * n_steps * n_items, time = n_items, item = 1;
        break;
      case Layout::trial_last:
        data = array + row, time = n_rows * n_items, item = n_rows;
        break;
    }
  }

  void fill(std::size_t first, std::size_t n, T value, std::size_t k = 0) const {
    if (!data) return;
    T* out = data + first * time + k * item;
    for (std::size_t i = 0; i < n; ++i) out[i * time] = value;
  }
};

/// The arrays of one row, inputs apart.
struct RowLabels {
  RowOf<std::int32_t> rules, targets, tasks;
  RowOf<std::uint8_t> periods, starts;

  RowLabels(const StreamArrays& arrays, std::size_t n_steps, std::size_t row, std::size_t n_slots)
      : rules(arrays.rules, arrays.layout, n_steps, arrays.n_rows, row, n_slots),
        targets(arrays.targets, arrays.layout, n_steps, arrays.n_rows, row, 1),
        tasks(arrays.tasks, arrays.layout, n_steps, arrays.n_rows, row, 1),
        periods(arrays.periods, arrays.layout, n_steps, arrays.n_rows, row, 1),
        starts(arrays.trial_starts, arrays.layout, n_steps, arrays.n_rows, row, 1) {}
};

/// Labels of steps [first, last) of a trial, from step `at` of the row on.
void write_labels(const Battery& battery, std::size_t task, const TrialOutline& outline,
                  std::int32_t first, std::int32_t last, std::size_t at, const RowLabels& labels) {
  const auto n = static_cast<std::size_t>(last - first);
  const auto rule = battery.rule(task);
  for (std::size_t k = 0; k < battery.n_rule_slots(); ++k) labels.rules.fill(at, n, rule[k], k);
  labels.tasks.fill(at, n, static_cast<std::int32_t>(task));
  labels.starts.fill(at, n, 0);
  if (first == 0) labels.starts.fill(at, 1, 1);
  for (const PeriodOutline& period : outline.all_periods()) {
    const std::int32_t begin = std::max(period.span.first, first);
    const std::int32_t end = std::min(period.span.last, last);
    if (begin < end)
      labels.periods.fill(at + static_cast<std::size_t>(begin - first),
                          static_cast<std::size_t>(end - begin),
                          static_cast<std::uint8_t>(period.span.period));
  }
  if (!labels.targets.data) return;
  const std::int32_t decision = std::clamp(outline.decision, first, last);
  labels.targets.fill(at, static_cast<std::size_t>(decision - first), 0);
  for (std::int32_t t = decision; t < last; ++t)
    labels.targets.fill(at + static_cast<std::size_t>(t - first), 1,
                        target_at(battery.data(), outline, t));
}

void check(const StreamConfig& config) {
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  if (config.steps < 1 || config.steps > most)
    throw UsageError(
        fmt::format("stream.row_steps = {}: a row has from 1 to 2^31 - 1 steps", config.steps));
  if (config.batch < 1 || config.batch > most)
    throw UsageError(
        fmt::format("stream.batch = {}: a batch has from 1 to 2^31 - 1 rows", config.batch));
  if (config.trials_per_task < 0 || config.trials_per_task > most)
    throw UsageError(fmt::format("stream.trials_per_task = {}: it must be from 0 to 2^31 - 1",
                                 config.trials_per_task));
}

}  // namespace

struct PackedStream::Implementation {
  Implementation(const Battery& battery_in, const StreamConfig& config, Seed seed, Split split)
      : battery(battery_in), plan{&battery.data(), config, seed, split} {
    check(config);
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

  /// Calls visit(cursor) with a cursor at the beginning of the row's batch, which it must walk to
  /// the end. Where batches depend on those before, the row's one cursor is kept between calls, so
  /// callers that ask for the same row take turns.
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

  /// Calls visit(first, last, at) for the stretches of trials that make up the row: steps
  /// [first, last) of the cursor's trial stand from step `at` of the row on.
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

  Battery battery;
  StreamPlan plan;
  std::vector<RowCursor> cursors;  ///< one per row, where batches depend on those before
  std::vector<std::mutex> turns;   ///< (row): who walks with its cursor
};

namespace {

/// Where the observations of a row go.
struct InputRow {
  float* data;  ///< nullptr: nowhere
  std::size_t stride;
};

}  // namespace

PackedStream::PackedStream(const Battery& battery, const StreamConfig& config, Seed seed,
                           Split split)
    : implementation_(std::make_unique<Implementation>(battery, config, seed, split)) {}
PackedStream::~PackedStream() = default;
PackedStream::PackedStream(PackedStream&&) noexcept = default;

const Battery& PackedStream::battery() const noexcept {
  return implementation_->battery;
}
const StreamConfig& PackedStream::config() const noexcept {
  return implementation_->plan.config;
}

void PackedStream::fill(std::uint32_t batch, std::uint32_t first_row,
                        const StreamArrays& arrays) const {
  Implementation& self = *implementation_;
  self.check_request(batch, first_row, arrays.n_rows);
  const auto n_steps = static_cast<std::size_t>(self.plan.config.steps);
  const std::size_t n_channels = self.battery.n_channels();
  Renderer renderer(self.battery.data());
  NoiseReader noise;

  const auto write_row = [&](std::size_t row, InputRow inputs) {
    const auto r = static_cast<std::uint32_t>(first_row + row);
    const RowLabels labels(arrays, n_steps, row, self.battery.n_rule_slots());
    noise.start({self.plan.seed, Stream::input_noise, self.plan.split, batch, r}, 0, n_channels);
    self.with_cursor(batch, r, [&](RowCursor& cursor) {
      self.for_each_stretch(cursor, [&](std::int32_t first, std::int32_t last, std::size_t at) {
        write_labels(self.battery, cursor.task(), cursor.outline(), first, last, at, labels);
        if (!inputs.data) return;
        if (self.plan.is_finite())
          noise.start(cursor.trial_noise(), noise_before(cursor.outline(), first), n_channels);
        renderer.write_inputs(cursor.outline(), first, last, inputs.data + at * inputs.stride,
                              inputs.stride, &noise);
      });
    });
  };

  const std::size_t row_length = n_steps * n_channels;
  if (arrays.layout != Layout::trial_last || !arrays.inputs) {
    if (arrays.inputs) std::fill_n(arrays.inputs, arrays.n_rows * row_length, 0.0f);
    for (std::size_t row = 0; row < arrays.n_rows; ++row) {
      const RowOf<float> out(arrays.inputs, arrays.layout, n_steps, arrays.n_rows, row, n_channels);
      write_row(row, {out.data, out.time});
    }
    return;
  }
  // Kept between calls: mapping the pages anew takes longer than filling them.
  static thread_local Buffer<float> rows;
  rows.resize(std::max(rows.size(), std::min(rows_at_a_time, arrays.n_rows) * row_length));
  for (std::size_t done = 0; done < arrays.n_rows; done += rows_at_a_time) {
    const std::size_t n = std::min(rows_at_a_time, arrays.n_rows - done);
    std::fill_n(rows.data(), n * row_length, 0.0f);
    for (std::size_t i = 0; i < n; ++i)
      write_row(done + i, {rows.data() + i * row_length, n_channels});
    transpose(rows.data(), n, row_length, row_length, arrays.inputs + done, arrays.n_rows);
  }
}

}  // namespace lmrnn
