// SHA-256 (FIPS 180-4, by libmd) of texts and files; the digits are those of `sha256sum FILE`.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace lmrnn {

/// 64 hexadecimal digits.
std::string sha256(std::string_view text);

/// Of a file's content, read piece by piece. Throws UsageError if it is not a regular file that can
/// be read.
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace lmrnn
