#include "study/hash.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <mutex>
#include <tuple>

#include "core/shared/sha256.hpp"
#include "core/shared/text.hpp"
#include "lmrnn/run.hpp"
#include "lmrnn/study.hpp"
#include "study/keys.hpp"

namespace lmrnn {

// FNV-1a (Fowler, Noll & Vo): enough to tell a few thousand configurations apart.
std::string hash_text(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const unsigned char c : text) hash = (hash ^ c) * 0x100000001b3u;
  return fmt::format("{:016x}", hash);
}

namespace {

/// What a file is now, as far as the file system tells: it changes with the content.
using FileState = std::tuple<dev_t, ino_t, off_t, std::int64_t, std::int64_t>;

std::int64_t nanoseconds(const timespec& t) {
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

/// A plan asks for the same few files thousands of times, every two seconds.
std::string content_of(const std::filesystem::path& path) {
  static std::mutex mutex;
  static std::map<FileState, std::string> known;
  struct stat s {};
  timespec now{};
  if (::stat(path.c_str(), &s) != 0 || ::clock_gettime(CLOCK_REALTIME, &now) != 0)
    return sha256_of_file(path);  // says what is wrong
  const FileState state{s.st_dev, s.st_ino, s.st_size, nanoseconds(s.st_mtim),
                        nanoseconds(s.st_ctim)};
  const std::lock_guard lock(mutex);
  if (const auto found = known.find(state); found != known.end()) return found->second;
  std::string content = sha256_of_file(path);
  // Clocks of file systems tick slowly: a file as new as this may change without a trace.
  constexpr std::int64_t new_for = 2'000'000'000;
  if (nanoseconds(now) - nanoseconds(s.st_ctim) > new_for) known.emplace(state, content);
  return content;
}

// What a file holds, not where it is: the same file elsewhere is the same run, another file in its
// place is not. The ending of its name says how to read it.
std::map<std::string, std::string> input_lines(const RunConfig& config) {
  std::map<std::string, std::string> lines;
  for (const InputPath& input : input_paths(config))
    lines[input.key] =
        fmt::format("{} holds {} {}\n", input.key, ending_of(input.path), content_of(input.path));
  return lines;
}

// Hashes are made of the names that keys and values had first, so that renaming changes none.
std::vector<std::pair<std::string, std::string>> formerly(
    std::vector<std::pair<std::string, ConfigValue>> keys) {
  static const std::vector<FormerName> renamed = former_names<RunConfig>();
  std::vector<std::pair<std::string, std::string>> out;
  for (auto& [key, value] : keys) {
    std::string name = key;
    for (const FormerName& r : renamed) {
      if (r.key != key) continue;
      name = r.former_key;
      const auto* text = std::get_if<std::string>(&value.value);
      if (text && !r.value.empty() && *text == r.value) value.value = r.former_value;
    }
    out.emplace_back(name, detail::toml_value(value));
  }
  return out;
}

}  // namespace

// Only what differs from the defaults, so that a key that later versions add changes no hash as
// long as its default is what this version does. A default that changes what it does is a change
// of numbers; the first line counts those.
std::string canonical_text(const RunConfig& config) {
  const auto keys = formerly(flatten(write_config(config)));
  const auto defaults = formerly(flatten(write_config(RunConfig{})));
  const auto inputs = input_lines(config);
  std::vector<std::string> lines;
  for (const auto& [key, text] : keys) {
    if (const auto input = inputs.find(key); input != inputs.end()) {
      lines.push_back(input->second);
      continue;
    }
    const auto found =
        std::ranges::find(defaults, key, [](const auto& entry) { return entry.first; });
    if (found != defaults.end() && found->second == text) continue;
    lines.push_back(key + " = " + text + "\n");
  }
  std::ranges::sort(lines);
  std::string out = "lmrnn run 1\n";
  for (const std::string& line : lines) out += line;
  return out;
}

std::string first_run_hash(const RunConfig& config, std::optional<std::int64_t> keep_weights_at) {
  std::string text = canonical_text(config);
  if (keep_weights_at) text += fmt::format("keeps {}\n", *keep_weights_at);
  return hash_text(text);
}

std::string config_hash(const RunConfig& config) {
  return hash_text(canonical_text(config));
}

}  // namespace lmrnn
