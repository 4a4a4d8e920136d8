#include "core/npy.hpp"

#include <charconv>
#include <cstring>

#include "core/array_formats.hpp"
#include "core/elements.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

constexpr std::string_view magic = "\x93NUMPY";

[[noreturn]] void not_npy(const std::string& where, const std::string& what) {
  throw UsageError(where + ": not a whole npy array: " + what + "; copy or save it again");
}

struct Header {
  std::string descr;
  bool structured = false;  ///< descr is a list of fields
  bool fortran_order = false;
  std::vector<std::size_t> shape;
};

/// Reads the dictionary of the header, a literal of the Python language.
class DictionaryReader {
 public:
  DictionaryReader(const std::string& where, std::string_view text) : where_(where), rest_(text) {}

  Header read() {
    bool has_descr = false, has_order = false, has_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string key = text();
      expect(':');
      if (key == "descr") {
        has_descr = true;
        read_descr();
      } else if (key == "fortran_order") {
        has_order = true;
        header_.fortran_order = truth();
      } else if (key == "shape") {
        has_shape = true;
        read_shape();
      } else {
        not_npy(where_, "its header has an unknown key \"" + key + "\"");
      }
      if (!accept(',') && (skip_spaces(), !rest_.starts_with('}'))) broken();
    }
    if (!has_descr || !has_order || !has_shape) not_npy(where_, "its header lacks an entry");
    return std::move(header_);
  }

 private:
  [[noreturn]] void broken() { not_npy(where_, "its header cannot be parsed"); }

  void skip_spaces() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n')) rest_.remove_prefix(1);
  }
  bool accept(char c) {
    skip_spaces();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) broken();
  }
  std::string text() {
    skip_spaces();
    const char quote = rest_.empty() ? '\0' : rest_[0];
    if (quote != '\'' && quote != '"') broken();
    const std::size_t end = rest_.find(quote, 1);
    if (end == std::string_view::npos) broken();
    std::string result(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return result;
  }
  bool truth() {
    skip_spaces();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(word.size());
      return value;
    }
    broken();
  }
  void read_descr() {
    skip_spaces();
    if (!rest_.starts_with('[')) {
      header_.descr = text();
      return;
    }
    header_.structured = true;
    const std::string_view all = rest_;
    int depth = 0;
    do {
      if (rest_.empty()) broken();
      depth += rest_[0] == '[';
      depth -= rest_[0] == ']';
      rest_.remove_prefix(1);
    } while (depth > 0);
    header_.descr = all.substr(0, all.size() - rest_.size());
  }
  void read_shape() {
    expect('(');
    while (!accept(')')) {
      skip_spaces();
      std::size_t n = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), n);
      if (error != std::errc()) broken();
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      accept('L');  // Python 2
      header_.shape.push_back(n);
      if (!accept(',') && (skip_spaces(), !rest_.starts_with(')'))) broken();
    }
  }

  const std::string& where_;
  std::string_view rest_;
  Header header_;
};

/// Splits "<f4" into kind and width; nothing if it is no type of plain numbers or text.
struct Descr {
  char order, kind;
  std::size_t count;  ///< bytes, or characters of text
};
std::optional<Descr> split(const Header& header) {
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

void append_utf8(std::string& out, std::uint32_t point) {
  if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) point = 0xfffd;
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((point >> shift) & 0x3f)); };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0 | (point >> 6));
    tail(0);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0 | (point >> 12));
    tail(6), tail(0);
  } else {
    out += static_cast<char>(0xf0 | (point >> 18));
    tail(12), tail(6), tail(0);
  }
}

/// Code points; a byte that begins no UTF-8 sequence becomes U+FFFD.
std::vector<std::uint32_t> code_points(std::string_view utf8) {
  std::vector<std::uint32_t> points;
  for (std::size_t i = 0; i < utf8.size();) {
    const auto first = static_cast<unsigned char>(utf8[i]);
    const std::size_t length = first < 0x80         ? 1
                               : (first >> 5) == 6  ? 2
                               : (first >> 4) == 14 ? 3
                               : (first >> 3) == 30 ? 4
                                                    : 0;
    std::uint32_t point = length == 1 ? first : first & (0x7fu >> length);
    bool valid = length > 0 && i + length <= utf8.size();
    for (std::size_t k = 1; valid && k < length; ++k) {
      const auto next = static_cast<unsigned char>(utf8[i + k]);
      valid = (next >> 6) == 2;
      point = (point << 6) | (next & 0x3fu);
    }
    points.push_back(valid ? point : 0xfffd);
    i += valid ? length : 1;
  }
  return points;
}

std::optional<std::string> decode_text(const Descr& descr, std::span<const std::byte> raw) {
  std::string text;
  if (descr.kind == 'S') {
    text.assign(reinterpret_cast<const char*>(raw.data()), raw.size());
    text.resize(text.find_last_not_of('\0') + 1);
    return text;
  }
  if (descr.kind != 'U' || descr.order == '>') return std::nullopt;
  std::vector<std::uint32_t> points(raw.size() / 4);
  if (!points.empty()) std::memcpy(points.data(), raw.data(), points.size() * 4);
  while (!points.empty() && points.back() == 0) points.pop_back();
  for (const std::uint32_t point : points) append_utf8(text, point);
  return text;
}

std::string header_of(std::string_view descr, std::span<const std::size_t> shape) {
  std::string text = "{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < shape.size(); ++i)
    text += (i ? " " : "") + std::to_string(shape[i]) + (i + 1 < shape.size() || i == 0 ? "," : "");
  text += "), }";
  // Version 1.0 has a 10-byte prefix; spaces and a line end fill up to a multiple of 64 bytes.
  const std::size_t total = (10 + text.size() + 1 + 63) / 64 * 64;
  text.resize(total - 10 - 1, ' ');
  text += '\n';
  std::string header(magic);
  header +=
      {'\x01', '\x00', static_cast<char>(text.size() & 255), static_cast<char>(text.size() >> 8)};
  return header + text;
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
  const std::string_view view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!view.starts_with(magic) || view.size() < 12) not_npy(where, "it does not begin as one");
  const int version = static_cast<unsigned char>(view[6]);
  if (version < 1 || version > 3)
    not_npy(where, "version " + std::to_string(version) + " is unknown");
  const std::size_t prefix = version == 1 ? 10 : 12;
  std::uint32_t header_size = 0;
  std::memcpy(&header_size, view.data() + 8, version == 1 ? 2 : 4);
  if (header_size > view.size() - prefix) not_npy(where, "it ends within the header");

  Header header = DictionaryReader(where, view.substr(prefix, header_size)).read();
  NpyContent content{{}, {}, header.descr};
  const auto descr = split(header);
  if (!descr) return content;
  const auto raw = bytes.subspan(prefix + header_size);
  const bool is_text = descr->kind == 'U' || descr->kind == 'S';
  const auto stored = stored_number(*descr);
  if (!stored && !(is_text && header.shape.empty() && descr->count < (1u << 28))) return content;
  const std::size_t width = descr->kind == 'U' ? 4 * descr->count : descr->count;
  const auto needed = bytes_of(header.shape, width);
  if (needed != raw.size())
    not_npy(where, "shape and type need " + (needed ? std::to_string(*needed) : "too many") +
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
  return header_of(descr_of(data.type), data.shape);
}

std::string npy_of_text(std::string_view utf8) {
  std::vector<std::uint32_t> points = code_points(utf8);
  if (points.empty()) points.push_back(0);  // numpy knows no strings of width 0
  std::string npy = header_of("<U" + std::to_string(points.size()), {});
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
