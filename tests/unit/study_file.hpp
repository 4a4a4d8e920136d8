// A study file in its own directory.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "lmrnn/study.hpp"
#include "small_run.hpp"

namespace lmrnn {

class StudyFile {
 public:
  explicit StudyFile(std::string text) : text_(std::move(text)) { write_file(path(), text_); }
  std::filesystem::path path() const { return dir_ / "example.toml"; }
  std::filesystem::path operator/(const std::string& name) const { return dir_ / name; }
  const std::string& text() const { return text_; }

  /// With `out` next to the file.
  Study load(StudyOptions options = {}) const {
    if (options.out.empty()) options.out = dir_ / "out";
    return load_study(path(), options);
  }

 private:
  TemporaryDirectory dir_;
  std::string text_;
};

}  // namespace lmrnn
