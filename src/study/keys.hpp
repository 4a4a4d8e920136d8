// Tables of keys: how the parts of a study file are laid over one another.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lmrnn/config.hpp"

namespace lmrnn {

/// Writes the keys of a run in `over` into `base`, table by table, by the names that they have now.
void overlay(ConfigTable& base, const ConfigTable& over);

/// The leaves of nested tables, with dotted keys, in order.
std::vector<std::pair<std::string, ConfigValue>> flatten(const ConfigTable& table);

/// A value as the name of a level: text without quotes, numbers in short (0.001, 4), lists joined.
std::string level_text(const ConfigValue& value);

/// `text` with everything but letters, digits, dot, plus and minus made an underscore.
std::string file_name_part(const std::string& text);

}  // namespace lmrnn
