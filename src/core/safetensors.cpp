// The safetensors format (https://github.com/huggingface/safetensors, "Format"): an unsigned 64-bit
// little-endian length n; n bytes of JSON, which begin with "{" and may end in spaces; then the
// data of all tensors, without gaps.
#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "core/elements.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"

namespace lmrnn {
namespace {

using Json = nlohmann::ordered_json;  // keeps the order of the header

constexpr std::size_t largest_header = 100'000'000;  // as the reference implementation

struct Dtype {
  std::string_view name;
  StoredNumber stored;
};
constexpr Dtype dtypes[] = {{"BOOL", {NumberKind::boolean, 1}},
                            {"U8", {NumberKind::unsigned_integer, 1}},
                            {"I8", {NumberKind::signed_integer, 1}},
                            {"U16", {NumberKind::unsigned_integer, 2}},
                            {"I16", {NumberKind::signed_integer, 2}},
                            {"U32", {NumberKind::unsigned_integer, 4}},
                            {"I32", {NumberKind::signed_integer, 4}},
                            {"U64", {NumberKind::unsigned_integer, 8}},
                            {"I64", {NumberKind::signed_integer, 8}},
                            {"F16", {NumberKind::ieee, 2}},
                            {"BF16", {NumberKind::bfloat, 2}},
                            {"F32", {NumberKind::ieee, 4}},
                            {"F64", {NumberKind::ieee, 8}}};

std::string_view dtype_name(ElementType type) {
  for (const Dtype& dtype : dtypes)
    if (dtype.stored.width == size_of(type) && element_type_for(dtype.stored) == type &&
        dtype.stored.kind != NumberKind::boolean)
      return dtype.name;
  return "?";
}

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw UsageError(path.string(), "not a whole safetensors file: " + what, "copy or save it again");
}

/// Parses the header. Throws if a name occurs twice: nlohmann-json would silently take the last
/// one.
Json parse_header(const std::filesystem::path& path, std::string_view text) {
  std::vector<std::set<std::string>> keys;
  const auto refuse_duplicates = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!keys.back().insert(key).second) fail(path, "\"" + key + "\" occurs twice");
    }
    return true;
  };
  try {
    Json header = Json::parse(text, refuse_duplicates);
    if (!header.is_object()) fail(path, "the header is not a JSON object");
    return header;
  } catch (const Json::exception&) {
    fail(path, "the header is not JSON");
  }
}

std::size_t whole_number(const std::filesystem::path& path, const std::string& name,
                         const Json& value) {
  if (!value.is_number_unsigned())
    fail(path, "\"" + name + "\" has a size or offset that is not a whole number");
  return value.get<std::size_t>();
}

struct Entry {
  std::string name;
  StoredNumber stored;
  std::vector<std::size_t> shape;
  std::size_t begin, end;  ///< within the data
};

Entry parse_entry(const std::filesystem::path& path, const std::string& name, const Json& value,
                  std::size_t data_size) {
  const auto field = [&](const char* key) -> const Json& {
    if (!value.is_object() || !value.contains(key))
      fail(path, "\"" + name + "\" has no " + std::string(key));
    return value[key];
  };
  Entry entry{name, {}, {}, 0, 0};
  const auto dtype = std::ranges::find_if(dtypes, [&](const Dtype& d) {
    return field("dtype").is_string() && field("dtype") == d.name;
  });
  if (dtype == std::end(dtypes))
    throw UsageError(path.string() + ": \"" + name + "\" has the element type " +
                     field("dtype").dump() + "; save it as F32 or F64");
  entry.stored = dtype->stored;
  if (!field("shape").is_array()) fail(path, "\"" + name + "\" has no list as its shape");
  for (const Json& n : field("shape")) entry.shape.push_back(whole_number(path, name, n));
  const Json& offsets = field("data_offsets");
  if (!offsets.is_array() || offsets.size() != 2) fail(path, "\"" + name + "\" needs two offsets");
  entry.begin = whole_number(path, name, offsets[0]);
  entry.end = whole_number(path, name, offsets[1]);
  if (entry.begin > entry.end || entry.end > data_size)
    fail(path, "\"" + name + "\" lies outside the file");
  if (bytes_of(entry.shape, entry.stored.width) != entry.end - entry.begin)
    fail(path, "shape and bytes of \"" + name + "\" do not fit");
  return entry;
}

/// Checks that every byte of the data belongs to exactly one entry.
void check_cover(const std::filesystem::path& path, const std::vector<Entry>& entries,
                 std::size_t data_size) {
  std::vector<std::pair<std::size_t, std::size_t>> extents;
  for (const Entry& entry : entries) extents.emplace_back(entry.begin, entry.end);
  std::ranges::sort(extents);
  std::size_t covered = 0;
  for (const auto& [begin, end] : extents) {
    if (begin != covered) fail(path, "arrays overlap or leave holes");
    covered = end;
  }
  if (covered != data_size) fail(path, "some bytes belong to no array");
}

void read_metadata(const std::filesystem::path& path, const Json& value, ArrayFile& file) {
  if (!value.is_object()) fail(path, "its __metadata__ is not a JSON object");
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) fail(path, "metadata \"" + key + "\" is not text");
    file.metadata[key] = text.get<std::string>();
  }
}

}  // namespace

ArrayFile read_safetensors(const std::filesystem::path& path) {
  const std::string content = read_file(path);
  std::uint64_t header_size = 0;
  if (content.size() < sizeof header_size) fail(path, "it is shorter than 8 bytes");
  std::memcpy(&header_size, content.data(), sizeof header_size);
  if (header_size > largest_header || header_size > content.size() - sizeof header_size)
    fail(path, "it ends within the header");
  const auto text = std::string_view(content).substr(sizeof header_size, header_size);
  if (!text.starts_with('{')) fail(path, "the header is not a JSON object");
  const auto data = std::as_bytes(std::span(content)).subspan(sizeof header_size + header_size);

  ArrayFile file;
  std::vector<Entry> entries;
  const Json header = parse_header(path, text);
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__")
      read_metadata(path, value, file);
    else
      entries.push_back(parse_entry(path, name, value, data.size()));
  }
  check_cover(path, entries, data.size());
  for (Entry& entry : entries)
    file.arrays.emplace_back(std::move(entry.name),
                             convert_elements(entry.stored, std::move(entry.shape),
                                              data.subspan(entry.begin, entry.end - entry.begin)));
  return file;
}

void write_safetensors(const std::filesystem::path& path, const ArrayFile& file) {
  check_before_writing(path, file);
  if (file.find("__metadata__"))
    throw UsageError(path.string() +
                     ": \"__metadata__\" cannot be the name of an array; rename it");
  // The header lists arrays in the given order, but wide elements come first in the data: with the
  // header padded to 8 bytes, every array is then aligned to its elements, as torch demands.
  std::vector<std::size_t> by_width(file.arrays.size());
  for (std::size_t i = 0; i < by_width.size(); ++i) by_width[i] = i;
  std::ranges::stable_sort(by_width, std::ranges::greater{},
                           [&](std::size_t i) { return size_of(file.arrays[i].second.type); });
  std::vector<std::size_t> begins(file.arrays.size());
  std::size_t data_size = 0;
  for (const std::size_t i : by_width) {
    begins[i] = data_size;
    data_size += file.arrays[i].second.bytes.size();
  }

  Json header = Json::object();
  if (!file.metadata.empty()) header["__metadata__"] = file.metadata;
  for (std::size_t i = 0; i < file.arrays.size(); ++i) {
    const auto& [name, data] = file.arrays[i];
    header[name] = {{"dtype", dtype_name(data.type)},
                    {"shape", data.shape},
                    {"data_offsets", {begins[i], begins[i] + data.bytes.size()}}};
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t header_size = text.size();

  std::string content(sizeof header_size, '\0');
  content.reserve(content.size() + text.size() + data_size);
  std::memcpy(content.data(), &header_size, sizeof header_size);
  content += text;
  for (const std::size_t i : by_width) {
    const auto& bytes = file.arrays[i].second.bytes;
    content.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  write_file(path, content);
}

}  // namespace lmrnn
