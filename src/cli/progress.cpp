#include "progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "common.hpp"

namespace lmrnn::cli {

std::string duration_text(double seconds) {
  if (!std::isfinite(seconds)) return "?";
  const auto s = static_cast<std::int64_t>(std::ceil(std::max(0.0, seconds)));
  if (s < 3600) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

ProgressBar::ProgressBar(std::string what, std::int64_t total, std::FILE* out)
    : what_(std::move(what)), total_(total), out_(out), on_terminal_(is_terminal(out)) {}

ProgressBar::~ProgressBar() {
  finish();
}

void ProgressBar::update(std::int64_t done, std::string_view note,
                         std::optional<double> seconds_left, bool now) {
  const auto time = Clock::now();
  const std::chrono::duration<double> interval(on_terminal_ ? 0.1 : 5.0);
  if (!done_before_) {
    done_before_ = done;
    begin_ = time;
    if (!on_terminal_) last_drawn_ = time;  // there is nothing to print yet
  }
  const bool last_of_bar = on_terminal_ && done >= total_;
  if (!now && !last_of_bar && time - last_drawn_ < interval) return;
  last_drawn_ = time;

  const std::chrono::duration<double> elapsed = time - begin_;
  const auto n_new = static_cast<double>(done - *done_before_);
  const double left =
      seconds_left.value_or(n_new > 0 ? elapsed.count() / n_new * static_cast<double>(total_ - done)
                                      : std::numeric_limits<double>::quiet_NaN());
  if (on_terminal_) {
    draw_bar(done, note, left);
  } else {
    fmt::print(out_, "{} {}/{}, {} left{}{}\n", what_, done, total_, duration_text(left),
               note.empty() ? "" : ", ", note);
    std::fflush(out_);
  }
}

void ProgressBar::draw_bar(std::int64_t done, std::string_view note, double seconds_left) {
  const double share =
      total_ > 0 ? std::clamp(static_cast<double>(done) / static_cast<double>(total_), 0.0, 1.0)
                 : 1.0;
  // A line that wraps cannot be redrawn, so its width is limited. Each cell of the bar is one
  // column.
  const std::size_t width = terminal_width(out_) - 1;
  const std::size_t cells = std::min<std::size_t>(24, width);
  const auto n_full = static_cast<std::size_t>(share * static_cast<double>(cells));
  std::string bar;
  for (std::size_t i = 0; i < cells; ++i) bar += i < n_full ? "█" : "░";
  std::string text = fmt::format(" {:3.0f}%  {} {}/{}  {} left  {}", std::floor(100 * share), what_,
                                 done, total_, duration_text(seconds_left), note);
  text.resize(std::min(text.size(), width - cells));
  fmt::print(out_, "\r{}{}\x1b[K", bar, text);
  std::fflush(out_);
  line_open_ = true;
}

void ProgressBar::finish() {
  if (!line_open_) return;
  std::fputc('\n', out_);  // not fmt: destructors do not throw
  std::fflush(out_);
  line_open_ = false;
}

}  // namespace lmrnn::cli
