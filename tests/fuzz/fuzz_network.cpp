// A network file from the text of its header, up to the first NUL, and its data. The length of the
// header is corrected, so that fuzzing gets past the checks of the container. Read as a network,
// and as the state of a training.
#include <cstring>

#include "lmrnn/network.hpp"
#include "target.hpp"
#include "train/checkpoint.hpp"

using namespace lmrnn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = fuzz::text_of(data, size);
  const std::size_t end = std::min(input.find('\0'), size);
  const std::uint64_t header_size = end;
  std::string content(sizeof header_size, '\0');
  std::memcpy(content.data(), &header_size, sizeof header_size);
  content += input.substr(0, end);
  content += input.substr(std::min(end + 1, size));
  const auto path = fuzz::file_of("state.safetensors", content);
  fuzz::accepts([&] {
    const LoadedNetwork loaded = load_network(path);
    save_network(fuzz::scratch() / "again.safetensors", loaded.network, loaded.metadata);
    const LoadedNetwork again = load_network(fuzz::scratch() / "again.safetensors");
    if (again.metadata != loaded.metadata) fuzz::broken("a network reads back");
  });
  for (const bool averaged : {false, true})
    fuzz::accepts([&] { load_state(fuzz::scratch(), 3, 1, true, averaged, averaged); });
  return 0;
}
