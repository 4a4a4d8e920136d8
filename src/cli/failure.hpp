// From an exception to what the user is told of it.
#pragma once

#include <string>

namespace lmrnn::cli {

/// What an exception means for the user.
struct Failure {
  int status;           ///< exit status: 1 failed run, 2 usage; 0: the reader of our output left
  std::string message;  ///< empty: nothing to say
};

/// The failure that the exception stands for which is being handled. Call it in a catch block. An
/// `Unsuccessful` is none: its verb has already reported; it is thrown again.
Failure current_failure();

/// One line on stderr, "lmrnn: ..." unless the message names the program itself, without control
/// characters.
void say_error(std::string message);

}  // namespace lmrnn::cli
