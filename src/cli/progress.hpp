// Progress on stderr: a bar that is redrawn on a terminal, otherwise a plain line from time to
// time.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace lmrnn::cli {

/// "1:05:09", "3:20", "0:07"; "?" for nan.
std::string duration_text(double seconds);

class ProgressBar {
 public:
  /// `what` names what is counted, e.g. "step". Nothing is drawn before the first update.
  ProgressBar(std::string what, std::int64_t total, std::FILE* out = stderr);
  ~ProgressBar();  ///< `finish`
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// `note` follows the bar, e.g. "loss 0.312". `seconds_left` replaces the estimate from the mean
  /// so far. May be called at any rate: draws at most ten times a second on a terminal and every
  /// five seconds elsewhere, and always if `now` is true (an evaluation has ended) or, on a
  /// terminal, if the bar is full.
  void update(std::int64_t done, std::string_view note = {},
              std::optional<double> seconds_left = std::nullopt, bool now = false);

  /// Changes the total: a study may find that it has more runs to do.
  void set_total(std::int64_t total) { total_ = total; }

  /// Ends the bar's line, so that other text can follow; the next update begins a new bar.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;

  void draw_bar(std::int64_t done, std::string_view note, double seconds_left);

  std::string what_;
  std::int64_t total_;
  std::FILE* out_;
  bool on_terminal_;
  bool line_open_ = false;
  Clock::time_point begin_ = Clock::now();
  std::optional<std::int64_t> done_before_;  ///< a resumed run does not begin at 0
  Clock::time_point last_drawn_{};
};

}  // namespace lmrnn::cli
