#include "lmrnn/zoo.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "core/shared/text.hpp"
#include "lmrnn/error.hpp"

// Only this file uses paths of the build: objects with such paths cannot be reused by other
// checkouts.
#ifndef LMRNN_ZOO_SOURCE
#define LMRNN_ZOO_SOURCE ""
#endif
#ifndef LMRNN_ZOO_INSTALLED
#define LMRNN_ZOO_INSTALLED ""
#endif

namespace lmrnn {
namespace {

namespace fs = std::filesystem;

fs::path& named_folder() {
  static fs::path folder;
  return folder;
}

// Next to the running program: the prefix of cmake --install, or the environment of a wheel.
std::vector<fs::path> places_near_program() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const fs::path prefix = program.parent_path().parent_path();
  // auditwheel moves the program of a wheel into site-packages/lmrnn.scripts.
  std::vector<fs::path> places = {prefix / "share/lmrnn/zoo", prefix / "lmrnn/_zoo"};
  for (const char* lib : {"lib", "lib64"})
    for (fs::directory_iterator entry(prefix / lib, error), end; !error && entry != end;
         entry.increment(error))
      if (entry->path().filename().string().starts_with("python3"))
        places.push_back(entry->path() / "site-packages/lmrnn/_zoo");
  return places;
}

std::vector<fs::path> places() {
  std::vector<fs::path> all = {named_folder()};
  std::ranges::move(places_near_program(), std::back_inserter(all));
  all.insert(all.end(), {LMRNN_ZOO_SOURCE, LMRNN_ZOO_INSTALLED});
  std::erase(all, fs::path());
  return all;
}

}  // namespace

void use_zoo(const fs::path& folder) {
  named_folder() = folder;
}

fs::path zoo_folder() {
  std::error_code error;
  std::vector<std::string> looked;
  for (const fs::path& place : places()) {
    if (fs::exists(place / "index.json", error)) return place;
    looked.push_back(place.string());
  }
  throw UsageError(fmt::format(
      "the zoo of trained networks is not installed here (looked in {}); install lmrnn whole, or "
      "run the program of a source tree",
      fmt::join(looked, ", ")));
}

std::vector<std::string> zoo_names() {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(zoo_folder(), error))
    if (fs::exists(entry.path() / "provenance.json", error))
      names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

bool is_in_zoo(const fs::path& path) {
  return path.native().starts_with(zoo_prefix);
}

fs::path resolve_zoo(const fs::path& path) {
  if (!is_in_zoo(path)) return path;
  const std::string name = path.string().substr(zoo_prefix.size());
  const std::vector<std::string> names = zoo_names();
  if (std::ranges::find(names, name) != names.end()) return zoo_folder() / name;
  throw UsageError(
      fmt::format("zoo:{}: there is no such network; there are: {}", name, fmt::join(names, ", ")));
}

fs::path output_folder(const fs::path& run) {
  return is_in_zoo(run) ? fs::path("runs") / run.string().substr(zoo_prefix.size()) : run;
}

}  // namespace lmrnn
