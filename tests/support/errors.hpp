/// Expecting errors.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "vostrack/error.hpp"

namespace vostrack::test {

/// Expects an Error of this code whose message holds the text.
template <class Call>
void expect_error(ErrorCode code, const std::string& text, Call&& call) {
  try {
    call();
    ADD_FAILURE() << "no error, want one with \"" << text << "\"";
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << error.what();
    EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
  }
}

}  // namespace vostrack::test
