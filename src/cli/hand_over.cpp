#include "hand_over.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>

#include "lmrnn/error.hpp"

namespace lmrnn::cli {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> search_path() {
  std::vector<fs::path> folders;
  std::error_code ignored;
  // First next to this program: a wheel installs both into the same folder.
  if (const fs::path self = fs::read_symlink("/proc/self/exe", ignored); !self.empty())
    folders.push_back(self.parent_path());
  const char* path = std::getenv("PATH");
  const std::string text = path == nullptr ? "" : path;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(':', begin), text.size());
    if (end > begin) folders.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return folders;
}

std::optional<fs::path> find_command(const std::string& name) {
  for (const fs::path& folder : search_path())
    if (const fs::path candidate = folder / name; ::access(candidate.c_str(), X_OK) == 0)
      return candidate;
  return std::nullopt;
}

}  // namespace

void hand_over(const std::string& verb, const std::string& command, const std::string& extra,
               std::vector<std::string> words) {
  const std::optional<fs::path> found = find_command(command);
  if (!found)
    throw RunError(
        fmt::format("lmrnn {}: found no {} next to this program or on PATH; install the Python "
                    "package: pip install "
                    "'lmrnn[{}]'",
                    verb, command, extra));
  words.insert(words.begin(), found->string());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::fflush(nullptr);
  ::execv(arguments[0], arguments.data());
  throw RunError(fmt::format("lmrnn {}: {} cannot be run: {}", verb, found->string(),
                             std::generic_category().message(errno)));
}

}  // namespace lmrnn::cli
