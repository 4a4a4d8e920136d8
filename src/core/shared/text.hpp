// Splits, trims and matches text.
#pragma once

#include <charconv>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace lmrnn {

/// The parts between the separators: one more than there are separators; they may be empty.
std::vector<std::string_view> split(std::string_view text, char separator);

/// The lines that end in a newline, without it.
std::vector<std::string_view> complete_lines(std::string_view text);

/// Without white space at either end.
std::string_view trimmed(std::string_view text);

/// In lower case; changes ASCII letters only.
std::string lowered(std::string text);

/// "h5", "npz": the ending of a file's name in lower case, without the dot.
std::string ending_of(const std::filesystem::path& path);

/// Whether a name is a pattern: it has `*` (any text) or `?` (any one character).
bool is_glob(std::string_view name);
bool matches_glob(std::string_view pattern, std::string_view text);

/// The number that the whole text is; nothing if it is not a number, or if something follows it.
template <class Number>
std::optional<Number> number_from(std::string_view text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || last != end) return std::nullopt;
  return number;
}

}  // namespace lmrnn
