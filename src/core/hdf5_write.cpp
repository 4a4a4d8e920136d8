// Writing HDF5 through its C interface.
#include "core/atomic_write.hpp"
#include "core/elements.hpp"
#include "core/hdf5_library.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"

namespace lmrnn {
namespace {

using hdf5::Handle;

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

void write_hdf5(const std::filesystem::path& path, const ArrayFile& file,
                const std::map<std::string, std::vector<std::string>>& dimension_names) {
  check_before_writing(path, file);
  check_labels(path, file, dimension_names);
  const hdf5::Library library;
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
