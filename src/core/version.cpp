#include "lmrnn/version.hpp"

#include "lmrnn_build.hpp"      // version, compiler: written by CMake when it configures
#include "lmrnn_commit.hpp"     // commit: written at every build, if it changed
#include "lmrnn_task_code.hpp"  // the same

namespace lmrnn {

BuildInfo build_info() {
  return {LMRNN_VERSION,    LMRNN_COMMIT,     LMRNN_COMPILER,
          LMRNN_BUILD_TYPE, LMRNN_SANITIZERS, LMRNN_TASK_CODE};
}

}  // namespace lmrnn
