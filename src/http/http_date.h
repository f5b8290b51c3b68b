// SPDX-License-Identifier: MIT
// HTTP-date (RFC 9110 5.6.7): the form of Date, Last-Modified and one kind of Retry-After. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace tmdbc::http {

// "Sun, 06 Nov 1994 08:49:37 GMT" | "Sunday, 06-Nov-94 08:49:37 GMT" | "Sun Nov  6 08:49:37 1994", with
// blanks around it. The name of the day is not looked at: it says nothing new. A year of two digits is that
// of the past or coming fifty years, seen from `now`. nullopt for anything else.
std::optional<Time> ParseHttpDate(std::string_view text, Time now);

}  // namespace tmdbc::http
