// Taking text apart.
#pragma once

#include <charconv>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace lmrnn {

/// What stands between the separators: one part more than there are separators, some of them empty.
std::vector<std::string_view> split(std::string_view text, char separator);

/// The lines that end in a newline, without it.
std::vector<std::string_view> complete_lines(std::string_view text);

/// Without white space at either end.
std::string_view trimmed(std::string_view text);

/// With small letters for the capitals of ASCII.
std::string lowered(std::string text);

/// "h5", "npz": the ending of a file's name in small letters, without the dot.
std::string ending_of(const std::filesystem::path& path);

/// Whether a name is a pattern: it holds `*` (any text) or `?` (any one letter).
bool is_glob(std::string_view name);
bool matches_glob(std::string_view pattern, std::string_view text);

/// The number that the whole text is; nothing if it is no number, or one with something behind it.
template <class Number>
std::optional<Number> number_from(std::string_view text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || last != end) return std::nullopt;
  return number;
}

}  // namespace lmrnn
