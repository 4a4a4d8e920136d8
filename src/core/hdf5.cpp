// HDF5 through its C interface. Reading goes on in a copy of the process: over a damaged file the
// library may crash, and a damaged text of variable length sends version 1.10 round in circles.
#include <hdf5.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include "core/atomic_write.hpp"
#include "core/contained.hpp"
#include "core/elements.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"

namespace lmrnn {
namespace {

// Filters cannot shrink data more than this (deflate 1032, shuffled or not); a larger shape is a
// lie, or a dataset that was never written.
constexpr std::uint64_t largest_ratio = 1032;

// Processor time after which reading counts as hung: slower than this is no disk and no filter.
constexpr unsigned seconds_to_open = 5;
constexpr std::uint64_t bytes_per_second = 2'000'000;

/// One call into the library at a time, which is not built for threads, and no messages of its
/// own on stderr.
class Library {
 public:
  Library() : lock_(mutex()) {
    // Files are closed here, never left to the end of the process, where version 1.10 complains on
    // stderr of what a damaged file made it lose track of. Only the first call counts.
    H5dont_atexit();
    H5Eget_auto2(H5E_DEFAULT, &print_, &client_data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~Library() { H5Eset_auto2(H5E_DEFAULT, print_, client_data_); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

 private:
  static std::mutex& mutex() {
    static std::mutex instance;
    return instance;
  }
  std::lock_guard<std::mutex> lock_;
  H5E_auto2_t print_ = nullptr;
  void* client_data_ = nullptr;
};

/// An identifier that closes itself.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) noexcept : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  operator hid_t() const noexcept { return id_; }
  bool valid() const noexcept { return id_ >= 0; }
  bool close() noexcept { return close_(std::exchange(id_, -1)) >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

// Reading. ------------------------------------------------------------------------------------

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
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
  const std::uint64_t ratio = H5Pget_nfilters(creation) > 0 ? largest_ratio : 1;
  std::error_code error;
  const std::uint64_t held = std::min<std::uint64_t>(H5Dget_storage_size(dataset),
                                                     std::filesystem::file_size(path, error));
  if (!claimed || error || *claimed / ratio > held)
    fail(path, "dataset \"" + name + "\" holds fewer values than its shape claims");
}

std::optional<ArrayData> read_dataset(const std::filesystem::path& path, const std::string& name,
                                      hid_t file) {
  const Handle dataset(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose);
  const Handle type(dataset.valid() ? H5Dget_type(dataset) : -1, H5Tclose);
  const Handle space(dataset.valid() ? H5Dget_space(dataset) : -1, H5Sclose);
  if (!type.valid() || !space.valid()) fail(path, "dataset \"" + name + "\" cannot be opened");
  const auto conversion = conversion_for(type);
  const int rank = H5Sget_simple_extent_ndims(space);
  if (!conversion || rank < 0 || H5Sget_simple_extent_type(space) == H5S_NULL) return std::nullopt;

  std::vector<hsize_t> extent(static_cast<std::size_t>(rank));
  H5Sget_simple_extent_dims(space, extent.data(), nullptr);
  std::vector<std::size_t> shape(extent.begin(), extent.end());
  check_claim(path, name, dataset, bytes_of(shape, H5Tget_size(type)));
  const auto needed = bytes_of(shape, conversion->stored.width);
  if (!needed) fail(path, "dataset \"" + name + "\" is too large");
  std::vector<std::byte> raw(*needed);
  if (H5Dread(dataset, conversion->memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw.data()) < 0)
    fail(path, "dataset \"" + name + "\" cannot be read");
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
  if (!file.valid()) fail(path, "the library cannot open it");

  ArrayFile result;
  std::vector<std::string> names;
  if (H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, collect_dataset, &names) < 0)
    fail(path, "its groups cannot be listed");
  for (const std::string& name : names)
    if (auto data = read_dataset(path, name, file))
      result.arrays.emplace_back(name, std::move(*data));

  std::vector<std::string> keys;
  hsize_t position = 0;
  if (H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_INC, &position, collect_attribute, &keys) < 0)
    fail(path, "its attributes cannot be listed");
  for (const std::string& key : keys)
    if (auto text = read_text(file, key)) result.metadata[key] = std::move(*text);
  return result;
}

// From the copy to the original: sizes and bytes, in the layout of this very program. ----------

class Packed {
 public:
  void add(std::uint64_t number) { add_bytes(std::as_bytes(std::span(&number, 1))); }
  void add(std::string_view text) {
    add(text.size());
    add_bytes(std::as_bytes(std::span(text)));
  }
  void add(const ArrayData& data) {
    add(static_cast<std::uint64_t>(data.type));
    add(data.shape.size());
    for (const std::size_t extent : data.shape) add(extent);
    add(data.bytes.size());
    add_bytes(data.bytes);
  }
  std::vector<std::byte> bytes;

 private:
  void add_bytes(std::span<const std::byte> more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
  }
};

std::vector<std::byte> pack(const ArrayFile& file) {
  Packed packed;
  packed.add(file.arrays.size());
  for (const auto& [name, data] : file.arrays) {
    packed.add(name);
    packed.add(data);
  }
  packed.add(file.metadata.size());
  for (const auto& [key, text] : file.metadata) {
    packed.add(key);
    packed.add(text);
  }
  return std::move(packed.bytes);
}

class Unpacked {
 public:
  explicit Unpacked(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text() {
    const auto bytes = take(number());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  ArrayData array() {
    ArrayData data;
    data.type = static_cast<ElementType>(number());
    data.shape.resize(number());
    for (std::size_t& extent : data.shape) extent = number();
    const auto bytes = take(number());
    data.bytes.assign(bytes.begin(), bytes.end());
    return data;
  }

 private:
  // A copy that was damaged before it answered may have sent anything.
  std::span<const std::byte> take(std::uint64_t n) {
    if (n > bytes_.size()) throw ContainedDeath("a broken answer");
    const auto taken = bytes_.first(n);
    bytes_ = bytes_.subspan(n);
    return taken;
  }
  std::span<const std::byte> bytes_;
};

ArrayFile unpack(std::span<const std::byte> bytes) {
  Unpacked unpacked(bytes);
  ArrayFile file;
  for (std::uint64_t n = unpacked.number(); n > 0; --n) {
    std::string name = unpacked.text();
    file.arrays.emplace_back(std::move(name), unpacked.array());
  }
  for (std::uint64_t n = unpacked.number(); n > 0; --n) {
    std::string key = unpacked.text();
    file.metadata[key] = unpacked.text();
  }
  return file;
}

// Writing. ------------------------------------------------------------------------------------

struct WriteFailed {
  std::string what;
};

void require(bool succeeded, const std::string& what) {
  if (!succeeded) throw WriteFailed{what};
}

hid_t file_type(ElementType type) {
  switch (type) {
    case ElementType::u8:
      return H5T_STD_U8LE;
    case ElementType::i32:
      return H5T_STD_I32LE;
    case ElementType::i64:
      return H5T_STD_I64LE;
    case ElementType::u32:
      return H5T_STD_U32LE;
    case ElementType::u64:
      return H5T_STD_U64LE;
    case ElementType::f32:
      return H5T_IEEE_F32LE;
    case ElementType::f64:
      return H5T_IEEE_F64LE;
  }
  return -1;
}

Handle text_type() {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type, H5T_VARIABLE);  // h5py gives such texts as str, others as bytes
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

/// What H5DSset_label of the high-level library writes (HDF5 Dimension Scale Specification): an
/// attribute DIMENSION_LABELS with one text of variable length per dimension.
void write_labels(hid_t dataset, const std::string& name, const std::vector<std::string>& labels) {
  const Handle type(text_type());
  const hsize_t n = labels.size();
  const Handle space(H5Screate_simple(1, &n, nullptr), H5Sclose);
  const Handle attribute(
      H5Acreate2(dataset, "DIMENSION_LABELS", type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  std::vector<const char*> texts;
  for (const std::string& label : labels) texts.push_back(label.c_str());
  require(attribute.valid() && H5Awrite(attribute, type, texts.data()) >= 0,
          "labels of \"" + name + "\"");
}

void write_dataset(hid_t file, const std::string& name, const ArrayData& data,
                   const std::vector<std::string>* labels) {
  const std::vector<hsize_t> extent(data.shape.begin(), data.shape.end());
  const Handle space(
      extent.empty() ? H5Screate(H5S_SCALAR)
                     : H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr),
      H5Sclose);
  const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  H5Pset_create_intermediate_group(links, 1);
  const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_obj_track_times(creation, false);  // the same content gives the same bytes
  Handle dataset(
      H5Dcreate2(file, name.c_str(), file_type(data.type), space, links, creation, H5P_DEFAULT),
      H5Dclose);
  require(dataset.valid() && H5Dwrite(dataset, file_type(data.type), H5S_ALL, H5S_ALL, H5P_DEFAULT,
                                      data.bytes.data()) >= 0,
          "dataset \"" + name + "\"");
  if (labels) write_labels(dataset, name, *labels);
  require(dataset.close(), "dataset \"" + name + "\"");
}

void write_text(hid_t file, const std::string& name, const std::string& text) {
  const Handle type(text_type());
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  const char* const value = text.c_str();
  const Handle attribute(H5Acreate2(file, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT),
                         H5Aclose);
  require(attribute.valid() && H5Awrite(attribute, type, &value) >= 0, "text \"" + name + "\"");
}

void check_labels(const std::filesystem::path& path, const ArrayFile& file,
                  const std::map<std::string, std::vector<std::string>>& dimension_names) {
  for (const auto& [name, labels] : dimension_names)
    if (file.at(name, path).shape.size() != labels.size() || labels.empty())
      throw UsageError(path.string() + ": \"" + name + "\" has " +
                       std::to_string(file.at(name, path).shape.size()) + " dimensions and " +
                       std::to_string(labels.size()) + " names for them; name each once");
}

}  // namespace

ArrayFile read_hdf5(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    throw UsageError(path.string() + ": cannot be read (" +
                     (error ? error.message() : "not a file") +
                     "); give the path of a readable file");
  const auto size = std::filesystem::file_size(path, error);
  const Library library;
  try {
    return unpack(run_contained([&] { return pack(read_here(path)); },
                                seconds_to_open + static_cast<unsigned>(size / bytes_per_second)));
  } catch (const ContainedDeath& death) {
    fail(path, std::string("the library failed on it (") + death.what() + ")");
  }
}

void write_hdf5(const std::filesystem::path& path, const ArrayFile& file,
                const std::map<std::string, std::vector<std::string>>& dimension_names) {
  check_before_writing(path, file);
  check_labels(path, file, dimension_names);
  const Library library;
  write_atomically(path, [&](const std::filesystem::path& temporary) {
    try {
      Handle out(H5Fcreate(temporary.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
      require(out.valid(), "file");
      for (const auto& [name, data] : file.arrays) {
        const auto labels = dimension_names.find(name);
        write_dataset(out, name, data, labels == dimension_names.end() ? nullptr : &labels->second);
      }
      for (const auto& [name, text] : file.metadata) write_text(out, name, text);
      require(H5Fflush(out, H5F_SCOPE_LOCAL) >= 0 && out.close(), "file");
    } catch (const WriteFailed& failed) {
      throw RunError(path.string() + ": cannot be written (HDF5: " + failed.what +
                     "); free some space, or check the names");
    }
  });
}

}  // namespace lmrnn
