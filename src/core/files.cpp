#include "lmrnn/files.hpp"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include "core/npy.hpp"
#include "core/shared/text.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn {

const ArrayData* ArrayFile::find(std::string_view name) const noexcept {
  for (const auto& [key, data] : arrays)
    if (key == name) return &data;
  return nullptr;
}

const ArrayData& ArrayFile::at(std::string_view name, const std::filesystem::path& path) const {
  if (const ArrayData* data = find(name)) return *data;
  std::string list;
  std::vector<std::string> known;
  for (const auto& [key, data] : arrays) {
    list += (list.empty() ? "" : ", ") + key;
    known.push_back(key);
  }
  throw UsageError(path.string() + ": no array of numbers is named \"" + std::string(name) +
                   "\"; there " + (arrays.empty() ? "are none" : "is " + list) +
                   did_you_mean(name, known));
}

std::string read_file(const std::filesystem::path& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  std::string content;
  int error_number = file ? 0 : errno;
  if (file) {
    // Read until the end instead of asking for the size first: pipes have no size.
    char chunk[1 << 16];
    while (const std::size_t n = std::fread(chunk, 1, sizeof chunk, file.get()))
      content.append(chunk, n);
    if (std::ferror(file.get())) error_number = errno;
  }
  if (error_number)
    throw UsageError(path.string() + ": cannot be read (" +
                     std::generic_category().message(error_number) +
                     "); give the path of a readable file");
  return content;
}

ArrayFile read_arrays(const std::filesystem::path& path) {
  const std::string ending = ending_of(path);
  if (ending == "npz") return read_npz(path);
  if (ending == "npy") return read_npy(path);
  if (ending == "safetensors") return read_safetensors(path);
  throw UsageError(path.string() + ": the core reads .npz, .npy and .safetensors; convert it: " +
                   "python -m lmrnn.wirings convert " + path.string() + " " +
                   std::filesystem::path(path).replace_extension(".npz").string());
}

void write_arrays(const std::filesystem::path& path, const ArrayFile& file) {
  const std::string ending = ending_of(path);
  if (ending == "npz") return write_npz(path, file);
  if (ending == "h5" || ending == "hdf5") return write_hdf5(path, file);
  if (ending == "safetensors") return write_safetensors(path, file);
  throw UsageError(path.string() +
                   ": unknown file format; end the name in .npz, .h5, .hdf5 or .safetensors");
}

}  // namespace lmrnn
