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

/// The identity and state of a file in the file system, which changes when the content is written.
using FileState = std::tuple<dev_t, ino_t, off_t, std::int64_t, std::int64_t>;

std::int64_t nanoseconds(const timespec& t) {
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

/// Hashes are cached, because planning asks for the same few files thousands of times, and a
/// running study plans again every two seconds.
std::string content_of(const std::filesystem::path& path) {
  static std::mutex mutex;
  static std::map<FileState, std::string> known;
  struct stat s {};
  timespec now{};
  if (::stat(path.c_str(), &s) != 0 || ::clock_gettime(CLOCK_REALTIME, &now) != 0)
    return sha256_of_file(path);  // throws the error of reading it
  const FileState state{s.st_dev, s.st_ino, s.st_size, nanoseconds(s.st_mtim),
                        nanoseconds(s.st_ctim)};
  const std::lock_guard lock(mutex);
  if (const auto found = known.find(state); found != known.end()) return found->second;
  std::string content = sha256_of_file(path);
  // Time stamps of file systems are coarse: a file written less than 2 s ago may change again
  // without a new time stamp, so its hash is not cached.
  constexpr std::int64_t new_for = 2'000'000'000;
  if (nanoseconds(now) - nanoseconds(s.st_ctim) > new_for) known.emplace(state, content);
  return content;
}

// Inputs are identified by content and not by path: the same file elsewhere is the same run,
// another file at the same path is a different run. The file name's ending counts, too, because it
// says how to read the file.
std::map<std::string, std::string> input_lines(const RunConfig& config) {
  std::map<std::string, std::string> lines;
  for (const InputPath& input : input_paths(config))
    lines[input.key] =
        fmt::format("{} holds {} {}\n", input.key, ending_of(input.path), content_of(input.path));
  return lines;
}

// Hashes use the first names of keys and values, so that renaming a key changes no hash.
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

// Lists only what differs from the defaults, so that a key that a later version adds changes no
// hash, as long as its default keeps today's behaviour. A default that changes the behaviour
// changes numbers; the first line has a count of such changes.
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
