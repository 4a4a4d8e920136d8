// Which build of the library this is: what provenance needs besides the configuration.
#pragma once

#include <string>

namespace lmrnn {

/// Facts fixed when the library was built.
struct BuildInfo {
  std::string version;     ///< "0.1.0"
  std::string commit;      ///< git commit, "+changes" if the tree had any; "unknown" outside git
  std::string compiler;    ///< "GNU 12.2.0"
  std::string build_type;  ///< "Release"
  std::string sanitizers;  ///< "address,undefined"; usually empty
  /// Hash of the sources that trials and ceilings are computed by: it changes when they do, which a
  /// version does not and a commit does too often.
  std::string task_code;
};
BuildInfo build_info();

}  // namespace lmrnn
