#include "study/hash.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "lmrnn/study.hpp"
#include "study/keys.hpp"

namespace lmrnn {

// FNV-1a (Fowler, Noll & Vo): enough to tell a few thousand configurations apart.
std::string hash_text(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const unsigned char c : text) hash = (hash ^ c) * 0x100000001b3u;
  return fmt::format("{:016x}", hash);
}

// Only what differs from the defaults, so that a key that later versions add changes no hash as
// long as its default is what this version does. A default that changes what it does is a change
// of numbers; the first line counts those.
std::string canonical_text(const RunConfig& config) {
  const auto keys = flatten(write_config(config));
  const auto defaults = flatten(write_config(RunConfig{}));
  std::vector<std::string> lines;
  for (const auto& [key, value] : keys) {
    const std::string text = detail::toml_value(value);
    const auto found =
        std::ranges::find(defaults, key, [](const auto& entry) { return entry.first; });
    if (found != defaults.end() && detail::toml_value(found->second) == text) continue;
    lines.push_back(key + " = " + text + "\n");
  }
  std::ranges::sort(lines);
  std::string out = "lmrnn run 1\n";
  for (const std::string& line : lines) out += line;
  return out;
}

std::string config_hash(const RunConfig& config) {
  return hash_text(canonical_text(config));
}

}  // namespace lmrnn
