#include <filesystem>
#include <system_error>

#include "lmrnn/wiring_paths.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;

/// The folder of the file that "studies/mine.toml:12" names; nothing for "--set" and the like.
fs::path folder_of(const std::string& where) {
  const std::size_t colon = where.rfind(".toml:");
  return colon == std::string::npos ? fs::path() : fs::path(where.substr(0, colon)).parent_path();
}

void find_file(std::string& path, const ConfigTable& table, std::string_view key) {
  const ConfigValue* value = find_key(table, key);
  const auto* text = value ? std::get_if<std::string>(&value->value) : nullptr;
  if (!text || *text != path || path.empty() || fs::path(path).is_absolute()) return;
  const fs::path folder = folder_of(value->where);
  if (folder.empty()) return;
  const fs::path there = (folder / path).lexically_normal();
  std::error_code error;
  if (!fs::exists(there, error) || fs::equivalent(there, path, error)) return;
  path = there.string();
}

}  // namespace

void find_mask_files(WiringConfig& wiring, const ConfigTable& table) {
  find_file(wiring.path, table, "path");
  if (wiring.excitatory_path) find_file(*wiring.excitatory_path, table, "excitatory_path");
  if (wiring.coordinates_path) find_file(*wiring.coordinates_path, table, "coordinates_path");
  if (wiring.types_path) find_file(*wiring.types_path, table, "types_path");
  if (wiring.weights_path) find_file(*wiring.weights_path, table, "weights_path");
  find_file(wiring.plastic.path, table, "plastic.path");
  find_file(wiring.initial.path, table, "initial.path");
}

}  // namespace lmrnn
