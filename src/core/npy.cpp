#include "core/npy.hpp"

#include <boost/nowide/utf/convert.hpp>
#include <charconv>
#include <cstring>

#include "core/elements.hpp"
#include "core/npy_header.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

// NumPy's text is UTF-32, ours UTF-8. Invalid characters become U+FFFD.
using boost::nowide::utf::convert_string;

/// The parts of a descr like "<f4". `split` returns nothing if it is not a type of plain numbers or
/// text.
struct Descr {
  char order, kind;
  std::size_t count;  ///< bytes, or characters of text
};
std::optional<Descr> split(const NpyHeader& header) {
  const std::string& d = header.descr;
  Descr result{};
  if (header.structured || d.size() < 3) return std::nullopt;
  result.order = d[0];
  result.kind = d[1];
  const auto [end, error] = std::from_chars(d.data() + 2, d.data() + d.size(), result.count);
  if (error != std::errc() || end != d.data() + d.size()) return std::nullopt;
  if (std::string_view("<>|=").find(result.order) == std::string_view::npos) return std::nullopt;
  return result;
}

std::optional<StoredNumber> stored_number(const Descr& descr) {
  StoredNumber stored{NumberKind::boolean, descr.count, descr.order == '>'};
  switch (descr.kind) {
    case 'b':
      break;
    case 'i':
      stored.kind = NumberKind::signed_integer;
      break;
    case 'u':
      stored.kind = NumberKind::unsigned_integer;
      break;
    case 'f':
      stored.kind = NumberKind::ieee;
      break;
    default:
      return std::nullopt;
  }
  return element_type_for(stored) ? std::optional(stored) : std::nullopt;
}

/// Reorders elements from first index fastest to last index fastest.
std::vector<std::byte> from_fortran_order(std::span<const std::size_t> shape, std::size_t width,
                                          std::span<const std::byte> raw) {
  std::vector<std::byte> out(raw.size());
  std::vector<std::size_t> index(shape.size(), 0);
  for (std::size_t to = 0; to < raw.size(); to += width) {
    std::size_t from = 0;
    for (std::size_t axis = shape.size(); axis-- > 0;) from = from * shape[axis] + index[axis];
    std::memcpy(out.data() + to, raw.data() + from * width, width);
    for (std::size_t axis = shape.size(); axis-- > 0 && ++index[axis] == shape[axis];)
      index[axis] = 0;
  }
  return out;
}

std::optional<std::string> decode_text(const Descr& descr, std::span<const std::byte> raw) {
  std::string text;
  if (descr.kind == 'S') {
    text.assign(reinterpret_cast<const char*>(raw.data()), raw.size());
    text.resize(text.find_last_not_of('\0') + 1);
    return text;
  }
  if (descr.kind != 'U' || descr.order == '>') return std::nullopt;
  std::u32string points(raw.size() / 4, U'\0');
  if (!points.empty()) std::memcpy(points.data(), raw.data(), points.size() * 4);
  points.resize(points.find_last_not_of(U'\0') + 1);
  return convert_string<char>(points.data(), points.data() + points.size());
}

std::string_view descr_of(ElementType type) {
  switch (type) {
    case ElementType::u8:
      return "|u1";
    case ElementType::i32:
      return "<i4";
    case ElementType::i64:
      return "<i8";
    case ElementType::u32:
      return "<u4";
    case ElementType::u64:
      return "<u8";
    case ElementType::f32:
      return "<f4";
    case ElementType::f64:
      return "<f8";
  }
  return "?";
}

}  // namespace

NpyContent parse_npy(const std::string& where, std::span<const std::byte> bytes) {
  NpyHeader header = read_npy_header(where, bytes);
  NpyContent content{{}, {}, header.descr};
  const auto descr = split(header);
  if (!descr) return content;
  const auto raw = bytes.subspan(header.size);
  const bool is_text = descr->kind == 'U' || descr->kind == 'S';
  const auto stored = stored_number(*descr);
  if (!stored && !(is_text && header.shape.empty() && descr->count < (1u << 28))) return content;
  const std::size_t width = descr->kind == 'U' ? 4 * descr->count : descr->count;
  const auto needed = bytes_of(header.shape, width);
  if (needed != raw.size())
    refuse_npy(where, "shape and type need " + (needed ? std::to_string(*needed) : "too many") +
                          " bytes and there are " + std::to_string(raw.size()));
  if (!stored) {
    content.text = decode_text(*descr, raw);
  } else if (header.fortran_order && header.shape.size() > 1) {
    const auto ordered = from_fortran_order(header.shape, width, raw);
    content.numbers = convert_elements(*stored, std::move(header.shape), ordered);
  } else {
    content.numbers = convert_elements(*stored, std::move(header.shape), raw);
  }
  return content;
}

std::string npy_header(const ArrayData& data) {
  return npy_header(descr_of(data.type), data.shape);
}

std::string npy_of_text(std::string_view utf8) {
  std::u32string points = convert_string<char32_t>(utf8.data(), utf8.data() + utf8.size());
  if (points.empty()) points.push_back(U'\0');  // NumPy has no strings of width 0
  std::string npy = npy_header("<U" + std::to_string(points.size()), {});
  npy.append(reinterpret_cast<const char*>(points.data()), points.size() * 4);
  return npy;
}

ArrayFile read_npy(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  NpyContent content = parse_npy(path.string(), std::as_bytes(std::span(bytes)));
  if (!content.numbers)
    throw UsageError(path.string() + ": holds elements of type " + content.descr +
                     ", which are not plain numbers; save it as float32 or an integer type");
  ArrayFile file;
  file.arrays.emplace_back(path.stem().string(), std::move(*content.numbers));
  return file;
}

}  // namespace lmrnn
