// Replaces a file completely or not at all.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace lmrnn {

/// ".tmp-PROCESS-N", the end of a temporary name. No two calls give the same, so threads that write
/// the same file do not write into each other's temporary file.
std::string temporary_suffix();

/// Calls `write` with the name of a temporary file in the directory of `path`; when it returns,
/// syncs that file, renames it over `path` and syncs the directory. If anything throws or fails,
/// the temporary file is removed and `path` is as it was. Of several threads that write the same
/// file, the last one to rename wins. System errors are RunError.
void write_atomically(const std::filesystem::path& path,
                      const std::function<void(const std::filesystem::path& temporary)>& write);

/// "PATH: cannot be written (No space left on device); REMEDY" for an errno.
[[noreturn]] void throw_write_error(const std::filesystem::path& path, int error_number);

}  // namespace lmrnn
