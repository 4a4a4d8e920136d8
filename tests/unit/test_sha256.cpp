#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/shared/sha256.hpp"
#include "message_of.hpp"
#include "small_run.hpp"

namespace lmrnn {
namespace {

// FIPS 180-4 and NIST's examples; the lengths around a block were made with coreutils' sha256sum.
TEST(Sha256, AgreesWithTheStandard) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(sha256(std::string(55, 'a')),
            "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
  EXPECT_EQ(sha256(std::string(56, 'a')),
            "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
  EXPECT_EQ(sha256(std::string(64, 'a')),
            "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
}

TEST(Sha256, OfAFileIsThatOfItsContent) {
  const TemporaryDirectory dir;
  std::string content;
  for (int i = 0; i < 200'000; ++i) content += static_cast<char>(i % 253);
  write_file(dir / "a", content);
  EXPECT_EQ(sha256_of_file(dir / "a"), sha256(content));
}

TEST(Sha256, OnlyFilesAreRead) {
  const TemporaryDirectory dir;
  const auto complaint = [](const std::filesystem::path& path) {
    return message_of<UsageError>([&] { sha256_of_file(path); });
  };
  EXPECT_THAT(complaint(dir / "none"), testing::HasSubstr("No such file"));
  EXPECT_THAT(complaint("/dev/zero"), testing::HasSubstr("not a regular file"));
}

}  // namespace
}  // namespace lmrnn
