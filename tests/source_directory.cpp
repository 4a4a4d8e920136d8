#include "source_directory.hpp"

namespace lmrnn {

std::filesystem::path source_directory() {
  return LMRNN_SOURCE_DIR;
}

}  // namespace lmrnn
