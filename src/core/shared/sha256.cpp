#include "core/shared/sha256.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/types.h>
// Must come after the types that it uses without including them.
#include <sha2.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/shared/descriptor.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

class Sha256 {
 public:
  Sha256() { SHA256Init(&state_); }

  void add(std::string_view bytes) {
    SHA256Update(&state_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }

  std::string digits() {
    std::array<char, SHA256_DIGEST_STRING_LENGTH> text;
    SHA256End(&state_, text.data());
    return text.data();
  }

 private:
  SHA2_CTX state_;
};

}  // namespace

std::string sha256(std::string_view text) {
  Sha256 hash;
  hash.add(text);
  return hash.digits();
}

std::string sha256_of_file(const std::filesystem::path& path) {
  const auto refuse = [&](const std::string& why) {
    throw UsageError(fmt::format("{}: cannot be read ({}); give the path of a readable file",
                                 path.string(), why));
  };
  // Reading would use up a pipe, and may never end for a device.
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    refuse(error ? error.message() : "not a regular file");
  const Descriptor file(path, O_RDONLY);
  if (!file.valid()) refuse(std::strerror(errno));
  Sha256 hash;
  std::vector<char> piece(1 << 16);
  for (;;) {
    const ssize_t n = ::read(file.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) refuse(std::strerror(errno));
    if (n == 0) return hash.digits();
    hash.add({piece.data(), static_cast<std::size_t>(n)});
  }
}

}  // namespace lmrnn
