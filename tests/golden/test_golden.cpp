// The published trials, composed again: 744 of them, and damaged files.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "lmrnn/golden.hpp"
#include "source_directory.hpp"

namespace lmrnn {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path folder = source_directory() / "tests/golden";
const char* const names[] = {"modcog_released_dt100_ring16.jsonl",
                             "modcog_released_dt20_ring32.jsonl"};
const SemanticsConfig published{SemanticsBase::published, {}};

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// A copy of the first file with line `number` (from 1) replaced.
class Damaged {
 public:
  Damaged(std::size_t number, const std::string& text)
      : path_(std::filesystem::path(testing::TempDir()) /
              (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) +
               ".jsonl")) {
    auto lines = lines_of(folder / names[0]);
    lines.at(number - 1) = text;
    std::ofstream file(path_);
    for (const std::string& line : lines) file << line << '\n';
  }
  ~Damaged() { std::filesystem::remove(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Golden, EveryPublishedTrialIsReproduced) {
  VerifyResult total;
  for (const char* name : names) total += verify_golden(folder / name, published);
  EXPECT_EQ(total.n_trials, 744u);
  EXPECT_EQ(total.n_mismatches, 0u);
  EXPECT_LE(total.max_abs_error, 1e-6);
  for (std::size_t i = 0; i < std::min<std::size_t>(5, total.messages.size()); ++i)
    ADD_FAILURE() << total.messages[i];
}

TEST(Golden, CorrectedSemanticsDiffer) {
  const VerifyResult result = verify_golden(folder / names[0], SemanticsConfig{});
  EXPECT_EQ(result.n_trials, 558u);
  EXPECT_GT(result.n_mismatches, 50u);
  EXPECT_FALSE(result.passed());
}

TEST(Golden, NamesAreThoseOfModcog93) {
  std::set<std::string> in_files, ours;
  for (const char* name : names)
    for (const std::string& line : lines_of(folder / name)) {
      const auto end = line.find('"', 9);
      in_files.insert(parse_task(line.substr(9, end - 9)).name());
    }
  for (const Task task : select_tasks("modcog93")) ours.insert(task.name());
  EXPECT_EQ(ours.size(), 93u);
  EXPECT_EQ(in_files, ours);
}

TEST(Golden, OneFloatChangedIsFound) {
  const std::string line = lines_of(folder / names[0])[2];
  const Damaged copy(3, replaced(line, "0.485224515", "0.485228"));
  const VerifyResult result = verify_golden(copy.path(), published);
  EXPECT_EQ(result.n_trials, 558u);
  ASSERT_EQ(result.n_mismatches, 1u);
  EXPECT_THAT(result.messages[0], HasSubstr(".jsonl:3: "));
  EXPECT_NEAR(result.max_abs_error, 3.485e-6, 1e-8);
}

TEST(Golden, OneClassChangedIsFound) {
  const std::string line = lines_of(folder / names[0])[0];
  const Damaged copy(1, replaced(line, "10,10,10]", "10,11,10]"));
  const VerifyResult result = verify_golden(copy.path(), published);
  ASSERT_EQ(result.n_mismatches, 1u);
  EXPECT_THAT(result.messages[0], HasSubstr(".jsonl:1: target 11 at step 18"));
}

TEST(Golden, HalfALineIsFound) {
  const std::string line = lines_of(folder / names[0])[557];
  const Damaged copy(558, line.substr(0, line.size() / 2));
  const VerifyResult result = verify_golden(copy.path(), published);
  EXPECT_EQ(result.n_trials, 558u);
  ASSERT_EQ(result.n_mismatches, 1u);
  EXPECT_THAT(result.messages[0], HasSubstr(".jsonl:558: not a complete reference trial"));
}

TEST(Golden, WrongTypesAndMissingFieldsAreFound) {
  const std::string line = lines_of(folder / names[0])[0];
  const std::string changes[][2] = {{"\"modality\":0", "\"modality\":\"zero\""},
                                    {"\"modality\":0", "\"modality\":7"},
                                    {"\"direction\":9,", ""},
                                    {"\"task\":\"anti\"", "\"task\":\"antigo\""},
                                    {"\"steps\":20", "\"steps\":21"},
                                    {"\"n_ring\":16", "\"n_ring\":15"},
                                    {"[0,5,[1.0,0.0,", "[0,5,[1.0,"},
                                    {"[0,5,[1.0,", "[1,5,[1.0,"},
                                    {"0.485224515", "null"},
                                    {"[\"stimulus\",5,10]", "[\"stimulus\",5]"}};
  for (const auto& [from, to] : changes) {
    const Damaged copy(1, replaced(line, from, to));
    EXPECT_EQ(verify_golden(copy.path(), published).n_mismatches, 1u) << from << " -> " << to;
  }
}

TEST(Golden, MissingAndEmptyFilesAreRefused) {
  EXPECT_THROW(verify_golden(folder / "missing.jsonl", published), UsageError);
  const auto path = std::filesystem::path(testing::TempDir()) / "empty.jsonl";
  std::ofstream(path).close();
  EXPECT_THROW(verify_golden(path, published), UsageError);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace lmrnn
