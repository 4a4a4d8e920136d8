#include "core/shared/descriptor.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "core/shared/atomic_write.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn {

Descriptor::Descriptor(const std::filesystem::path& path, int flags, unsigned mode) noexcept
    : value_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}

Descriptor::~Descriptor() {
  if (valid()) ::close(value_);
}

Descriptor::Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(value_, other.value_);
  return *this;
}

bool Descriptor::write(std::string_view text) const noexcept {
  while (!text.empty()) {
    const ssize_t n = ::write(value_, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool Descriptor::sync() const noexcept {
  return ::fsync(value_) == 0;
}

bool Descriptor::close() noexcept {
  return ::close(std::exchange(value_, -1)) == 0;
}

void sync_directory(const std::filesystem::path& directory) {
  const Descriptor descriptor(directory, O_RDONLY | O_DIRECTORY);
  // A directory that may be written but not read (EACCES), or a file system that does not sync
  // directories (EINVAL): the rename has happened, and nothing more can be done.
  if (descriptor.valid() ? descriptor.sync() : errno == EACCES) return;
  if (errno != EINVAL && errno != ENOTSUP) throw_write_error(directory, errno);
}

void make_directories(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error)
    throw RunError(directory.string() + ": cannot be made (" + error.message() +
                   "); choose another --out");
}

}  // namespace lmrnn
