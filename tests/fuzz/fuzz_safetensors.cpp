// The raw bytes of a safetensors file, including the length of the header.
#include "lmrnn/files.hpp"
#include "target.hpp"

using namespace lmrnn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto path = fuzz::file_of("fuzz.safetensors", fuzz::text_of(data, size));
  fuzz::accepts([&] {
    const ArrayFile file = read_safetensors(path);
    std::size_t n_bytes = 0;
    for (const auto& [name, array] : file.arrays) n_bytes += array.bytes.size();
    if (n_bytes > 2 * size) fuzz::broken("arrays take at most twice the file");
    for (const auto& [name, array] : file.arrays) array.to_doubles();
  });
  return 0;
}
