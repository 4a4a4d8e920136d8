// Python dictionaries as configurations, and back.
#pragma once

#include <nanobind/nanobind.h>

#include <string>
#include <string_view>

#include "lmrnn/config.hpp"

namespace lmrnn::python {

namespace nb = nanobind;

/// A table from a mapping: bool, int, float, str, path, list, tuple, dict and NumPy scalars. None
/// stands for an absent key. Messages name `where`.
ConfigTable to_table(nb::handle mapping, const std::string& where);

nb::dict to_dict(const ConfigTable& table);

/// Keyword arguments as a config struct: every field of C is a keyword.
template <HasFields C>
C from_keywords(const nb::kwargs& keywords, const std::string& where) {
  C config{};
  read_config(config, to_table(keywords, where));
  return config;
}

/// "keyword : type, default -- meaning" for every field of C, for docstrings.
template <HasFields C>
std::string keyword_list() {
  std::string text;
  for (const FieldDoc& row : document_fields<C>())
    text += row.key + " : " + row.type + (row.fallback.empty() ? "" : ", default " + row.fallback) +
            "\n    " + row.meaning + "\n";
  return text;
}

}  // namespace lmrnn::python
