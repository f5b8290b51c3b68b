// SPDX-License-Identifier: MIT
// AnswerHead: an answer's status line and header fields as they go out (RFC 9112). One thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "base/clock.h"
#include "http/server.h"

namespace tmdbc::http {

class AnswerHead {
 public:
  // Puts the head of `answer` in the place of `text`. `body_size`: of the whole body, whatever is cut from it.
  void Write(const Answer& answer, std::size_t body_size, bool keep_alive, Time now, std::string& text);

 private:
  const std::string& Date(Time now);

  // Formatted once a second.
  std::chrono::sys_seconds second_{};
  std::string date_;
};

}  // namespace tmdbc::http
