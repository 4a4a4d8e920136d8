#include "core/atomic_write.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <system_error>
#include <utility>

#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"

namespace lmrnn {
namespace {

/// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags)
      : value_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  explicit operator bool() const noexcept { return value_ >= 0; }
  int get() const noexcept { return value_; }
  /// Some file systems (NFS, quotas) report a failed write only here.
  bool close() noexcept { return ::close(std::exchange(value_, -1)) == 0; }

 private:
  int value_;
};

std::string remedy(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return "free some space or write elsewhere";
    case ENOENT:
      return "create the directory first";
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
      return "give another file name";
    case EACCES:
    case EPERM:
    case EROFS:
      return "write where you have permission to";
    default:
      return "check the disk or write elsewhere";
  }
}

/// Removes the file unless told that it has been renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::filesystem::path path) : path_(std::move(path)) {}
  ~TemporaryFile() {
    if (renamed_) return;
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  void renamed() noexcept { renamed_ = true; }

 private:
  std::filesystem::path path_;
  bool renamed_ = false;
};

void sync_directory(const std::filesystem::path& directory) {
  const Descriptor descriptor(directory, O_RDONLY | O_DIRECTORY);
  // A directory that may be written but not read, or a file system that does not sync directories
  // (EINVAL): the rename has happened, and nothing more can be done for it.
  if (descriptor && ::fsync(descriptor.get()) != 0 && errno != EINVAL && errno != ENOTSUP)
    throw_write_error(directory, errno);
}

}  // namespace

void throw_write_error(const std::filesystem::path& path, int error_number) {
  throw RunError(path.string() + ": cannot be written (" +
                 std::generic_category().message(error_number) + "); " + remedy(error_number));
}

void write_atomically(const std::filesystem::path& path,
                      const std::function<void(const std::filesystem::path& temporary)>& write) {
  TemporaryFile temporary(path.string() + ".tmp-" + std::to_string(::getpid()));
  // Opening first gives the plain reason (no such directory, no permission) whoever writes.
  if (!Descriptor(temporary.path(), O_WRONLY | O_CREAT | O_TRUNC)) throw_write_error(path, errno);
  write(temporary.path());
  {
    // Opened again, as libzip puts a new file in the place of the one that it was given.
    Descriptor file(temporary.path(), O_RDONLY);
    if (!file || ::fsync(file.get()) != 0 || !file.close()) throw_write_error(path, errno);
  }
  if (::rename(temporary.path().c_str(), path.c_str()) != 0) throw_write_error(path, errno);
  temporary.renamed();
  sync_directory(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

void write_file(const std::filesystem::path& path, std::span<const std::byte> content) {
  write_atomically(path, [&](const std::filesystem::path& temporary) {
    Descriptor file(temporary, O_WRONLY);
    if (!file) throw_write_error(path, errno);
    while (!content.empty()) {
      const ssize_t n = ::write(file.get(), content.data(), content.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw_write_error(path, errno);
      content = content.subspan(static_cast<std::size_t>(n));
    }
    if (!file.close()) throw_write_error(path, errno);
  });
}

void write_file(const std::filesystem::path& path, std::string_view content) {
  write_file(path, std::as_bytes(std::span(content.data(), content.size())));
}

}  // namespace lmrnn
