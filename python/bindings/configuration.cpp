#include "configuration.hpp"

#include <fmt/core.h>

#include "bindings.hpp"
#include "lmrnn/run_config.hpp"

namespace lmrnn::python {
namespace {

ConfigValue to_value(nb::handle object, const std::string& key, const std::string& where);

ConfigList to_list(nb::handle sequence, const std::string& key, const std::string& where) {
  ConfigList list;
  for (const nb::handle item : nb::iter(sequence)) list.push_back(to_value(item, key, where));
  return list;
}

std::int64_t to_integer(nb::handle number, const std::string& key, const std::string& where) {
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
  if (overflow != 0) detail::number_too_large(where, key, nb::repr(number).c_str());
  return value;
}

// tasks = ["go", "anti"], as Battery takes them, is tasks = "go,anti" of a configuration.
bool names_tasks(nb::handle sequence, const std::string& key) {
  if (key != "tasks" && !key.ends_with(".tasks")) return false;
  for (const nb::handle item : nb::iter(sequence))
    if (!PyUnicode_Check(item.ptr())) return false;
  return nb::len(sequence) > 0;
}

ConfigValue to_value(nb::handle object, const std::string& key, const std::string& where) {
  PyObject* p = object.ptr();
  if (PyBool_Check(p)) return {p == Py_True, where};
  if (PyLong_Check(p)) return {to_integer(object, key, where), where};
  if (PyFloat_Check(p)) return {nb::cast<double>(object), where};
  if (PyUnicode_Check(p)) return {nb::cast<std::string>(object), where};
  if (nb::hasattr(object, "__fspath__")) return {nb::cast<std::string>(nb::str(object)), where};
  if (nb::hasattr(object, "items")) return {to_table(object, where), where};
  if (nb::hasattr(object, "tolist")) return to_value(object.attr("tolist")(), key, where);  // NumPy
  if ((PyList_Check(p) || PyTuple_Check(p)) && names_tasks(object, key))
    return {nb::cast<std::string>(nb::str(",").attr("join")(object)), where};
  if (PyList_Check(p) || PyTuple_Check(p)) return {to_list(object, key, where), where};
  throw nb::type_error(fmt::format("{}: a value of type {} cannot be part of a configuration",
                                   where, nb::cast<std::string>(object.type().attr("__name__")))
                           .c_str());
}

nb::object to_object(const ConfigValue& value) {
  return std::visit(
      []<class T>(const T& x) -> nb::object {
        if constexpr (std::same_as<T, ConfigTable>) {
          return to_dict(x);
        } else if constexpr (std::same_as<T, ConfigList>) {
          nb::list list;
          for (const ConfigValue& item : x) list.append(to_object(item));
          return list;
        } else {
          return nb::cast(x);
        }
      },
      value.value);
}

// A TOML file or a mapping, then overrides by dotted key.
ConfigTable read(const nb::object& config, const nb::dict& overrides) {
  const bool is_path = nb::isinstance<nb::str>(config) || nb::hasattr(config, "__fspath__");
  ConfigTable table =
      is_path ? read_toml(nb::cast<std::string>(nb::str(config))) : to_table(config, "config");
  for (auto& [key, value] : to_table(overrides, "overrides"))
    assign_key(table, key, std::move(value));
  return table;
}

}  // namespace

ConfigTable to_table(nb::handle mapping, const std::string& where) {
  ConfigTable table;
  for (const nb::handle item : nb::iter(mapping.attr("items")())) {
    const nb::handle value = item[1];
    if (value.is_none()) continue;
    const auto key = nb::cast<std::string>(nb::str(nb::object(item[0])));
    table.emplace_back(key, to_value(value, key, where));
  }
  return table;
}

nb::dict to_dict(const ConfigTable& table) {
  nb::dict dict;
  for (const auto& [key, value] : table) dict[key.c_str()] = to_object(value);
  return dict;
}

void bind_configuration(nb::module_& m) {
  m.def(
      "resolve_config",
      [](const nb::object& config, const nb::dict& overrides) {
        return to_dict(write_config(resolve_config(read(config, overrides))));
      },
      "config"_a, "overrides"_a = nb::dict(),
      "The whole configuration of a run, defaults of its recipe included, as nested "
      "dictionaries.\n\n"
      "`config` is a TOML file or a mapping; `overrides` maps dotted keys, such as\n"
      "\"wiring.radius\", to values. Raises UsageError for unknown keys and impossible values.");
  m.def(
      "resolve_config_for",
      [](const nb::object& config, const nb::dict& overrides, const std::string& source) {
        ConfigTable table = read(config, overrides);
        const ConfigValue* named = find_key(table, "source");
        const auto* text = named ? std::get_if<std::string>(&named->value) : nullptr;
        if (named == nullptr || (text && text->empty()))
          assign_key(table, "source", {source, "data"});
        return to_dict(write_config(resolve_config(table)));
      },
      "config"_a, "overrides"_a, "source"_a,
      "The same for custom data of this name, which the configuration need not repeat.");
  m.def(
      "batch_rows",
      [](const nb::object& config, std::int64_t step) {
        return batch_rows(resolve_config(read(config, nb::dict())), step);
      },
      "config"_a, "step"_a,
      "Rows of the batch of step `step`, from 0: more from step to step if `stream.grow_from` is "
      "set.");
  m.def(
      "to_toml", [](const nb::dict& config) { return to_toml(to_table(config, "config")); },
      "config"_a, "The configuration as TOML text.");
  m.def("config_reference", &config_reference,
        "A Markdown table of every key of a configuration: type, default and meaning.");
}

}  // namespace lmrnn::python
