#include "terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

namespace lmrnn::cli {

bool is_terminal(std::FILE* file) {
  return ::isatty(::fileno(file)) == 1;
}

std::size_t terminal_width(std::FILE* file, std::size_t otherwise) {
  winsize size{};
  if (::ioctl(::fileno(file), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return otherwise;
  return size.ws_col;
}

}  // namespace lmrnn::cli
