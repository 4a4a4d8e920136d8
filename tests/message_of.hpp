// The message of the exception that a call must throw.
#pragma once

#include <gtest/gtest.h>

#include <exception>
#include <string>

namespace lmrnn {

/// what() of the E that `call` throws. Fails the test if there is no exception, if it is of another
/// type, or if the message has more than one line.
template <class E, class Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const E& error) {
    const std::string text = error.what();
    EXPECT_EQ(text.find('\n'), std::string::npos) << "more than one line: " << text;
    return text;
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another exception: " << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no exception";
  return {};
}

/// The same for a call that may succeed, with the message "".
template <class E, class Call>
std::string message_if_any(Call&& call) {
  try {
    call();
  } catch (const E& error) {
    return error.what();
  }
  return {};
}

}  // namespace lmrnn
