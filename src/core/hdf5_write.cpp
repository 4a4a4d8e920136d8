// Writing HDF5 through its C interface.
#include <algorithm>
#include <cstddef>
#include <numeric>

#include "core/elements.hpp"
#include "core/hdf5_library.hpp"
#include "core/shared/atomic_write.hpp"
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
  H5Tset_size(type, H5T_VARIABLE);  // h5py reads such texts as str, others as bytes
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

// Named dimensions, as in the HDF5 Dimension Scale Specification (the high-level library writes the
// same, but Debian does not build it for every machine): each dimension has a label, and a scale, a
// one-dimensional dataset with its coordinates. netCDF4 and xarray use the scales, HDF5's own tools
// both.

using Names = std::map<std::string, std::vector<std::string>>;

/// The axis of an array that a scale belongs to.
struct Use {
  hobj_ref_t dataset;
  std::uint32_t axis;
};

// A reference list is an attribute, and attributes hold at most 64 KB. Longer lists are left out:
// readers do not need them.
constexpr std::size_t most_uses = 4000;

Handle attribute_of(hid_t object, const char* name, hid_t type, hid_t space) {
  return {H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose};
}

Handle simple_space(hsize_t n) {
  return {H5Screate_simple(1, &n, nullptr), H5Sclose};
}

void write_labels(hid_t dataset, const std::string& name, const std::vector<std::string>& labels) {
  const Handle type(text_type()), space(simple_space(labels.size()));
  const Handle attribute = attribute_of(dataset, "DIMENSION_LABELS", type, space);
  std::vector<const char*> texts;
  for (const std::string& label : labels) texts.push_back(label.c_str());
  require(attribute.valid() && H5Awrite(attribute, type, texts.data()) >= 0,
          "labels of \"" + name + "\"");
}

/// A text of fixed length, which the specification requires for CLASS and NAME.
void write_fixed_text(hid_t object, const char* name, const std::string& text) {
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type, text.size() + 1);
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  const Handle attribute = attribute_of(object, name, type, space);
  require(attribute.valid() && H5Awrite(attribute, type, text.c_str()) >= 0, "attribute " + text);
}

hobj_ref_t reference_to(hid_t file, const std::string& name) {
  hobj_ref_t reference{};
  require(H5Rcreate(&reference, file, name.c_str(), H5R_OBJECT, -1) >= 0,
          "reference to \"" + name + "\"");
  return reference;
}

/// DIMENSION_LIST of an array: the scale of each axis.
void attach(hid_t file, const std::string& array, const std::vector<std::string>& scales) {
  const Handle dataset(H5Dopen2(file, array.c_str(), H5P_DEFAULT), H5Dclose);
  std::vector<hobj_ref_t> references;
  for (const std::string& scale : scales) references.push_back(reference_to(file, scale));
  std::vector<hvl_t> lists;
  for (hobj_ref_t& reference : references) lists.push_back({1, &reference});
  const Handle type(H5Tvlen_create(H5T_STD_REF_OBJ), H5Tclose), space(simple_space(lists.size()));
  const Handle attribute = attribute_of(dataset, "DIMENSION_LIST", type, space);
  require(attribute.valid() && H5Awrite(attribute, type, lists.data()) >= 0,
          "dimensions of \"" + array + "\"");
}

/// REFERENCE_LIST of a scale: where it is used.
void write_uses(hid_t scale, const std::vector<Use>& uses) {
  if (uses.empty() || uses.size() > most_uses) return;
  const Handle type(H5Tcreate(H5T_COMPOUND, sizeof(Use)), H5Tclose);
  H5Tinsert(type, "dataset", offsetof(Use, dataset), H5T_STD_REF_OBJ);
  H5Tinsert(type, "dimension", offsetof(Use, axis), H5T_STD_U32LE);
  const Handle space(simple_space(uses.size()));
  const Handle attribute = attribute_of(scale, "REFERENCE_LIST", type, space);
  require(attribute.valid() && H5Awrite(attribute, type, uses.data()) >= 0, "uses of a scale");
}

/// "layer/" of "layer/data", "" of "data".
std::string group_of(const std::string& name) {
  return name.substr(0, name.rfind('/') + 1);
}

/// The coordinates of all dimensions of a file: arrays that are named like their only dimension,
/// and 0, 1, 2, ... for the others.
class Scales {
 public:
  Scales(const ArrayFile& file, const Names& labels) {
    for (const auto& [name, data] : file.arrays) {
      taken_.push_back(name);
      const auto of_array = labels.find(name);
      if (of_array != labels.end() && of_array->second.size() == 1 &&
          name == group_of(name) + of_array->second[0])
        lengths_[name] = data.shape[0];
    }
    // From the root down, so that arrays in a group find the scales of the groups around it, e.g.
    // those in TASK/conditions the trials of TASK.
    std::vector<const std::pair<std::string, ArrayData>*> arrays;
    for (const auto& array : file.arrays) arrays.push_back(&array);
    std::ranges::stable_sort(arrays, {},
                             [](const auto* a) { return std::ranges::count(a->first, '/'); });
    for (const auto* array : arrays)
      if (const auto of_array = labels.find(array->first);
          of_array != labels.end() && !lengths_.contains(array->first))
        for (std::size_t axis = 0; axis < of_array->second.size(); ++axis)
          of_[array->first].push_back(
              scale_for(group_of(array->first), of_array->second[axis], array->second.shape[axis]));
  }

  /// Scales that are not arrays of the file, with their lengths.
  const std::map<std::string, std::size_t>& made() const noexcept { return made_; }

  void write(hid_t file) const {
    std::map<std::string, std::vector<Use>> uses;
    for (const auto& [name, length] : lengths_) uses[name];
    for (const auto& [array, scales] : of_) {
      for (std::size_t axis = 0; axis < scales.size(); ++axis)
        uses[scales[axis]].push_back({reference_to(file, array), static_cast<std::uint32_t>(axis)});
    }
    for (const auto& [name, of_scale] : uses) {
      const Handle scale(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose);
      write_fixed_text(scale, "CLASS", "DIMENSION_SCALE");
      write_fixed_text(scale, "NAME", name.substr(group_of(name).size()));
      write_uses(scale, of_scale);
    }
    for (const auto& [array, scales] : of_) attach(file, array, scales);
  }

 private:
  std::string scale_for(std::string group, std::string label, std::size_t length) {
    std::ranges::replace(label, '/', '_');
    for (std::string around = group;;) {
      const auto found = lengths_.find(around + label);
      if (found != lengths_.end() && found->second == length) return found->first;
      if (around.empty()) break;
      around = group_of(around.substr(0, around.size() - 1));
    }
    std::string name = group + label;
    if (is_taken(name)) name += "_" + std::to_string(length);  // another length of the same name
    while (is_taken(name) && !(made_.contains(name) && made_[name] == length)) name += "_";
    taken_.push_back(name);
    lengths_[name] = made_[name] = length;
    return name;
  }

  bool is_taken(const std::string& name) const {
    return std::ranges::any_of(taken_, [&](const std::string& other) {
      return other == name || other.starts_with(name + "/");
    });
  }

  std::vector<std::string> taken_;  ///< names of datasets
  std::map<std::string, std::size_t> lengths_, made_;
  std::map<std::string, std::vector<std::string>> of_;  ///< array -> the scale of each axis
};

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

void write_index(hid_t file, const std::string& name, std::size_t length) {
  std::vector<std::int32_t> numbers(length);
  std::iota(numbers.begin(), numbers.end(), 0);
  write_dataset(file, name, ArrayData::of<std::int32_t>(numbers, {length}), nullptr);
}

/// An attribute of the root group, or, for "name@attribute", of the dataset `name`.
void write_text(hid_t file, const std::string& name, const std::string& text) {
  const Handle type(text_type());
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  const char* const value = text.c_str();
  const std::size_t at = name.find('@');
  const bool of_dataset =
      at != std::string::npos && H5Lexists(file, name.substr(0, at).c_str(), H5P_DEFAULT) > 0;
  const Handle object(of_dataset ? H5Oopen(file, name.substr(0, at).c_str(), H5P_DEFAULT)
                                 : H5Oopen(file, "/", H5P_DEFAULT),
                      H5Oclose);
  const Handle attribute =
      attribute_of(object, of_dataset ? name.c_str() + at + 1 : name.c_str(), type, space);
  require(attribute.valid() && H5Awrite(attribute, type, &value) >= 0, "text \"" + name + "\"");
}

void check_labels(const std::filesystem::path& path, const ArrayFile& file,
                  const Names& dimension_names) {
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
  const Scales scales(file, dimension_names);
  const hdf5::Library library;
  write_atomically(path, [&](const std::filesystem::path& temporary) {
    try {
      Handle out(H5Fcreate(temporary.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
      require(out.valid(), "file");
      for (const auto& [name, data] : file.arrays) {
        const auto labels = dimension_names.find(name);
        write_dataset(out, name, data, labels == dimension_names.end() ? nullptr : &labels->second);
      }
      for (const auto& [name, length] : scales.made()) write_index(out, name, length);
      scales.write(out);
      for (const auto& [name, text] : file.metadata) write_text(out, name, text);
      require(H5Fflush(out, H5F_SCOPE_LOCAL) >= 0 && out.close(), "file");
    } catch (const WriteFailed& failed) {
      throw RunError(path.string() + ": cannot be written (HDF5: " + failed.what +
                     "); free some space, or check the names");
    }
  });
}

}  // namespace lmrnn
