#include "core/shared/atomic_write.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include "core/shared/descriptor.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"

namespace lmrnn {
namespace {

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

/// Removes the file at the end, unless renamed() was called.
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

}  // namespace

void throw_write_error(const std::filesystem::path& path, int error_number) {
  throw RunError(path.string() + ": cannot be written (" +
                 std::generic_category().message(error_number) + "); " + remedy(error_number));
}

std::string temporary_suffix() {
  static std::atomic<std::uint64_t> n_given{0};
  return ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(n_given++);
}

void write_atomically(const std::filesystem::path& path,
                      const std::function<void(const std::filesystem::path& temporary)>& write) {
  TemporaryFile temporary(path.string() + temporary_suffix());
  // Open it first, so that every writer reports the plain reason (no such directory, no
  // permission).
  if (!Descriptor(temporary.path(), O_WRONLY | O_CREAT | O_TRUNC).valid())
    throw_write_error(path, errno);
  write(temporary.path());
  {
    // Opened again, because libzip replaces the file that it was given by a new one.
    Descriptor file(temporary.path(), O_RDONLY);
    if (!file.valid() || !file.sync() || !file.close()) throw_write_error(path, errno);
  }
  if (::rename(temporary.path().c_str(), path.c_str()) != 0) throw_write_error(path, errno);
  temporary.renamed();
  sync_directory(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

void write_file(const std::filesystem::path& path, std::string_view content) {
  write_atomically(path, [&](const std::filesystem::path& temporary) {
    Descriptor file(temporary, O_WRONLY);
    if (!file.valid() || !file.write(content) || !file.close()) throw_write_error(path, errno);
  });
}

}  // namespace lmrnn
