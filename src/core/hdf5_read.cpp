// Reading HDF5 through its C interface, in a copy of the process: over a damaged file the library
// may crash, and a damaged text of variable length sends version 1.10 round in circles.
#include <algorithm>
#include <optional>

#include "core/contained.hpp"
#include "core/elements.hpp"
#include "core/hdf5_library.hpp"
#include "core/packed_arrays.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"

namespace lmrnn {
namespace {

using hdf5::Handle;

// Filters cannot shrink data more than this (deflate 1032, shuffled or not); a larger shape is a
// lie, or a dataset that was never written.
constexpr std::uint64_t largest_filter_ratio = 1032;

// Processor time after which reading counts as hung: slower than this is no disk and no filter.
constexpr unsigned seconds_to_open = 5;
constexpr std::uint64_t bytes_per_second = 2'000'000;

[[noreturn]] void refuse_file(const std::filesystem::path& path, const std::string& what) {
  throw UsageError(path.string() + ": not a whole HDF5 file: " + what + "; copy or save it again");
}

struct Conversion {
  StoredNumber stored;
  Handle memory_type;  ///< what the library converts to while reading
};

/// How to read numbers of `type`; nothing for texts, references, compounds and the like.
std::optional<Conversion> conversion_for(hid_t type) {
  const std::size_t width = H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      // The library itself widens half and narrows long double; other widths exist too.
      return width <= 4 ? Conversion{{NumberKind::ieee, 4}, {H5Tcopy(H5T_NATIVE_FLOAT), H5Tclose}}
                        : Conversion{{NumberKind::ieee, 8}, {H5Tcopy(H5T_NATIVE_DOUBLE), H5Tclose}};
    case H5T_INTEGER:
    case H5T_ENUM: {  // numpy's bool is the enumeration FALSE, TRUE over int8
      Handle memory_type(H5Tget_native_type(type, H5T_DIR_ASCEND), H5Tclose);
      const bool is_enum = H5Tget_class(type) == H5T_ENUM;
      const Handle integer(is_enum ? H5Tget_super(memory_type) : H5Tcopy(memory_type), H5Tclose);
      const bool is_signed = H5Tget_sign(integer) == H5T_SGN_2;
      StoredNumber stored{is_signed ? NumberKind::signed_integer : NumberKind::unsigned_integer,
                          H5Tget_size(integer)};
      if (is_enum && stored.width == 1) stored.kind = NumberKind::boolean;
      if (!memory_type.valid() || !element_type_for(stored)) return std::nullopt;
      return Conversion{stored, std::move(memory_type)};
    }
    default:
      return std::nullopt;
  }
}

/// Before allocating: does the file hold about as much as the shape claims?
void check_claim(const std::filesystem::path& path, const std::string& name, hid_t dataset,
                 std::optional<std::size_t> claimed) {
  const Handle creation(H5Dget_create_plist(dataset), H5Pclose);
  const std::uint64_t ratio = H5Pget_nfilters(creation) > 0 ? largest_filter_ratio : 1;
  std::error_code error;
  const std::uint64_t held = std::min<std::uint64_t>(H5Dget_storage_size(dataset),
                                                     std::filesystem::file_size(path, error));
  if (!claimed || error || *claimed / ratio > held)
    refuse_file(path, "dataset \"" + name + "\" holds fewer values than its shape claims");
}

std::optional<ArrayData> read_dataset(const std::filesystem::path& path, const std::string& name,
                                      hid_t file) {
  const Handle dataset(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose);
  const Handle type(dataset.valid() ? H5Dget_type(dataset) : -1, H5Tclose);
  const Handle space(dataset.valid() ? H5Dget_space(dataset) : -1, H5Sclose);
  if (!type.valid() || !space.valid())
    refuse_file(path, "dataset \"" + name + "\" cannot be opened");
  const auto conversion = conversion_for(type);
  const int rank = H5Sget_simple_extent_ndims(space);
  if (!conversion || rank < 0 || H5Sget_simple_extent_type(space) == H5S_NULL) return std::nullopt;

  std::vector<hsize_t> extent(static_cast<std::size_t>(rank));
  H5Sget_simple_extent_dims(space, extent.data(), nullptr);
  std::vector<std::size_t> shape(extent.begin(), extent.end());
  check_claim(path, name, dataset, bytes_of(shape, H5Tget_size(type)));
  const auto needed = bytes_of(shape, conversion->stored.width);
  if (!needed) refuse_file(path, "dataset \"" + name + "\" is too large");
  std::vector<std::byte> raw(*needed);
  if (H5Dread(dataset, conversion->memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw.data()) < 0)
    refuse_file(path, "dataset \"" + name + "\" cannot be read");
  return convert_elements(conversion->stored, std::move(shape), raw);
}

herr_t collect_dataset(hid_t, const char* name, const H5O_info_t* info, void* names) {
  if (info->type == H5O_TYPE_DATASET)
    static_cast<std::vector<std::string>*>(names)->push_back(name);
  return 0;
}

herr_t collect_attribute(hid_t, const char* name, const H5A_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->push_back(name);
  return 0;
}

/// The text of an attribute; nothing if it is no single text.
std::optional<std::string> read_text(hid_t file, const std::string& name) {
  const Handle attribute(H5Aopen(file, name.c_str(), H5P_DEFAULT), H5Aclose);
  const Handle type(attribute.valid() ? H5Aget_type(attribute) : -1, H5Tclose);
  const Handle space(attribute.valid() ? H5Aget_space(attribute) : -1, H5Sclose);
  if (!type.valid() || !space.valid() || H5Tget_class(type) != H5T_STRING ||
      H5Sget_simple_extent_npoints(space) != 1)
    return std::nullopt;
  const Handle memory_type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_cset(memory_type, H5Tget_cset(type));
  std::string text;
  if (H5Tis_variable_str(type) > 0) {
    H5Tset_size(memory_type, H5T_VARIABLE);
    char* value = nullptr;
    if (H5Aread(attribute, memory_type, &value) < 0) return std::nullopt;
    if (value) text = value;
    H5free_memory(value);
  } else {
    text.resize(H5Tget_size(type) + 1);
    H5Tset_size(memory_type, text.size());
    if (H5Aread(attribute, memory_type, text.data()) < 0) return std::nullopt;
    text.resize(std::min(text.find('\0'), text.size()));
  }
  return text;
}

ArrayFile read_here(const std::filesystem::path& path) {
  const Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  if (!file.valid()) refuse_file(path, "the library cannot open it");

  ArrayFile result;
  std::vector<std::string> names;
  if (H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, collect_dataset, &names) < 0)
    refuse_file(path, "its groups cannot be listed");
  for (const std::string& name : names)
    if (auto data = read_dataset(path, name, file))
      result.arrays.emplace_back(name, std::move(*data));

  std::vector<std::string> keys;
  hsize_t position = 0;
  if (H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_INC, &position, collect_attribute, &keys) < 0)
    refuse_file(path, "its attributes cannot be listed");
  for (const std::string& key : keys)
    if (auto text = read_text(file, key)) result.metadata[key] = std::move(*text);
  return result;
}

}  // namespace

ArrayFile read_hdf5(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    throw UsageError(path.string() + ": cannot be read (" +
                     (error ? error.message() : "not a file") +
                     "); give the path of a readable file");
  const auto size = std::filesystem::file_size(path, error);
  const hdf5::Library library;
  try {
    return unpack(run_contained([&] { return pack(read_here(path)); },
                                seconds_to_open + static_cast<unsigned>(size / bytes_per_second)));
  } catch (const ContainedDeath& death) {
    refuse_file(path, std::string("the library failed on it (") + death.what() + ")");
  }
}

}  // namespace lmrnn
