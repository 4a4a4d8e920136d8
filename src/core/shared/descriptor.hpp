// File descriptors and directories, because std::fstream does not report errors well enough.
#pragma once

#include <filesystem>
#include <string_view>

namespace lmrnn {

/// A file descriptor that closes itself. What can fail returns false and sets errno.
class Descriptor {
 public:
  Descriptor() noexcept = default;
  /// Opens `path`; `valid` tells whether it did. Programs that this process starts do not inherit
  /// it. A new file gets the permissions `mode`, less those that the user's umask takes away.
  Descriptor(const std::filesystem::path& path, int flags, unsigned mode = 0666) noexcept;
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;

  bool valid() const noexcept { return value_ >= 0; }
  int get() const noexcept { return value_; }
  /// Writes the whole text, in as many calls as it takes.
  bool write(std::string_view text) const noexcept;
  bool sync() const noexcept;
  /// Some file systems (NFS, quotas) report a failed write only here.
  bool close() noexcept;

 private:
  int value_ = -1;
};

/// Makes sure that renames within `directory` survive a loss of power. Throws RunError.
void sync_directory(const std::filesystem::path& directory);

/// Makes a directory and its parents, unless they exist. Throws RunError.
void make_directories(const std::filesystem::path& directory);

}  // namespace lmrnn
