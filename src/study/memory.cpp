#include "study/memory.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

namespace lmrnn {
namespace {

constexpr double unlimited = std::numeric_limits<double>::infinity();

double number_in(const std::filesystem::path& file) {
  std::ifstream in(file);
  double bytes = unlimited;
  if (!(in >> bytes)) return unlimited;  // "max", or no such file
  return bytes;
}

double kernel_available() {
  std::ifstream in("/proc/meminfo");
  for (std::string key; in >> key;) {
    double kilobytes = 0;
    if (key == "MemAvailable:" && in >> kilobytes) return 1024 * kilobytes;
    in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return unlimited;
}

// The line "0::/user.slice/..." of version 2; limits of every level above apply, too.
double control_group_left() {
  std::ifstream in("/proc/self/cgroup");
  double left = unlimited;
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("0::/")) continue;
    const std::filesystem::path root = "/sys/fs/cgroup";
    for (std::filesystem::path group = root / line.substr(4);; group = group.parent_path()) {
      const double limit = number_in(group / "memory.max");
      if (limit < unlimited) left = std::min(left, limit - number_in(group / "memory.current"));
      if (group == root || group == group.root_path()) break;
    }
  }
  return left;
}

}  // namespace

double available_memory() {
  return std::max(0.0, std::min(kernel_available(), control_group_left()));
}

}  // namespace lmrnn
