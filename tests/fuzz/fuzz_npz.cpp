// npz (a zip of npy members), and npy alone.
#include "lmrnn/files.hpp"
#include "target.hpp"

using namespace lmrnn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view content = fuzz::text_of(data, size);
  const bool is_npy = content.starts_with("\x93NUMPY");
  const auto path = fuzz::file_of(is_npy ? "fuzz.npy" : "fuzz.npz", content);
  fuzz::accepts([&] {
    for (const auto& [name, array] : read_arrays(path).arrays) array.to_doubles();
  });
  return 0;
}
