#include "core/packed_arrays.hpp"

#include <cstring>
#include <utility>

#include "core/contained.hpp"

namespace lmrnn {
namespace {

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

}  // namespace

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

}  // namespace lmrnn
