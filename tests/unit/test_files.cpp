#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"
#include "message_of.hpp"

namespace lmrnn {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

namespace fs = std::filesystem;

/// A directory that is removed after the test.
class Files : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "lmrnn-files-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory = name;
  }
  void TearDown() override {
    fs::permissions(directory, fs::perms::owner_all);
    fs::remove_all(directory);
  }
  fs::path in(const std::string& name) const { return directory / name; }
  std::size_t n_entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
  }
  fs::path directory;
};

template <class T>
ArrayData array(std::vector<T> values, std::vector<std::size_t> shape) {
  return ArrayData::of(std::span<const T>(values), std::move(shape));
}

ArrayFile every_type() {
  ArrayFile file;
  file.arrays.emplace_back("bytes", array<std::uint8_t>({0, 1, 255}, {3}));
  file.arrays.emplace_back("weights", array<float>({1, -2, 3.5f, 0, 5, -0.0f}, {2, 3}));
  file.arrays.emplace_back("offsets", array<std::uint32_t>({0, 4000000000u}, {2, 1}));
  file.arrays.emplace_back("classes", array<std::int32_t>({-7, 7}, {2}));
  file.arrays.emplace_back("steps", array<std::int64_t>({-(1LL << 60)}, {}));
  file.arrays.emplace_back("counts", array<std::uint64_t>({~0ULL}, {1, 1, 1}));
  file.arrays.emplace_back("exact", array<double>({0.1, 1e-300}, {2}));
  file.arrays.emplace_back("nothing", array<float>({}, {0, 4}));
  file.metadata = {{"format", "1"}, {"tasks", "dm1, \"go\" → anti, 𝄞"}, {"empty", ""}};
  return file;
}

void expect_same(const ArrayFile& read, const ArrayFile& written) {
  EXPECT_EQ(read.metadata, written.metadata);
  ASSERT_EQ(read.arrays.size(), written.arrays.size());
  for (const auto& [name, data] : written.arrays) {
    SCOPED_TRACE(name);
    const ArrayData& got = read.at(name, "x");
    EXPECT_EQ(got.type, data.type);
    EXPECT_EQ(got.shape, data.shape);
    EXPECT_EQ(got.bytes, data.bytes);
  }
}

// write_file ------------------------------------------------------------------------------------

TEST_F(Files, WritesAndReplaces) {
  write_file(in("a.txt"), "first");
  write_file(in("a.txt"), std::string("sec\0ond", 7));
  EXPECT_EQ(read_file(in("a.txt")), std::string("sec\0ond", 7));
  EXPECT_EQ(n_entries(), 1u);
}

TEST_F(Files, WritesIntoTheWorkingDirectory) {
  const fs::path before = fs::current_path();
  fs::current_path(directory);
  write_file("plain.txt", "here");
  fs::current_path(before);
  EXPECT_EQ(read_file(in("plain.txt")), "here");
}

TEST_F(Files, SaysWhyItCannotWriteAndLeavesNothing) {
  EXPECT_THAT(message_of<RunError>([&] { write_file(in("no/such/a.txt"), "x"); }),
              AllOf(HasSubstr("no/such/a.txt"), HasSubstr("No such file"), HasSubstr("create")));
  fs::create_directory(in("taken"));
  EXPECT_THAT(message_of<RunError>([&] { write_file(in("taken"), "x"); }), HasSubstr("taken"));
  EXPECT_EQ(n_entries(), 1u);
}

/// Writes more than the limit in every way, then ends the process with the number of RunErrors.
[[noreturn]] void exit_with_refused_writes(const fs::path& directory) {
  // A limit on the size of files replaces a full disk: write() fails in the same way.
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{1 << 16, 1 << 16};
  setrlimit(RLIMIT_FSIZE, &limit);
  const ArrayFile large = {{{"w", array<float>(std::vector<float>(1 << 16), {1 << 16})}}, {}};
  int n_refused = 0;
  for (const char* name : {"weights", "w.safetensors", "w.npz", "w.h5"}) {
    const fs::path path = directory / name;
    try {
      if (path.has_extension())
        write_arrays(path, large);
      else
        write_file(path, std::string(1 << 17, 'x'));
    } catch (const RunError& error) {
      n_refused += std::string(error.what()).find("cannot be written") != std::string::npos;
    }
  }
  _exit(n_refused);
}

TEST_F(Files, FullDiskKeepsTheOldFile) {
  write_file(in("weights"), "old");
  EXPECT_EXIT(exit_with_refused_writes(directory), testing::ExitedWithCode(4), "");
  EXPECT_EQ(read_file(in("weights")), "old");
  EXPECT_EQ(n_entries(), 1u);
}

TEST_F(Files, ReadingWhatIsNotThere) {
  EXPECT_THAT(message_of<UsageError>([&] { read_file(in("none")); }),
              AllOf(HasSubstr("none"), HasSubstr("No such file")));
  for (const char* name : {"none.npz", "none.npy", "none.safetensors"})
    EXPECT_THAT(message_of<UsageError>([&] { read_arrays(in(name)); }),
                AllOf(HasSubstr(name), HasSubstr("No such file")));
  EXPECT_THAT(message_of<UsageError>([&] { read_arrays(in("a.txt")); }), HasSubstr(".npz"));
  EXPECT_THAT(message_of<UsageError>([&] { write_arrays(in("a.npy"), {}); }), HasSubstr(".npz"));
  fs::create_directory(in("dir.npz"));
  message_of<UsageError>([&] { read_arrays(in("dir.npz")); });
  message_of<UsageError>([&] { read_file(in("dir.npz")); });
}

TEST_F(Files, ForeignFormatsAreLeftToPython) {
  for (const char* name : {"a.h5", "a.hdf5", "a.mat", "a.txt"})
    EXPECT_THAT(
        message_of<UsageError>([&] { read_arrays(in(name)); }),
        AllOf(HasSubstr(name), HasSubstr("python -m lmrnn.wirings convert"), HasSubstr("a.npz")));
}

// All formats -----------------------------------------------------------------------------------

class Formats : public Files, public testing::WithParamInterface<const char*> {};
/// HDF5 too, which the core writes and Python reads (tests/python/test_recordings.py).
class WrittenFormats : public Formats {};

TEST_P(Formats, ReadBackWhatWasWritten) {
  const fs::path path = in(std::string("a") + GetParam());
  write_arrays(path, every_type());
  expect_same(read_arrays(path), every_type());
  write_arrays(path, {});
  expect_same(read_arrays(path), {});
  EXPECT_EQ(n_entries(), 1u);
}

TEST_P(WrittenFormats, EqualContentGivesEqualBytes) {
  ArrayFile file = every_type();
  file.arrays.emplace_back("group/inner", array<float>({1}, {1}));
  const fs::path a = in(std::string("a") + GetParam()), b = in(std::string("b") + GetParam());
  write_arrays(a, file);
  // Zip and HDF5 count time in (double) seconds.
  if (std::string(GetParam()) != ".safetensors") ::usleep(2'100'000);
  write_arrays(b, file);
  EXPECT_EQ(read_file(a), read_file(b));
}

TEST_P(Formats, EveryTruncationIsAnError) {
  const fs::path path = in(std::string("a") + GetParam());
  ArrayFile file = {{{"w", array<float>(std::vector<float>(300, 1.5f), {100, 3})}}, {{"k", "v"}}};
  write_arrays(path, file);
  const std::string whole = read_file(path);
  for (std::size_t size = 0; size < whole.size(); size += size < 64 ? 1 : 61) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, size);
    EXPECT_THROW(read_arrays(path), UsageError) << size << " of " << whole.size();
  }
}

TEST_P(Formats, AnyFlippedByteIsReadOrRefused) {
  const fs::path path = in(std::string("a") + GetParam());
  write_arrays(path, {{{"w", array<float>(std::vector<float>(20, 1.5f), {4, 5})}}, {{"k", "v"}}});
  const std::string whole = read_file(path);
  int n_refused = 0;
  const std::size_t stride = std::max<std::size_t>(3, whole.size() / 300);
  for (std::size_t i = 0; i < whole.size(); i += stride) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0xff);
    std::ofstream(path, std::ios::binary) << damaged;
    try {
      read_arrays(path);
    } catch (const UsageError&) {
      ++n_refused;
    }
  }
  EXPECT_GT(n_refused, 10);
}

TEST_P(WrittenFormats, RefusesToWriteNonsense) {
  const fs::path path = in(std::string("a") + GetParam());
  ArrayFile wrong_shape = {{{"w", array<float>({1, 2}, {3})}}, {}};
  EXPECT_THAT(message_of<UsageError>([&] { write_arrays(path, wrong_shape); }), HasSubstr("\"w\""));
  ArrayFile twice = {{{"w", array<float>({1}, {1})}, {"w", array<float>({1}, {1})}}, {}};
  EXPECT_THAT(message_of<UsageError>([&] { write_arrays(path, twice); }), HasSubstr("twice"));
  EXPECT_EQ(n_entries(), 0u);
}

INSTANTIATE_TEST_SUITE_P(All, Formats, testing::Values(".safetensors", ".npz"),
                         [](const auto& info) { return std::string(info.param + 1); });
INSTANTIATE_TEST_SUITE_P(All, WrittenFormats, testing::Values(".safetensors", ".npz", ".h5"),
                         [](const auto& info) { return std::string(info.param + 1); });

// ArrayFile -------------------------------------------------------------------------------------

TEST(ArrayFile, NamesWhatThereIs) {
  const ArrayFile file = every_type();
  EXPECT_THAT(message_of<UsageError>([&] { file.at("wieghts", "net.npz"); }),
              AllOf(HasSubstr("net.npz"), HasSubstr("wieghts"), HasSubstr("classes"),
                    HasSubstr("did you mean \"weights\"?")));
  EXPECT_THAT(message_of<UsageError>([&] { file.at("weights", "").as<double>(); }),
              AllOf(HasSubstr("float32"), HasSubstr("float64")));
  EXPECT_THAT(file.at("classes", "").to_doubles(), ElementsAre(-7, 7));
  EXPECT_THAT(file.at("bytes", "").as<std::uint8_t>(), ElementsAre(0, 1, 255));
}

// safetensors -----------------------------------------------------------------------------------

std::string safetensors(const std::string& header, std::size_t n_data) {
  const std::uint64_t size = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &size, 8);
  return bytes + header + std::string(n_data, '\x3f');
}

TEST_F(Files, SafetensorsOfOthers) {
  const fs::path path = in("a.safetensors");
  write_file(path, safetensors(R"({"h":{"dtype":"F16","shape":[3],"data_offsets":[0,6]},)"
                               R"("b":{"dtype":"BF16","shape":[1],"data_offsets":[6,8]},)"
                               R"("m":{"dtype":"BOOL","shape":[1,1],"data_offsets":[8,9]},)"
                               R"("i":{"dtype":"I8","shape":[],"data_offsets":[9,10]}}  )",
                               0) +
                       std::string("\x00\x3c\x01\x80\x00\xfc\x80\x3f\x01\xff", 10));
  const ArrayFile file = read_arrays(path);
  EXPECT_THAT(file.at("h", path).as<float>(), ElementsAre(1.f, -0x1p-24f, -INFINITY));
  EXPECT_THAT(file.at("b", path).as<float>(), ElementsAre(1.f));
  EXPECT_THAT(file.at("m", path).as<std::uint8_t>(), ElementsAre(1));
  EXPECT_THAT(file.at("i", path).as<std::int32_t>(), ElementsAre(-1));
}

TEST_F(Files, SafetensorsAlignsEveryArray) {
  const fs::path path = in("a.safetensors");
  write_arrays(path, every_type());
  const std::string bytes = read_file(path);
  std::uint64_t header_size;
  std::memcpy(&header_size, bytes.data(), 8);
  EXPECT_EQ(header_size % 8, 0u);
  // The doubles come after odd-sized arrays in the list, but not in the data.
  const double exact[] = {0.1, 1e-300};
  const std::size_t at =
      bytes.find(std::string(reinterpret_cast<const char*>(exact), sizeof exact));
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(at % 8, 0u);
  EXPECT_EQ(read_arrays(path).arrays.front().first, "bytes");
}

TEST_F(Files, LyingSafetensors) {
  const fs::path path = in("a.safetensors");
  const auto refusal = [&](const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
    const std::string text = message_of<UsageError>([&] { read_arrays(path); });
    EXPECT_THAT(text, HasSubstr("a.safetensors"));
    return text;
  };
  const auto one = [](const std::string& shape, const std::string& offsets) {
    return R"({"w":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  std::ofstream(path, std::ios::binary) << safetensors(one("[2]", "[0,8]"), 8);
  EXPECT_NO_THROW(read_arrays(path));

  EXPECT_THAT(refusal(std::string(8, '\xff') + "{}"), HasSubstr("within the header"));
  EXPECT_THAT(refusal(safetensors(one("[2]", "[0,8]"), 7)), HasSubstr("outside"));
  EXPECT_THAT(refusal(safetensors(one("[2]", "[8,0]"), 8)), HasSubstr("outside"));
  EXPECT_THAT(refusal(safetensors(one("[2]", "[0,8]"), 9)), HasSubstr("no array"));
  EXPECT_THAT(refusal(safetensors(one("[2]", "[1,9]"), 9)), HasSubstr("holes"));
  EXPECT_THAT(refusal(safetensors(one("[3]", "[0,8]"), 8)), HasSubstr("do not fit"));
  EXPECT_THAT(refusal(safetensors(one("[9223372036854775809,2]", "[0,8]"), 8)),
              HasSubstr("do not fit"));  // 2^63 + 1 rows of 8 bytes wrap round to 8
  EXPECT_THAT(refusal(safetensors(one("[-2]", "[0,8]"), 8)), HasSubstr("whole number"));
  EXPECT_THAT(refusal(safetensors(one("[2.0]", "[0,8]"), 8)), HasSubstr("whole number"));
  EXPECT_THAT(refusal(safetensors(one("2", "[0,8]"), 8)), HasSubstr("shape"));
  EXPECT_THAT(refusal(safetensors(one("[2]", "[0]"), 8)), HasSubstr("offsets"));
  EXPECT_THAT(refusal(safetensors(R"({"w":1})", 0)), HasSubstr("dtype"));
  EXPECT_THAT(refusal(safetensors("[]", 0)), HasSubstr("JSON object"));
  EXPECT_THAT(refusal(safetensors("{", 0)), HasSubstr("JSON"));
  EXPECT_THAT(refusal(safetensors(R"({"__metadata__":{"a":1}})", 0)), HasSubstr("is not text"));
  EXPECT_THAT(refusal(safetensors(R"({"w":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}})", 8)),
              AllOf(HasSubstr("C64"), HasSubstr("F32")));
  const std::string w = R"("w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  EXPECT_THAT(refusal(safetensors("{" + w + "," + w + "}", 4)), HasSubstr("twice"));
  const std::string v = R"("v":{"dtype":"F32","shape":[1],"data_offsets":[2,6]})";
  EXPECT_THAT(refusal(safetensors("{" + w + "," + v + "}", 6)), HasSubstr("overlap"));
}

// npy -------------------------------------------------------------------------------------------

std::string npy(const std::string& dictionary, const std::string& data, int version = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(version);
  bytes += '\0';
  bytes += static_cast<char>(dictionary.size());
  bytes += std::string(version == 1 ? 1 : 3, '\0');
  return bytes + dictionary + data;
}
std::string dictionary(const std::string& descr, const std::string& order,
                       const std::string& shape) {
  return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

TEST_F(Files, NpyOfNumpy) {
  const fs::path path = in("mask.npy");
  const auto read = [&](const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
    const ArrayFile file = read_arrays(path);
    EXPECT_EQ(file.arrays.at(0).first, "mask");
    return file.arrays.at(0).second;
  };
  for (const int version : {1, 2, 3}) {
    const ArrayData mask =
        read(npy(dictionary("'|b1'", "False", "(2, 2)"), std::string("\1\0\0\1", 4), version));
    EXPECT_THAT(mask.shape, ElementsAre(2, 2));
    EXPECT_THAT(mask.as<std::uint8_t>(), ElementsAre(1, 0, 0, 1));
  }
  EXPECT_THAT(
      read(npy(dictionary("'<i2'", "False", "(2,)"), "\xff\xff\x01\x01")).as<std::int32_t>(),
      ElementsAre(-1, 257));
  EXPECT_THAT(read(npy(dictionary("'>u2'", "False", "(1L,)"), "\x01\x02")).as<std::uint32_t>(),
              ElementsAre(0x102));
  EXPECT_THAT(read(npy(dictionary("'<f2'", "False", "()"), std::string("\x00\x3c", 2))).as<float>(),
              ElementsAre(1.f));
  // Columns first: [[1, 2, 3], [4, 5, 6]] is stored as 1 4 2 5 3 6.
  EXPECT_THAT(read(npy(dictionary("'|u1'", "True", "(2, 3)"), "\1\4\2\5\3\6")).as<std::uint8_t>(),
              ElementsAre(1, 2, 3, 4, 5, 6));
  std::string block(24, '\0');
  std::iota(block.begin(), block.end(), '\0');
  const ArrayData cube = read(npy(dictionary("'|u1'", "True", "(2, 3, 4)"), block));
  EXPECT_EQ(cube.as<std::uint8_t>()[(1 * 3 + 2) * 4 + 3], 1 + 2 * (2 + 3 * 3));
  EXPECT_EQ(cube.as<std::uint8_t>()[(0 * 3 + 1) * 4 + 2], 0 + 2 * (1 + 3 * 2));
}

TEST_F(Files, LyingNpy) {
  const fs::path path = in("a.npy");
  const auto refusal = [&](const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
    const std::string text = message_of<UsageError>([&] { read_arrays(path); });
    EXPECT_THAT(text, HasSubstr("a.npy"));
    return text;
  };
  EXPECT_THAT(refusal("nonsense"), HasSubstr("begin"));
  EXPECT_THAT(refusal(npy(dictionary("'<f4'", "False", "(2,)"), "1234")), HasSubstr("8 bytes"));
  EXPECT_THAT(refusal(npy(dictionary("'<f4'", "False", "(1,)"), "12345")), HasSubstr("4 bytes"));
  EXPECT_THAT(refusal(npy(dictionary("'<f4'", "False", "(9223372036854775809, 2)"), "12345678")),
              HasSubstr("too many"));
  EXPECT_THAT(refusal(npy(dictionary("'<f4'", "False", "(-1,)"), "")), HasSubstr("parsed"));
  EXPECT_THAT(refusal(npy(dictionary("'<f4'", "Maybe", "(1,)"), "1234")), HasSubstr("parsed"));
  EXPECT_THAT(refusal(npy("{'descr': '<f4'}", "")), HasSubstr("lacks"));
  EXPECT_THAT(refusal(npy("{'descr': '<f4', 'extra': 1}", "")), HasSubstr("extra"));
  EXPECT_THAT(refusal(npy("{'descr': [('a', '<f4')", "")), HasSubstr("parsed"));
  EXPECT_THAT(refusal(npy(dictionary("'<f4'", "False", "(1,)"), "1234", 9)), HasSubstr("version"));
  EXPECT_THAT(refusal(npy(dictionary("'|O'", "False", "(1,)"), "1234")),
              AllOf(HasSubstr("|O"), HasSubstr("float32")));
  EXPECT_THAT(refusal(npy(dictionary("[('a', '<f4')]", "False", "(1,)"), "1234")),
              HasSubstr("not plain numbers"));
}

// HDF5 ------------------------------------------------------------------------------------------

TEST_F(Files, Hdf5GroupsAndLabels) {
  ArrayFile file;
  file.arrays.emplace_back("trials/inputs", array<float>({1, 2, 3, 4, 5, 6}, {1, 2, 3}));
  file.arrays.emplace_back("trials/deep/er", array<std::uint8_t>({1}, {1}));
  const fs::path path = in("a.hdf5");
  write_hdf5(path, file, {{"trials/inputs", {"time", "unit", "trial"}}});
  // Names of attributes and of objects are plain bytes.
  for (const char* name : {"DIMENSION_LABELS", "DIMENSION_LIST", "REFERENCE_LIST", "trials",
                           "inputs", "deep", "er", "time", "trial", "unit"})
    EXPECT_NE(read_file(path).find(name + std::string(1, '\0')), std::string::npos) << name;
  EXPECT_THAT(message_of<UsageError>([&] {
                write_hdf5(path, file, {{"trials/inputs", {"time"}}});
              }),
              HasSubstr("3 dimensions"));
  EXPECT_THAT(message_of<UsageError>([&] {
                write_hdf5(path, file, {{"other", {"time"}}});
              }),
              HasSubstr("other"));
}

// Dimensions of the same name and length are one, in a group and in those within it; an array that
// is named like its only dimension holds its coordinates; others of another length have their own.
TEST_F(Files, Hdf5DimensionScales) {
  ArrayFile file;
  file.arrays.emplace_back("go/time", array<double>({0, 20}, {2}));
  file.arrays.emplace_back("go/states", array<float>({1, 2, 3, 4, 5, 6}, {2, 3}));
  file.arrays.emplace_back("go/conditions/direction", array<double>({1, 2, 3}, {3}));
  file.arrays.emplace_back("go/late", array<float>({7}, {1}));
  file.metadata["go/time@units"] = "ms";
  const fs::path path = in("a.h5");
  write_hdf5(path, file,
             {{"go/time", {"time"}},
              {"go/states", {"time", "trial"}},
              {"go/conditions/direction", {"trial"}},
              {"go/late", {"time"}}});
  const std::string bytes = read_file(path);
  for (const char* name : {"direction", "late", "states", "time", "time_1", "trial", "units"})
    EXPECT_NE(bytes.find(name + std::string(1, '\0')), std::string::npos) << name;
  EXPECT_EQ(bytes.find(std::string("trial_1")), std::string::npos);  // of one length: one scale
  const std::string first = read_file(path);
  write_hdf5(path, file,
             {{"go/time", {"time"}},
              {"go/states", {"time", "trial"}},
              {"go/conditions/direction", {"trial"}},
              {"go/late", {"time"}}});
  EXPECT_EQ(read_file(path), first);  // the same content, the same bytes
}

TEST_F(Files, Hdf5FailureLeavesTheOldFile) {
  const fs::path path = in("a.h5");
  write_arrays(path, every_type());
  const std::string before = read_file(path);
  ArrayFile clash;  // a name cannot be an array and a group
  clash.arrays.emplace_back("w", array<float>({1}, {1}));
  clash.arrays.emplace_back("w/x", array<float>({1}, {1}));
  EXPECT_THAT(message_of<RunError>([&] { write_arrays(path, clash); }), HasSubstr("w/x"));
  EXPECT_EQ(read_file(path), before);
  EXPECT_EQ(n_entries(), 1u);
}

}  // namespace
}  // namespace lmrnn
