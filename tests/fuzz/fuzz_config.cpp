// TOML text as the configuration of a run.
#include "lmrnn/run_config.hpp"
#include "lmrnn/tasks.hpp"
#include "target.hpp"

using namespace lmrnn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::accepts([&] {
    const ConfigTable table = parse_toml(fuzz::text_of(data, size), "fuzz.toml");
    const std::string written = to_toml(table);
    if (to_toml(parse_toml(written, "written.toml")) != written)
      fuzz::broken("what is written reads back to the same table");
    fuzz::accepts([&] {
      const RunConfig config = resolve_config(table);
      const std::string resolved = to_toml(write_config(config));
      if (to_toml(write_config(resolve_config(parse_toml(resolved, "resolved.toml")))) != resolved)
        fuzz::broken("a resolved configuration resolves to itself");
    });
  });
  return 0;
}
