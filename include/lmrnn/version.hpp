// The build of the library: what provenance needs besides the configuration.
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
  /// Hash of the sources that compute trials and ceilings. It changes whenever they do; a version
  /// changes too rarely for that, and a commit too often.
  std::string task_code;
};
BuildInfo build_info();

}  // namespace lmrnn
