#include "core/npy_header.hpp"

#include <charconv>
#include <cstdint>
#include <cstring>
#include <utility>

#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

constexpr std::string_view magic = "\x93NUMPY";

/// Reads the dictionary of the header, a Python literal.
class DictionaryReader {
 public:
  DictionaryReader(const std::string& where, std::string_view text) : where_(where), rest_(text) {}

  NpyHeader read() {
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
        refuse_npy(where_, "its header has an unknown key \"" + key + "\"");
      }
      if (!accept(',') && (skip_spaces(), !rest_.starts_with('}'))) broken();
    }
    if (!has_descr || !has_order || !has_shape) refuse_npy(where_, "its header lacks an entry");
    return std::move(header_);
  }

 private:
  [[noreturn]] void broken() { refuse_npy(where_, "its header cannot be parsed"); }

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
  NpyHeader header_;
};

}  // namespace

void refuse_npy(const std::string& where, const std::string& what) {
  throw UsageError(where, "not a whole npy array: " + what, "copy or save it again");
}

NpyHeader read_npy_header(const std::string& where, std::span<const std::byte> bytes) {
  const std::string_view view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!view.starts_with(magic) || view.size() < 12) refuse_npy(where, "it does not begin as one");
  const int version = static_cast<unsigned char>(view[6]);
  if (version < 1 || version > 3)
    refuse_npy(where, "version " + std::to_string(version) + " is unknown");
  const std::size_t prefix = version == 1 ? 10 : 12;
  std::uint32_t header_size = 0;
  std::memcpy(&header_size, view.data() + 8, version == 1 ? 2 : 4);
  if (header_size > view.size() - prefix) refuse_npy(where, "it ends within the header");
  NpyHeader header = DictionaryReader(where, view.substr(prefix, header_size)).read();
  header.size = prefix + header_size;
  return header;
}

std::string npy_header(std::string_view descr, std::span<const std::size_t> shape) {
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

}  // namespace lmrnn
