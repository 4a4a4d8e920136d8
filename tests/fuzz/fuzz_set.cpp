// --set key=value, one per line, on a configuration with a few tables.
#include "lmrnn/run_config.hpp"
#include "lmrnn/tasks.hpp"
#include "target.hpp"

using namespace lmrnn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ConfigTable table = parse_toml("seed = 1\n[wiring]\nrows = 4\ncols = 4\nradius = 1\n", "base");
  std::string_view rest = fuzz::text_of(data, size);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    fuzz::accepts([&] { assign_key(table, rest.substr(0, end)); });
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  fuzz::accepts([&] { resolve_config(table); });
  fuzz::accepts([&] { parse_toml(to_toml(table), "written.toml"); });
  return 0;
}
