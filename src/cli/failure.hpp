// Turns exceptions into messages for the user.
#pragma once

#include <string>

namespace lmrnn::cli {

/// The message and exit status that the user sees for an exception.
struct Failure {
  int status;           ///< exit status: 1 failed run, 2 usage error, 0 closed pipe (`| head`)
  std::string message;  ///< empty: print nothing
};

/// Describes the exception that is being handled: call it in a catch block. Throws an
/// `Unsuccessful` again, because its verb has already reported.
Failure current_failure();

/// Prints one line to stderr, without control characters; "lmrnn: " precedes it unless the message
/// already names the program.
void say_error(std::string message);

}  // namespace lmrnn::cli
