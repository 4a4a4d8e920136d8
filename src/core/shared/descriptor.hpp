// File descriptors and directories, where the streams of the standard library tell too little.
#pragma once

#include <filesystem>
#include <string_view>

namespace lmrnn {

/// A file descriptor that closes itself. What can fail says so and leaves its reason in errno.
class Descriptor {
 public:
  Descriptor() noexcept = default;
  /// Opens `path`, or not: see `valid`. A process that this one starts does not inherit it. A new
  /// file gets the permissions `mode`, less those that the user's umask takes away.
  Descriptor(const std::filesystem::path& path, int flags, unsigned mode = 0666) noexcept;
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;

  bool valid() const noexcept { return value_ >= 0; }
  int get() const noexcept { return value_; }
  /// All of the text, however many calls it takes.
  bool write(std::string_view text) const noexcept;
  bool sync() const noexcept;
  /// Some file systems (NFS, quotas) report a failed write only here.
  bool close() noexcept;

 private:
  int value_ = -1;
};

/// What has been renamed within `directory` survives a loss of power. Throws RunError.
void sync_directory(const std::filesystem::path& directory);

/// Makes a directory and those that it lies in, unless they are there. Throws RunError.
void make_directories(const std::filesystem::path& directory);

}  // namespace lmrnn
