// What every fuzz target needs: the input as a file, and the rule that all targets check.
//
// A reader may accept its input, or reject it with an Error (one message for the user). Everything
// else fails the target: another exception, a crash, a finding of the sanitizers, an allocation
// much larger than the input, a hang.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "lmrnn/error.hpp"

namespace lmrnn::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// A directory of this process, removed at the end.
inline const std::filesystem::path& scratch() {
  struct Directory {
    std::filesystem::path path;
    Directory() {
      std::string name = (std::filesystem::temp_directory_path() / "lmrnn-fuzz-XXXXXX").string();
      if (::mkdtemp(name.data()) == nullptr) std::abort();
      path = name;
    }
    ~Directory() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
  };
  static const Directory directory;
  return directory.path;
}

/// A file of this name and content. Plain stdio: no fsync, because this happens thousands of times
/// a second.
inline std::filesystem::path file_of(const std::string& name, std::string_view content) {
  const std::filesystem::path path = scratch() / name;
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr || std::fwrite(content.data(), 1, content.size(), file) != content.size())
    std::abort();
  std::fclose(file);
  return path;
}

[[noreturn]] inline void broken(std::string_view promise) {
  std::fprintf(stderr, "broken promise: %.*s\n", static_cast<int>(promise.size()), promise.data());
  std::abort();
}

/// Runs `read`; an Error with a message is as good as success. Returns whether it succeeded.
template <class Read>
bool accepts(Read read) {
  try {
    read();
    return true;
  } catch (const Error& error) {
    if (std::string_view(error.what()).empty()) broken("a refusal says why");
    return false;
  }
}

}  // namespace lmrnn::fuzz
