// The only place where the library writes to stderr and ends its process: a failed development
// check.
#include "lmrnn/check.hpp"

#ifdef LMRNN_CHECKS

#include <cstdio>
#include <cstdlib>

namespace lmrnn {

// stdio instead of fmt, because the heap may already be broken.
void check_failed(const char* condition, const char* message, const char* file, int line,
                  std::size_t a, std::size_t b) noexcept {
  std::fprintf(stderr, "lmrnn: check failed at %s:%d: %s", file, line, condition);
  if (a != 0 || b != 0) std::fprintf(stderr, " (%zu and %zu)", a, b);
  std::fprintf(stderr, "; %s\n", message);
  std::fflush(stderr);
  std::abort();
}

}  // namespace lmrnn

#endif
