// A run directory whose provenance.json (up to the first NUL) and metrics.csv may have been edited.
#include <sys/stat.h>

#include "core/shared/text.hpp"
#include "lmrnn/run.hpp"
#include "target.hpp"
#include "train/run_directory.hpp"
#include "train/step_table.hpp"

using namespace lmrnn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = fuzz::text_of(data, size);
  const std::size_t end = std::min(input.find('\0'), size);
  fuzz::file_of("config.toml", "seed = 1\n[battery]\ntasks = \"go\"\n");
  fuzz::file_of("provenance.json", input.substr(0, end));
  fuzz::accepts([&] { add_session(fuzz::scratch(), 3, 1); });
  fuzz::accepts([&] { open_run(fuzz::scratch()); });
  const auto table = fuzz::file_of("metrics.csv", input.substr(std::min(end + 1, size)));
  fuzz::accepts([&] {
    StepTable metrics(table, "step,trials,seconds", {"step,trials,time", "step,trials"}, 5);
    split(metrics.last_row(), ',');
    metrics.append("6,1,1");
  });
  return 0;
}
