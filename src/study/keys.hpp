// Tables of keys: how the parts of a study file are laid over one another.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lmrnn/config.hpp"

namespace lmrnn {

/// Copies the keys of a run from `over` to `base`, table by table, under their present names.
void overlay(ConfigTable& base, const ConfigTable& over);

/// The leaves of nested tables, with dotted keys, in order.
std::vector<std::pair<std::string, ConfigValue>> flatten(const ConfigTable& table);

/// A value as the name of a level: text without quotes, short numbers (0.001, 4), joined lists.
std::string level_text(const ConfigValue& value);

/// `text` with an underscore for everything but letters, digits, dot, plus and minus.
std::string file_name_part(const std::string& text);

}  // namespace lmrnn
