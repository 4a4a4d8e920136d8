// npz: a zip archive of npy files (numpy.savez).
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include <cerrno>
#include <filesystem>
#include <list>
#include <memory>

#include "core/elements.hpp"
#include "core/npy.hpp"
#include "core/shared/atomic_write.hpp"
#include "core/shared/descriptor.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"

namespace lmrnn {
namespace {

constexpr std::string_view ending = ".npy";

// Deflate cannot compress by more than this (zlib's technical notes); a larger claim is damage.
constexpr std::uint64_t largest_ratio = 1032;

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using Archive = std::unique_ptr<zip_t, Discard>;
using Member = std::unique_ptr<zip_file_t, Discard>;

std::string reason(int zip_error_code) {
  zip_error_t error;
  zip_error_init_with_code(&error, zip_error_code);
  std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

[[noreturn]] void not_npz(const std::string& where, const std::string& what) {
  throw UsageError(where, "not a whole npz file: " + what, "copy or save it again");
}

std::vector<std::byte> read_member(const std::string& where, zip_t* archive, zip_uint64_t index,
                                   const zip_stat_t& stat, std::uint64_t archive_size) {
  constexpr zip_uint64_t wanted = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
  if ((stat.valid & wanted) != wanted || stat.comp_size > archive_size ||
      stat.size / largest_ratio > stat.comp_size)
    not_npz(where, "its size cannot be true");
  const Member member(zip_fopen_index(archive, index, 0));
  if (!member) not_npz(where, zip_strerror(archive));
  std::vector<std::byte> bytes(stat.size);
  std::size_t n_read = 0;
  while (n_read < bytes.size()) {
    const zip_int64_t n = zip_fread(member.get(), bytes.data() + n_read, bytes.size() - n_read);
    if (n <= 0) not_npz(where, n < 0 ? zip_file_strerror(member.get()) : "it ends early");
    n_read += static_cast<std::size_t>(n);
  }
  // libzip compares the checksum when it reads past the end.
  std::byte beyond;
  if (zip_fread(member.get(), &beyond, 1) != 0) not_npz(where, zip_file_strerror(member.get()));
  return bytes;
}

void add_member(const std::filesystem::path& path, zip_t* archive, const std::string& name,
                std::span<zip_buffer_fragment_t> fragments) {
  zip_source_t* source = zip_source_buffer_fragment(archive, fragments.data(), fragments.size(), 0);
  const zip_int64_t index =
      source ? zip_file_add(archive, (name + std::string(ending)).c_str(), source, ZIP_FL_ENC_UTF_8)
             : -1;
  if (index < 0) {
    if (source) zip_source_free(source);
    throw RunError(path.string() + ": cannot add \"" + name + "\" (" + zip_strerror(archive) +
                   "); give the array another name");
  }
  const auto entry = static_cast<zip_uint64_t>(index);
  zip_set_file_compression(archive, entry, ZIP_CM_STORE, 0);  // as numpy.savez
  constexpr zip_uint16_t first_of_january_1980 = (1 << 5) | 1;
  zip_file_set_dostime(archive, entry, 0, first_of_january_1980, 0);
}

zip_buffer_fragment_t fragment(const void* data, std::size_t size) {
  // libzip only reads it; its interface predates const.
  return {static_cast<zip_uint8_t*>(const_cast<void*>(data)), size};
}

}  // namespace

ArrayFile read_npz(const std::filesystem::path& path) {
  // Opened here, once: libzip would open the path more than once, and another process may put a new
  // file there in between.
  std::error_code error;
  static_cast<void>(std::filesystem::file_size(path, error));  // fails for a directory, for example
  const Descriptor opened(path, O_RDONLY);
  if (!error && !opened.valid()) error.assign(errno, std::generic_category());
  struct ::stat status {};
  if (!error && ::fstat(opened.get(), &status) != 0) error.assign(errno, std::generic_category());
  if (error)
    throw UsageError(path.string() + ": cannot be read (" + error.message() +
                     "); give the path of a readable file");
  const auto archive_size = static_cast<std::uint64_t>(status.st_size);
  int code = 0;
  const int for_libzip = ::dup(opened.get());  // libzip closes it, if it accepts it
  const Archive archive(zip_fdopen(for_libzip, 0, &code));
  if (!archive) {
    ::close(for_libzip);
    not_npz(path.string(), reason(code));
  }

  ArrayFile file;
  const auto n_entries = static_cast<zip_uint64_t>(zip_get_num_entries(archive.get(), 0));
  for (zip_uint64_t i = 0; i < n_entries; ++i) {
    zip_stat_t stat;
    if (zip_stat_index(archive.get(), i, 0, &stat) != 0)
      not_npz(path.string(), zip_strerror(archive.get()));
    std::string name = stat.name;
    if (!name.ends_with(ending)) continue;
    name.resize(name.size() - ending.size());
    const std::string where = path.string() + ": " + name;
    const auto bytes = read_member(where, archive.get(), i, stat, archive_size);
    NpyContent content = parse_npy(where, bytes);
    if (content.numbers) {
      if (file.find(name)) not_npz(where, "the name occurs twice");
      file.arrays.emplace_back(name, std::move(*content.numbers));
    } else if (content.text) {
      file.metadata[name] = std::move(*content.text);
    }
  }
  return file;
}

void write_npz(const std::filesystem::path& path, const ArrayFile& file) {
  check_before_writing(path, file);
  for (const auto& [key, text] : file.metadata)
    if (key.empty() || file.find(key))
      throw UsageError(path.string() + ": \"" + key +
                       "\" names both an array and a text, or nothing; rename it");
  if (file.arrays.empty() && file.metadata.empty())  // libzip would delete an empty archive
    return write_file(path, std::string("PK\5\6") + std::string(18, '\0'));
  write_atomically(path, [&](const std::filesystem::path& temporary) {
    int code = 0;
    Archive archive(zip_open(temporary.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
    if (!archive)
      throw RunError(path.string() + ": cannot be written (" + reason(code) +
                     "); check the disk or write elsewhere");
    std::list<std::string> pieces;  // libzip reads them when the archive is closed
    for (const auto& [name, data] : file.arrays) {
      const std::string& header = pieces.emplace_back(npy_header(data));
      zip_buffer_fragment_t fragments[] = {fragment(header.data(), header.size()),
                                           fragment(data.bytes.data(), data.bytes.size())};
      add_member(path, archive.get(), name, fragments);
    }
    for (const auto& [key, text] : file.metadata) {
      const std::string& npy = pieces.emplace_back(npy_of_text(text));
      zip_buffer_fragment_t fragments[] = {fragment(npy.data(), npy.size())};
      add_member(path, archive.get(), key, fragments);
    }
    if (zip_close(archive.get()) != 0)
      throw RunError(path.string() + ": cannot be written (" + zip_strerror(archive.get()) +
                     "); free some space or write elsewhere");
    static_cast<void>(archive.release());  // zip_close has freed it
  });
}

}  // namespace lmrnn
