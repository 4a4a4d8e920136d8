#include "lmrnn/config.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <system_error>

#include "core/shared/text.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/seed.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;

std::string where(const std::string& name, const toml::source_region& source) {
  return source.begin ? name + ":" + std::to_string(source.begin.line) : name;
}

ConfigValue convert(const toml::node& node, const std::string& name) {
  ConfigValue result;
  result.where = where(name, node.source());
  if (const auto* table = node.as_table()) {
    ConfigTable out;
    for (const auto& [key, child] : *table) {
      ConfigValue value = convert(child, name);
      value.where = where(name, key.source());
      out.emplace_back(std::string(key.str()), std::move(value));
    }
    // toml++ sorts keys; restore the order of the file, which users expect.
    std::ranges::stable_sort(out, {}, [&](const auto& entry) {
      const auto source = table->find(entry.first)->first.source().begin;
      return std::pair(source.line, source.column);
    });
    result.value = std::move(out);
  } else if (const auto* array = node.as_array()) {
    ConfigList out;
    for (const auto& child : *array) out.push_back(convert(child, name));
    result.value = std::move(out);
  } else if (const auto* text = node.as_string()) {
    result.value = text->get();
  } else if (const auto* number = node.as_integer()) {
    result.value = number->get();
  } else if (const auto* real = node.as_floating_point()) {
    result.value = real->get();
  } else if (const auto* flag = node.as_boolean()) {
    result.value = flag->get();
  } else {
    throw UsageError(result.where + ": dates and times are not supported; put the text in quotes");
  }
  return result;
}

// Nested tables are walked recursively, here and in toml++: a key of some ten thousand parts would
// overflow the stack. No real line has this many dots.
constexpr std::ptrdiff_t most_dots = 1000;

void check_dots(std::string_view text, const std::string& name) {
  std::size_t line = 1;
  for (std::size_t begin = 0; begin < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (std::ranges::count(text.substr(begin, end - begin), '.') > most_dots)
      throw UsageError(
          fmt::format("{}:{}: has more than {} dots; break the line up, or name keys "
                      "with fewer parts",
                      name, line, most_dots));
    begin = end + 1;
  }
}

// A basic string: the only kind of TOML text that can hold any text on one line.
std::string toml_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += {'\\', c};
    else if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + "\"";
}

bool is_bare_key(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '-';
  });
}

std::string key_text(std::string_view key) {
  return is_bare_key(key) ? std::string(key) : toml_text(key);
}

std::string number_text(double x) {
  if (std::isnan(x)) return "nan";
  if (std::isinf(x)) return x > 0 ? "inf" : "-inf";
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, x).ptr;
  std::string result(text, end);
  if (result.find_first_of(".e") == std::string::npos) result += ".0";
  return result;
}

void write_table(std::string& out, const ConfigTable& table, const std::string& prefix) {
  for (const auto& [key, value] : table)
    if (!std::holds_alternative<ConfigTable>(value.value))
      out += key_text(key) + " = " + detail::toml_value(value) + "\n";
  for (const auto& [key, value] : table) {
    const auto* child = std::get_if<ConfigTable>(&value.value);
    if (!child) continue;
    const std::string name = prefix.empty() ? key_text(key) : prefix + "." + key_text(key);
    if (!out.empty()) out += "\n";
    out += "[" + name + "]\n";
    write_table(out, *child, name);
  }
}

// toml++ rejects a whole number of more than 64 bits without naming its key. This finds the key and
// throws; for other errors it returns.
void refuse_too_large(std::string_view text, const std::string& name,
                      const toml::parse_error& error) {
  const std::string_view said = error.description();
  const std::size_t end = said.find("' is not representable");
  if (end == std::string_view::npos) return;
  const std::size_t begin = said.rfind('\'', end - 1) + 1;
  std::vector<std::string_view> lines = split(text, '\n');
  lines.resize(std::min<std::size_t>(lines.size(), error.source().begin.line));
  std::string_view key = "a number";
  for (; !lines.empty(); lines.pop_back()) {  // a list may begin some lines above
    const std::size_t equals = lines.back().find('=');
    if (equals == std::string_view::npos) continue;
    key = trimmed(lines.back().substr(0, equals));
    break;
  }
  detail::number_too_large(where(name, error.source()), key, said.substr(begin, end - begin));
}

// The parser only says what is wrong; this adds what to do about it.
std::string_view remedy_for(std::string_view description) {
  static constexpr std::pair<std::string_view, std::string_view> remedies[] = {
      {"redefine", "; give each key once"},
      {"could not determine value type", "; put text in quotes"},
      {"control characters", "; end a text on its line, with the quotes that it started with"},
      {"parsing boolean", "; write true or false"},
      {"parsing inline table", "; write entries as key = value, with commas between them"},
      {"parsing array", "; put commas between entries, and end the list with ]"},
      {"parsing key-value pair", "; write one key = value per line, and no commas in numbers"},
      {"parsing key", "; use letters, digits, - and _ in keys, or put the key in quotes"},
  };
  for (const auto& [said, remedy] : remedies)
    if (description.find(said) != std::string_view::npos) return remedy;
  return "; see https://toml.io";
}

/// The folder of the file that "studies/mine.toml:12" names; empty for "--set" and the like.
fs::path folder_of(const std::string& where) {
  const std::size_t colon = where.rfind(".toml:");
  return colon == std::string::npos ? fs::path() : fs::path(where.substr(0, colon)).parent_path();
}

}  // namespace

ConfigTable parse_toml(std::string_view text, const std::string& name) {
  check_dots(text, name);
  try {
    const toml::table table = toml::parse(text, name);
    return std::get<ConfigTable>(convert(table, name).value);
  } catch (const toml::parse_error& error) {
    refuse_too_large(text, name, error);
    throw UsageError(where(name, error.source()) + ": " + std::string(error.description()) +
                     std::string(remedy_for(error.description())));
  }
}

ConfigTable read_toml(const std::filesystem::path& path) {
  return parse_toml(read_file(path), path.string());
}

std::string to_toml(const ConfigTable& table) {
  std::string out;
  write_table(out, table, "");
  return out;
}

void assign_key(ConfigTable& table, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  const std::string_view key = trimmed(assignment.substr(0, equals));
  if (equals == std::string_view::npos || key.empty())
    throw UsageError("--set " + std::string(assignment) +
                     ": write key=value, e.g. wiring.radius=4");
  const std::string_view text = trimmed(assignment.substr(equals + 1));
  check_dots(key, "--set");
  const std::size_t first_digit = text.find_first_not_of("+-");
  if (first_digit != std::string_view::npos && !number_from<std::int64_t>(text) &&
      text.find_first_not_of("0123456789", first_digit) == std::string_view::npos &&
      text.size() - first_digit > 18)
    detail::number_too_large("--set", key, text);
  ConfigValue value;
  try {
    value = parse_toml("value = " + std::string(text), "--set").at(0).second;
  } catch (const UsageError&) {
    value.value = std::string(text);  // a bare word: --set network.activation=tanh
  }
  value.where = "--set";
  assign_key(table, key, std::move(value));
}

void assign_key(ConfigTable& table, std::string_view dotted_key, ConfigValue value) {
  const std::size_t dot = dotted_key.find('.');
  const std::string key(dotted_key.substr(0, dot));
  auto entry = std::ranges::find(table, key, &ConfigTable::value_type::first);
  if (dot == std::string_view::npos) {
    if (entry == table.end())
      table.emplace_back(key, std::move(value));
    else
      entry->second = std::move(value);
    return;
  }
  if (entry == table.end())
    entry = table.insert(table.end(), {key, ConfigValue{ConfigTable{}, value.where}});
  auto* child = std::get_if<ConfigTable>(&entry->second.value);
  if (!child)
    throw UsageError(fmt::format("{}: {}: \"{}\" must be a table, not {} ({})", value.where,
                                 dotted_key, key, detail::toml_value(entry->second),
                                 entry->second.where));
  assign_key(*child, dotted_key.substr(dot + 1), std::move(value));
}

const ConfigValue* find_key(const ConfigTable& table, std::string_view dotted_key) {
  const std::size_t dot = dotted_key.find('.');
  const std::string_view key = dotted_key.substr(0, dot);
  for (const auto& [name, value] : table) {
    if (name != key) continue;
    if (dot == std::string_view::npos) return &value;
    const auto* child = std::get_if<ConfigTable>(&value.value);
    return child ? find_key(*child, dotted_key.substr(dot + 1)) : nullptr;
  }
  return nullptr;
}

void find_file(std::string& path, const ConfigTable& table, std::string_view dotted_key) {
  const ConfigValue* value = find_key(table, dotted_key);
  const auto* text = value ? std::get_if<std::string>(&value->value) : nullptr;
  if (!text || *text != path || path.empty() || fs::path(path).is_absolute()) return;
  const fs::path folder = folder_of(value->where);
  if (folder.empty()) return;
  const fs::path there = (folder / path).lexically_normal();
  std::error_code error;
  if (!fs::exists(there, error) || fs::equivalent(there, path, error)) return;
  path = there.string();
}

std::string markdown_table(std::span<const FieldDoc> rows) {
  // An unescaped bar would end the cell.
  const auto cell = [](std::string_view text) {
    std::string out;
    for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
    return out;
  };
  std::string table = "| key | type | default | meaning |\n|---|---|---|---|\n";
  for (const FieldDoc& row : rows)
    table +=
        fmt::format("| `{}` | {} | {} | {} |\n", row.key, cell(row.type),
                    row.fallback.empty() ? "" : "`" + cell(row.fallback) + "`", cell(row.meaning));
  return table;
}

namespace detail {

std::string toml_value(const ConfigValue& v) {
  struct {
    std::string operator()(bool x) const { return x ? "true" : "false"; }
    std::string operator()(std::int64_t x) const { return std::to_string(x); }
    std::string operator()(double x) const { return number_text(x); }
    std::string operator()(const std::string& x) const { return toml_text(x); }
    std::string operator()(const ConfigList& x) const {
      std::string out = "[";
      for (const ConfigValue& item : x) out += (out.size() > 1 ? ", " : "") + toml_value(item);
      return out + "]";
    }
    std::string operator()(const ConfigTable& x) const {
      std::string out = "{";
      for (const auto& [key, item] : x)
        out += (out.size() > 1 ? ", " : " ") + key_text(key) + " = " + toml_value(item);
      return out + (x.empty() ? "}" : " }");
    }
  } const text;
  return std::visit(text, v.value);
}

void wrong_type(const ConfigValue& v, std::string_view key, std::string_view expected) {
  throw UsageError(v.where + ": " + std::string(key) + " = " + toml_value(v) + "; expected " +
                   std::string(expected));
}

void not_a_seed(const ConfigValue& v, std::string_view key) {
  refuse_seed(v.where + ": " + std::string(key), toml_value(v));
}

void number_too_large(const std::string& where, std::string_view key, std::string_view number) {
  const std::string name = where + ": " + std::string(key);
  const std::string_view last = key.substr(key.rfind('.') + 1);
  if (last == "seed" || last == "seeds") refuse_seed(name, number);
  throw UsageError(fmt::format("{} = {} is out of range; whole numbers go from {} to {}", name,
                               number, std::numeric_limits<std::int64_t>::min(),
                               std::numeric_limits<std::int64_t>::max()));
}

void unknown_name(const std::string& where, std::string_view key, std::string_view name,
                  std::span<const std::string> known) {
  throw UsageError(fmt::format("{}: {} = \"{}\" is not one of \"{}\"{}", where, key, name,
                               fmt::join(known, "\", \""), did_you_mean(name, known)));
}

void check_range(const ConfigValue& v, std::string_view key, double number, const Range& range) {
  const bool high_enough = range.least_excluded ? number > range.least : number >= range.least;
  // Also false for NaN. Infinity is within the bounds of most keys, but no key can use it.
  if (high_enough && number <= range.most && std::isfinite(number)) {
    // Networks are computed in single precision, and their numbers are multiplied by each other.
    constexpr double least = 1e-30, most = 1e30;
    const double size = std::abs(number);
    if (range.any_size || size == 0 || (size >= least && size <= most)) return;
    throw UsageError(fmt::format(
        "{}: {} = {} is beyond single precision, in which networks are computed; it must be {}of a "
        "size from {} to {}",
        v.where, key, toml_value(v), range.least_excluded && range.least >= 0 ? "" : "0, or ",
        least, most));
  }
  if (range.is_seed) not_a_seed(v, key);
  const bool has_least = !std::isinf(range.least), has_most = !std::isinf(range.most);
  std::string expected;
  if (has_least && has_most && !range.least_excluded) {
    expected = fmt::format("from {} to {}", range.least, range.most);
  } else {
    if (has_least)
      expected = fmt::format("{} {}", range.least_excluded ? "more than" : "at least", range.least);
    if (has_most) expected += fmt::format("{}at most {}", has_least ? " and " : "", range.most);
    if (expected.empty() || std::isinf(number))
      expected += expected.empty() ? "finite" : " and finite";
  }
  throw UsageError(v.where + ": " + std::string(key) + " = " + toml_value(v) +
                   " is out of range; it must be " + expected);
}

namespace {

// "quickstart.toml:12" -> "quickstart.toml"; empty if `where` names no file.
std::string_view file_of(std::string_view where) {
  const std::size_t colon = where.rfind(':');
  return colon == std::string_view::npos ? std::string_view() : where.substr(0, colon);
}

// Throws if one file gives a key by both of its names, since it is unclear which one is meant. If
// one was set after the file was read, the later one counts, as with one name.
void check_one_name(const ConfigTable& table, std::span<const Renamed> renamed) {
  for (const Renamed& r : renamed) {
    const ConfigValue* former = find_key(table, r.former);
    const ConfigValue* present = find_key(table, r.present);
    if (!former || !present) continue;
    const std::string_view file = file_of(former->where);
    if (!file.empty() && file == file_of(present->where))
      throw UsageError(
          fmt::format("{}: \"{}\" is the former name of \"{}\", which is given too ({}); keep "
                      "one of them",
                      former->where, r.former, r.present, present->where));
  }
}

}  // namespace

void check_known_keys(const ConfigTable& table, std::string_view prefix,
                      std::span<const std::string> known, std::span<const Renamed> renamed) {
  check_one_name(table, renamed);
  for (const auto& [key, value] : table) {
    if (std::ranges::find(known, key) != known.end()) continue;
    if (std::ranges::find(renamed, key, &Renamed::former) != renamed.end()) continue;
    const std::string all = fmt::format("; known keys are: {}", fmt::join(known, ", "));
    throw UsageError(fmt::format("{}: unknown key \"{}\"{}{}", value.where, key,
                                 prefix.empty() ? "" : fmt::format(" in [{}]", prefix),
                                 did_you_mean(key, known, all)));
  }
}

}  // namespace detail
}  // namespace lmrnn
