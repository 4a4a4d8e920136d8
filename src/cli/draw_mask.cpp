#include "draw_mask.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace lmrnn::cli {
namespace {

/// Positions [first, first + n) of an axis of `length` that are shown: all, or those around `at`.
struct Window {
  std::size_t first, n;
};
Window window(std::size_t at, std::size_t length, std::size_t room) {
  const std::size_t n = std::min(length, std::max<std::size_t>(room, 1));
  const std::size_t before = std::min(at, n / 2);
  return {std::min(at - before, length - n), n};
}

std::string_view glyph(const Mask& mask, std::size_t unit, std::size_t other) {
  const bool is_source = mask.has(unit, other), is_target = mask.has(other, unit);
  if (other == unit) return is_source ? "◉" : "○";
  if (is_source && is_target) return "█";
  if (is_source) return "▓";
  if (is_target) return "░";
  return "·";
}

constexpr std::size_t margin = 2;

/// The units of `area` around unit `middle` of the area.
std::string draw_area(const Mask& mask, const Area& area, std::size_t unit, std::size_t middle,
                      std::size_t width, std::size_t height) {
  const auto n_rows = static_cast<std::size_t>(area.rows);
  const auto n_cols = static_cast<std::size_t>(area.cols);
  const std::size_t room = std::max<std::size_t>(width, margin + 1) - margin;
  const std::size_t cell = 2 * n_cols <= room ? 2 : 1;  // two characters make about a square
  const Window rows = window(middle / n_cols, n_rows, height);
  const Window cols = window(middle % n_cols, n_cols, room / cell);

  std::string out;
  for (std::size_t row = rows.first; row < rows.first + rows.n; ++row) {
    out.append(margin, ' ');
    for (std::size_t col = cols.first; col < cols.first + cols.n; ++col) {
      const std::string_view mark = glyph(mask, unit, area.first + row * n_cols + col);
      out += mark;
      const bool is_solid = mark == "█" || mark == "▓" || mark == "░";
      if (cell == 2) out += is_solid ? mark : " ";
    }
    out += '\n';
  }
  if (rows.n < n_rows || cols.n < n_cols)
    out +=
        fmt::format("  rows {} to {} of {}, columns {} to {} of {}\n", rows.first,
                    rows.first + rows.n - 1, n_rows, cols.first, cols.first + cols.n - 1, n_cols);
  return out;
}

}  // namespace

std::string draw_neighbourhood(const Mask& mask, const Sheet& sheet, std::size_t unit,
                               std::size_t width, std::size_t height) {
  std::string out;
  if (!sheet.areas) out = draw_area(mask, {"", sheet.rows, sheet.cols}, unit, unit, width, height);
  for (const Area& area : sheet.all_areas()) {
    const bool is_own = unit >= area.first && unit < area.first + area.n_units();
    const auto centre = static_cast<std::size_t>(area.rows / 2 * area.cols + area.cols / 2);
    out += fmt::format("  {}\n", area.name);
    out += draw_area(mask, area, unit, is_own ? unit - area.first : centre, width, height) + "\n";
  }
  return out +
         "  ◉ the unit, with its autapse (○ without)   █ source and target   ▓ source only   "
         "░ target only\n";
}

std::string draw_in_degrees(const Mask& mask, std::size_t width) {
  std::vector<std::size_t> degrees;
  for (std::size_t unit = 0; unit < mask.n_targets(); ++unit)
    degrees.push_back(mask.sources_of(unit).size());
  const auto [least, most] = std::ranges::minmax(degrees);
  constexpr std::size_t most_lines = 12, margin = 22;
  const std::size_t group = (most - least) / most_lines + 1;
  std::vector<std::size_t> counts((most - least) / group + 1, 0);
  for (const std::size_t degree : degrees) ++counts[(degree - least) / group];
  const std::size_t highest = std::ranges::max(counts);
  const std::size_t room = std::max<std::size_t>(width, margin + 10) - margin;

  std::string out = "  in-degree      units\n";
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const std::size_t first = least + i * group;
    const std::string name =
        group == 1 ? fmt::format("{}", first) : fmt::format("{}-{}", first, first + group - 1);
    out += fmt::format("  {:>9} {:>10}", name, counts[i]);
    // Draws at least one mark if there is any unit.
    const std::size_t n_marks = (counts[i] * room + highest - 1) / highest;
    if (n_marks > 0) out += ' ';
    for (std::size_t k = 0; k < std::min(n_marks, room - 1); ++k) out += "█";
    out += '\n';
  }
  return out;
}

}  // namespace lmrnn::cli
