// HDF5 datasets and text attributes.
#include "lmrnn/files.hpp"
#include "target.hpp"

using namespace lmrnn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto path = fuzz::file_of("fuzz.h5", fuzz::text_of(data, size));
  fuzz::accepts([&] {
    for (const auto& [name, array] : read_hdf5(path).arrays) array.to_doubles();
  });
  return 0;
}
