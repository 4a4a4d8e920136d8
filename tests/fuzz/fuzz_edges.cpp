// A CSV edge list as the wiring of a sheet of 4 x 4 units.
#include "lmrnn/wiring.hpp"
#include "target.hpp"

using namespace lmrnn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  WiringConfig config;
  config.kind = WiringKind::file;
  config.rows = config.cols = 4;
  config.path = fuzz::file_of("fuzz.csv", fuzz::text_of(data, size));
  fuzz::accepts([&] {
    const Mask mask = make_mask(config, Seed{1});
    if (mask.n_targets() != 16 || mask.n_synapses() > 256) fuzz::broken("the mask fits the sheet");
    mask_statistics(mask, config.sheet());
  });
  return 0;
}
