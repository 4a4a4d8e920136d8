#include "failure.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <system_error>

#include "common.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn::cli {

Failure current_failure() {
  try {
    throw;
  } catch (const Unsuccessful&) {
    throw;
  } catch (const UsageError& error) {
    return {2, error.what()};
  } catch (const std::system_error& error) {
    // `| head` has closed the pipe; there is no reader for a message.
    if (error.code() == std::errc::broken_pipe) return {0, {}};
    return {1, error.what()};
  } catch (const std::bad_alloc&) {
    return {1,
            "not enough memory; make stream.batch, stream.row_steps or the sheet smaller, or set "
            "train.recompute = true"};
  } catch (const std::exception& error) {
    return {1, error.what()};
  }
}

void say_error(std::string message) {
  // One line, even if a library's message has more, and without escape sequences from names in
  // files.
  std::ranges::replace_if(
      message, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  const bool named = message.starts_with("lmrnn ") || message.starts_with("lmrnn:");
  fmt::print(stderr, "{}{}\n", named ? "" : "lmrnn: ", message);
}

}  // namespace lmrnn::cli
