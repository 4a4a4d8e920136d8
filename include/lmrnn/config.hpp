// Configuration: one field list per struct.
//
// A config struct lists its fields once, in a static member template:
//
//   struct SheetConfig {
//     std::int64_t rows = 32;
//     Metric metric = Metric::l1;
//     template <class Self, class Visitor>
//     static void fields(Self& self, Visitor&& field) {
//       field("rows", self.rows, "rows of the sheet", at_least(1));
//       field("metric", self.metric, "distance on the sheet");
//     }
//   };
//
// This list is used to read and write TOML, for `--set key=value`, for the Python keywords and for
// the tables of the documentation. A field is a bool, std::int64_t, double, std::string, an enum
// with `enum_names`, a nested struct with `fields`, a std::optional, std::vector or (string-keyed)
// std::map of those, or any type with `from_config` and `to_config` found by argument-dependent
// look-up. Unknown keys and wrong types are errors that name the file and line.
//
// A renamed key can still be read by its former name if the struct lists it,
//
//   static constexpr std::array<Renamed, 1> renamed_keys{{{"representation", "storage"}}};
//
// and so can a renamed value of an enum, listed in
// `constexpr std::array<Renamed, n> renamed_values(E)`. Only the present names are written.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "lmrnn/error.hpp"

namespace lmrnn {

struct ConfigValue;

/// Keys in the order in which they were written.
using ConfigTable = std::vector<std::pair<std::string, ConfigValue>>;
using ConfigList = std::vector<ConfigValue>;

/// A node of a configuration, and where it was written ("quickstart.toml:12", "--set").
struct ConfigValue {
  using Variant = std::variant<bool, std::int64_t, double, std::string, ConfigList, ConfigTable>;
  Variant value;
  std::string where;

  // Defined below: clang with libstdc++ needs the complete type to destroy the lists in it.
  ConfigValue();
  ConfigValue(Variant value, std::string where);
};

inline ConfigValue::ConfigValue() = default;
inline ConfigValue::ConfigValue(Variant v, std::string w)
    : value(std::move(v)), where(std::move(w)) {}

/// Reads a TOML file. Throws UsageError with file and line.
ConfigTable read_toml(const std::filesystem::path& path);

/// Parses TOML text; `name` stands for the file in messages. Throws UsageError with `name` and
/// line.
ConfigTable parse_toml(std::string_view text, const std::string& name);

/// TOML text that `parse_toml` reads back to the same table (doubles to the last bit).
std::string to_toml(const ConfigTable& table);

/// Applies `"wiring.radius=4"`: the right side is a TOML value; if it is not valid TOML, it is
/// text. The key may be new. Throws UsageError, e.g. for a key inside a value that is not a table.
void assign_key(ConfigTable& table, std::string_view assignment);

/// Sets a dotted key. Messages name `value.where` as its place. Throws UsageError for a key inside
/// a value that is not a table.
void assign_key(ConfigTable& table, std::string_view dotted_key, ConfigValue value);

/// The value at a dotted key, or nullptr.
const ConfigValue* find_key(const ConfigTable& table, std::string_view dotted_key);

/// Makes `path` relative to the folder of a TOML file, if it is a relative path that `table` read
/// from that file, at `dotted_key`, and exists in that folder. Otherwise `path` stays relative to
/// the working directory, like paths from the command line and from Python.
void find_file(std::string& path, const ConfigTable& table, std::string_view dotted_key);

/// Inclusive bounds of a number.
struct Range {
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  bool least_excluded = false;
  bool is_seed = false;  ///< all invalid seeds get one message; see lmrnn/seed.hpp
  /// true: any size. false: 0, or a size from 1e-30 to 1e30, beyond which single precision ends.
  bool any_size = false;
};
constexpr Range at_least(double least) {
  return {.least = least};
}
constexpr Range more_than(double least) {
  return {.least = least, .least_excluded = true};
}
constexpr Range between(double least, double most) {
  return {.least = least, .most = most};
}
/// A distance on the sheet. Networks do not compute with it, so it may have any size.
constexpr Range distance() {
  return {.least = 0, .any_size = true};
}
constexpr Range any_seed() {
  return {.least = 0, .is_seed = true};
}

/// One row of the documentation of a config struct.
struct FieldDoc {
  std::string key;       ///< dotted
  std::string type;      ///< "integer", "number", "text", "true | false", or `"a" | "b"`
  std::string fallback;  ///< the default, as TOML; empty if there is none
  std::string meaning;
};

/// A Markdown table with a row for each key: its type, default and meaning.
std::string markdown_table(std::span<const FieldDoc> rows);

template <class T>
concept HasFields = requires(T& t) {
  T::fields(t, [](auto&&...) {});
};

/// An enum with names: `constexpr std::array<std::pair<std::string_view, E>, n> enum_names(E)`,
/// found by argument-dependent look-up.
template <class E>
concept NamedEnum = std::is_enum_v<E> && requires(E e) {
  enum_names(e);
};

/// A key or value whose name changed.
struct Renamed {
  std::string_view former, present;
};

template <class C>
constexpr std::span<const Renamed> renamed_keys_of() {
  if constexpr (requires { C::renamed_keys; })
    return C::renamed_keys;
  else
    return {};
}

/// The present name of a key of C; `key` itself if it was never renamed.
template <class C>
constexpr std::string_view present_key(std::string_view key) {
  for (const Renamed& r : renamed_keys_of<C>())
    if (r.former == key) return r.present;
  return key;
}

template <NamedEnum E>
std::string_view to_name(E value) {
  for (const auto& [name, candidate] : enum_names(value))
    if (candidate == value) return name;
  return "?";
}

namespace detail {
[[noreturn]] void wrong_type(const ConfigValue& v, std::string_view key, std::string_view expected);
[[noreturn]] void unknown_name(const std::string& where, std::string_view key,
                               std::string_view name, std::span<const std::string> known);
[[noreturn]] void not_a_seed(const ConfigValue& v, std::string_view key);
/// Throws UsageError for a whole number, given as text, that does not fit into a signed 64-bit
/// integer.
[[noreturn]] void number_too_large(const std::string& where, std::string_view key,
                                   std::string_view number);
void check_range(const ConfigValue& v, std::string_view key, double number, const Range& range);
void check_known_keys(const ConfigTable& table, std::string_view prefix,
                      std::span<const std::string> known, std::span<const Renamed> renamed = {});
std::string toml_value(const ConfigValue& v);
inline std::string dotted(std::string_view prefix, std::string_view key) {
  return prefix.empty() ? std::string(key) : std::string(prefix) + "." + std::string(key);
}
}  // namespace detail

/// Sets the fields of `config` that `table` has, and leaves the others as they are. `prefix`: the
/// dotted key of the table, for messages. Throws UsageError for a key that C does not have, a value
/// of another type, or one out of its range.
template <HasFields C>
void read_config(C& config, const ConfigTable& table, std::string_view prefix = "");
/// All fields of `config`; optional ones that are empty are left out.
template <HasFields C>
ConfigTable write_config(const C& config);

// Conversions of single values. from_config throws UsageError, naming `key`, for a value of another
// type or out of its range. --------------------------------------------------------------------

inline void from_config(const ConfigValue& v, std::string_view key, bool& out, const Range&) {
  const bool* b = std::get_if<bool>(&v.value);
  if (!b) detail::wrong_type(v, key, "true or false");
  out = *b;
}
inline void from_config(const ConfigValue& v, std::string_view key, std::int64_t& out,
                        const Range& range) {
  const auto* i = std::get_if<std::int64_t>(&v.value);
  if (!i && range.is_seed) detail::not_a_seed(v, key);
  if (!i) detail::wrong_type(v, key, "a whole number");
  detail::check_range(v, key, static_cast<double>(*i), range);
  out = *i;
}
inline void from_config(const ConfigValue& v, std::string_view key, double& out,
                        const Range& range) {
  if (const auto* i = std::get_if<std::int64_t>(&v.value)) {
    detail::check_range(v, key, static_cast<double>(*i), range);
    out = static_cast<double>(*i);
    return;
  }
  const double* d = std::get_if<double>(&v.value);
  if (!d) detail::wrong_type(v, key, "a number");
  detail::check_range(v, key, *d, range);
  out = *d;
}
inline void from_config(const ConfigValue& v, std::string_view key, std::string& out,
                        const Range&) {
  const auto* s = std::get_if<std::string>(&v.value);
  if (!s) detail::wrong_type(v, key, "text in quotes");
  out = *s;
}
template <NamedEnum E>
void from_config(const ConfigValue& v, std::string_view key, E& out, const Range&) {
  const auto* s = std::get_if<std::string>(&v.value);
  std::vector<std::string> known;
  std::string_view wanted = s ? std::string_view(*s) : std::string_view();
  if constexpr (requires { renamed_values(out); })
    for (const Renamed& r : renamed_values(out))
      if (r.former == wanted) wanted = r.present;
  for (const auto& [name, value] : enum_names(out)) {
    if (s && wanted == name) {
      out = value;
      return;
    }
    known.emplace_back(name);
  }
  if (!s) detail::wrong_type(v, key, "one of the names in quotes");
  detail::unknown_name(v.where, key, *s, known);
}
template <HasFields C>
void from_config(const ConfigValue& v, std::string_view key, C& out, const Range&) {
  const auto* t = std::get_if<ConfigTable>(&v.value);
  if (!t) detail::wrong_type(v, key, "a table");
  read_config(out, *t, key);
}
template <class T>
void from_config(const ConfigValue& v, std::string_view key, std::optional<T>& out,
                 const Range& range) {
  T value{};
  from_config(v, key, value, range);
  out = std::move(value);
}
template <class T>
void from_config(const ConfigValue& v, std::string_view key, std::vector<T>& out,
                 const Range& range) {
  const auto* list = std::get_if<ConfigList>(&v.value);
  if (!list) detail::wrong_type(v, key, "a list in brackets");
  out.clear();
  for (const ConfigValue& item : *list) from_config(item, key, out.emplace_back(), range);
}
template <class T>
void from_config(const ConfigValue& v, std::string_view key, std::map<std::string, T>& out,
                 const Range& range) {
  const auto* table = std::get_if<ConfigTable>(&v.value);
  if (!table) detail::wrong_type(v, key, "a table");
  out.clear();
  for (const auto& [name, item] : *table)
    from_config(item, detail::dotted(key, name), out[name], range);
}

inline ConfigValue to_config(bool x) {
  return {x, {}};
}
inline ConfigValue to_config(std::int64_t x) {
  return {x, {}};
}
inline ConfigValue to_config(double x) {
  return {x, {}};
}
inline ConfigValue to_config(const std::string& x) {
  return {x, {}};
}
template <NamedEnum E>
ConfigValue to_config(E x) {
  return {std::string(to_name(x)), {}};
}
template <HasFields C>
ConfigValue to_config(const C& x) {
  return {write_config(x), {}};
}
template <class T>
ConfigValue to_config(const std::vector<T>& x) {
  ConfigList list;
  for (const T& item : x) list.push_back(to_config(item));
  return {std::move(list), {}};
}
template <class T>
ConfigValue to_config(const std::map<std::string, T>& x) {
  ConfigTable table;
  for (const auto& [name, item] : x) table.emplace_back(name, to_config(item));
  return {std::move(table), {}};
}

// Reading, writing and documenting whole structs. ---------------------------------------------

template <HasFields C>
void read_config(C& config, const ConfigTable& table, std::string_view prefix) {
  std::vector<std::string> known;
  C::fields(config, [&](std::string_view key, auto& value, std::string_view, Range range = {}) {
    known.emplace_back(key);
    for (const auto& [name, item] : table)
      if (present_key<C>(name) == key)
        from_config(item, detail::dotted(prefix, name), value, range);
  });
  detail::check_known_keys(table, prefix, known, renamed_keys_of<C>());
}

template <HasFields C>
ConfigTable write_config(const C& config) {
  ConfigTable table;
  C::fields(config,
            [&]<class T>(std::string_view key, const T& value, std::string_view, Range = {}) {
              if constexpr (requires { value.has_value(); }) {
                if (value) table.emplace_back(key, to_config(*value));
              } else {
                table.emplace_back(key, to_config(value));
              }
            });
  return table;
}

/// Throws UsageError if a number in `config`, or in one of its tables and lists, is outside the
/// range of its field or not finite. For configurations that a program has built: read_config has
/// already checked those that it read.
template <HasFields C>
void check_ranges(const C& config, std::string_view prefix);

namespace detail {
template <class T>
void check_ranges_of(const T& value, const std::string& name, const Range& range) {
  if constexpr (HasFields<T>) {
    check_ranges(value, name);
  } else if constexpr (std::same_as<T, std::int64_t> || std::same_as<T, double>) {
    check_range({value, "configuration"}, name, static_cast<double>(value), range);
  } else if constexpr (requires { value.has_value(); }) {
    if (value) check_ranges_of(*value, name, range);
  } else if constexpr (requires { typename T::mapped_type; }) {
    for (const auto& [key, item] : value) check_ranges_of(item, dotted(name, key), range);
  } else if constexpr (requires { typename T::value_type; } && !std::same_as<T, std::string>) {
    for (const auto& item : value) check_ranges_of(item, name, range);
  }
}
}  // namespace detail

template <HasFields C>
void check_ranges(const C& config, std::string_view prefix) {
  C::fields(config, [&](std::string_view key, const auto& value, std::string_view,
                        const Range& range = {}) {
    detail::check_ranges_of(value, detail::dotted(prefix, key), range);
  });
}

/// The name of a type in the documentation, e.g. "integer", "list of number".
template <class T>
std::string config_type_name() {
  if constexpr (std::same_as<T, bool>)
    return "true | false";
  else if constexpr (std::same_as<T, std::int64_t>)
    return "integer";
  else if constexpr (std::same_as<T, double>)
    return "number";
  else if constexpr (std::same_as<T, std::string>)
    return "text";
  else if constexpr (NamedEnum<T>) {
    std::string names;
    for (const auto& [name, value] : enum_names(T{}))
      names += (names.empty() ? "\"" : " | \"") + std::string(name) + "\"";
    return names;
  } else if constexpr (requires { typename T::mapped_type; })
    return "table of " + config_type_name<typename T::mapped_type>();
  else if constexpr (requires(T t) { t.has_value(); })
    return config_type_name<typename T::value_type>() + ", optional";
  else if constexpr (requires { typename T::value_type; })
    return "list of " + config_type_name<typename T::value_type>();
  else if constexpr (requires { T::config_type; })
    return std::string(T::config_type);
  else
    return "table";
}

/// Rows for every field of C, nested tables included, with the defaults of a fresh C.
template <HasFields C>
std::vector<FieldDoc> document_fields(std::string_view prefix = "") {
  std::vector<FieldDoc> rows;
  C defaults{};
  C::fields(defaults,
            [&]<class T>(std::string_view key, T& value, std::string_view meaning, Range = {}) {
              const std::string name = detail::dotted(prefix, key);
              if constexpr (HasFields<T>) {
                for (FieldDoc& row : document_fields<T>(name)) rows.push_back(std::move(row));
              } else if constexpr (requires { value.has_value(); }) {
                rows.push_back({name, config_type_name<T>(), "", std::string(meaning)});
              } else {
                rows.push_back({name, config_type_name<T>(), detail::toml_value(to_config(value)),
                                std::string(meaning)});
              }
            });
  return rows;
}

/// The former name of a key, or of a value of a key.
struct FormerName {
  std::string key, former_key;      ///< dotted; equal if only the value was renamed
  std::string value, former_value;  ///< empty if the key was renamed
};

/// All former names in C, nested tables included.
template <HasFields C>
std::vector<FormerName> former_names(std::string_view prefix = "") {
  std::vector<FormerName> names;
  for (const Renamed& r : renamed_keys_of<C>())
    names.push_back({detail::dotted(prefix, r.present), detail::dotted(prefix, r.former), "", ""});
  C defaults{};
  C::fields(defaults, [&]<class T>(std::string_view key, T& value, std::string_view, Range = {}) {
    const std::string name = detail::dotted(prefix, key);
    if constexpr (HasFields<T>) {
      for (FormerName& inner : former_names<T>(name)) names.push_back(std::move(inner));
    } else if constexpr (requires { renamed_values(value); }) {
      for (const Renamed& r : renamed_values(value))
        names.push_back({name, name, std::string(r.present), std::string(r.former)});
    }
  });
  return names;
}

}  // namespace lmrnn
