#include "draw_trial.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string_view>
#include <vector>

namespace lmrnn::cli {
namespace {

constexpr std::size_t label_columns = 12;  // left of the picture

double degrees(double radians) {
  const double d = std::fmod(radians * 180 / std::numbers::pi, 360);
  return d < -1e-9 ? d + 360 : std::abs(d);
}

std::string_view shade(double activity) {
  // Noise (standard deviation 0.1 at 100 ms) mostly stays below the first step; a stimulus of
  // strength 1 has 0.8 at its centre.
  if (activity < 0.2) return "·";
  if (activity < 0.35) return "░";
  if (activity < 0.5) return "▒";
  if (activity < 0.65) return "▓";
  return "█";
}

// Draws one trial; each column is a group of steps and `cell` characters wide.
class Picture {
 public:
  Picture(const Battery& battery, const TrialBatch& trials, std::size_t row, std::size_t width)
      : battery_(battery),
        trials_(trials),
        row_(row),
        n_ring_(static_cast<std::size_t>(battery.config().n_ring)),
        n_steps_(static_cast<std::size_t>(trials.lengths[row])),
        n_lines_(std::clamp<std::size_t>(n_ring_ / 2, 1, 8)) {
    const std::size_t room = std::max<std::size_t>(width, label_columns + 20) - label_columns;
    steps_per_column_ = (n_steps_ + room - 1) / room;
    n_columns_ = (n_steps_ + steps_per_column_ - 1) / steps_per_column_;
    cell_ = std::clamp<std::size_t>(room / n_columns_, 1, 3);
  }

  std::string text() const {
    std::string out = periods() + times();
    out += line("cue", [&](std::size_t column) { return shade(activity(column, 0, 1)); });
    for (std::size_t modality = 0; modality < 2; ++modality) out += "\n" + ring(modality);
    return out + "\n" + target();
  }

 private:
  template <class Glyph>
  std::string line(const std::string& label, Glyph&& glyph) const {
    std::string out = fmt::format("{:>{}} ", label, label_columns - 1);
    for (std::size_t column = 0; column < n_columns_; ++column)
      for (std::size_t i = 0; i < cell_; ++i) out += glyph(column);
    return out + "\n";
  }

  // The largest activity of channels [first, last), each averaged over the steps of a column.
  double activity(std::size_t column, std::size_t first, std::size_t last) const {
    double strongest = 0;
    const std::size_t begin = column * steps_per_column_;
    const std::size_t end = std::min(begin + steps_per_column_, n_steps_);
    for (std::size_t channel = first; channel < last; ++channel) {
      double sum = 0;
      for (std::size_t step = begin; step < end; ++step)
        sum += trials_.inputs[trials_.index(step, row_) * trials_.n_channels + channel];
      strongest = std::max(strongest, sum / static_cast<double>(end - begin));
    }
    return strongest;
  }

  std::int32_t target_class(std::size_t column) const {
    return trials_.targets[trials_.index(column * steps_per_column_, row_)];
  }

  std::size_t column_of(std::int32_t step) const {
    return static_cast<std::size_t>(step) / steps_per_column_ * cell_;
  }

  // The name of each period at its beginning, cut if it would run into the next one.
  std::string periods() const {
    const Family family = battery_.tasks()[trials_.tasks[row_]].base_task().family;
    std::string out(label_columns, ' ');
    for (const PeriodSpan& span : trials_.spans[row_]) {
      const std::size_t begin = column_of(span.first);
      const std::size_t end = span.last == static_cast<std::int32_t>(n_steps_)
                                  ? n_columns_ * cell_
                                  : column_of(span.last);
      if (end <= begin) continue;
      const std::string name(period_name(family, span.period));
      out += "|" + fmt::format("{:<{}.{}}", name, end - begin - 1, end - begin - 1);
    }
    return out + "\n";
  }

  std::string times() const {
    std::string out = fmt::format("{:>{}} ", "ms", label_columns - 1);
    for (const PeriodSpan& span : trials_.spans[row_]) {
      const std::size_t begin = label_columns + column_of(span.first);
      if (begin < out.size() && span.first > 0) continue;  // no room
      out.resize(begin, ' ');
      out += fmt::format("{:g} ", span.first * battery_.config().dt);
    }
    return out + "\n";
  }

  // Channels or directions on line `line` of `n`, counted from the lowest angle.
  std::pair<std::size_t, std::size_t> directions(std::size_t line, std::size_t n) const {
    return {line * n_ring_ / n, (line + 1) * n_ring_ / n};
  }

  std::string angle_label(const std::string& title, std::size_t line) const {
    const double angle = 360.0 * static_cast<double>(directions(line, n_lines_).first) /
                         static_cast<double>(n_ring_);
    return fmt::format("{} {:>3.0f}°", line + 1 == n_lines_ ? title : "", angle);
  }

  std::string ring(std::size_t modality) const {
    const std::string title = fmt::format("ring {}", modality);
    const std::size_t first_channel = 1 + modality * n_ring_;
    std::string out;
    for (std::size_t i = n_lines_; i-- > 0;) {
      const auto [first, last] = directions(i, n_lines_);
      out += line(angle_label(title, i), [&](std::size_t column) {
        return shade(activity(column, first_channel + first, first_channel + last));
      });
    }
    return out;
  }

  std::string target() const {
    std::string out;
    const std::size_t n_halves = 2 * n_lines_;
    for (std::size_t i = n_lines_; i-- > 0;)
      out += line(angle_label("target", i), [&](std::size_t column) -> std::string_view {
        const std::int32_t k = target_class(column) - 1;
        const auto within = [&](std::size_t half) {
          const auto [first, last] = directions(half, n_halves);
          return k >= static_cast<std::int32_t>(first) && k < static_cast<std::int32_t>(last);
        };
        return within(2 * i + 1) ? "▀" : within(2 * i) ? "▄" : "·";
      });
    return out + line("fixate", [&](std::size_t column) {
             return target_class(column) == 0 ? std::string_view("█") : std::string_view("·");
           });
  }

  const Battery& battery_;
  const TrialBatch& trials_;
  std::size_t row_, n_ring_, n_steps_, n_lines_;
  std::size_t steps_per_column_ = 1, n_columns_ = 0, cell_ = 1;
};

std::string decision_text(const BaseTask& base, const Conditions& c) {
  std::string text =
      fmt::format("stimuli at {:g}° and {:g}°", degrees(c.directions[0]), degrees(c.directions[1]));
  for (int m = 0; m < 2; ++m)
    if (base.shows(m))
      text += fmt::format("; modality {}: strengths {:g} and {:g}", m, c.strength[m][0],
                          c.strength[m][1]);
  return text + fmt::format("; respond to the {}", c.choice == 0 ? "first" : "second");
}

}  // namespace

std::string draw_trial(const Battery& battery, const TrialBatch& trials, std::size_t row,
                       std::size_t width) {
  return Picture(battery, trials, row, width).text();
}

std::string conditions_text(const Battery& battery, std::size_t task, const Conditions& c) {
  const BaseTask& base = battery.tasks()[task].base_task();
  std::string text;
  if (base.family == Family::reach)
    text = fmt::format("modality {}, {} at {:g}°", c.modality,
                       battery.semantics().int_direction ? "stimulus" : "response",
                       degrees(c.direction));
  else if (base.family == Family::match)
    text = fmt::format("modality {}, sample at {:g}°, test at {:g}°: {}", c.modality,
                       degrees(c.sample), degrees(c.test), c.match ? "a match" : "no match");
  else
    text = decision_text(base, c);
  const double delay = c.duration[period_index(Period::delay)];
  if (delay > 0) text += fmt::format("; delay {:g} ms", std::round(delay * 10) / 10);
  return text;
}

std::string target_text(const Battery& battery, const TrialBatch& trials, std::size_t row) {
  const auto target = [&](std::int32_t step) {
    return trials.targets[trials.index(static_cast<std::size_t>(step), row)];
  };
  const std::int32_t n_steps = trials.lengths[row];
  std::int32_t first = 0;
  while (first < n_steps && target(first) == 0) ++first;
  if (first == n_steps) return "fixate to the end";
  const double dt = battery.config().dt;
  std::string text = fmt::format("fixate for {:g} ms", first * dt);
  // Merges consecutive steps with the same target; in seq tasks the direction moves.
  for (std::int32_t step = first; step < n_steps;) {
    std::int32_t end = step;
    while (end < n_steps && target(end) == target(step)) ++end;
    const double angle = 360.0 * (target(step) - 1) / static_cast<double>(battery.config().n_ring);
    const std::string what = target(step) == 0 ? "fixate" : fmt::format("respond at {:g}°", angle);
    text += fmt::format(", {} for {:g} ms", what, (end - step) * dt);
    step = end;
  }
  return text;
}

}  // namespace lmrnn::cli
