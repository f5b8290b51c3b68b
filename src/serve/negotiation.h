// SPDX-License-Identifier: MIT
// What the target, the headers and the query of a request ask of the answer's form, read as RFC 9110 has it. Pure; any
// thread.
#pragma once

#include <string>
#include <string_view>

namespace tmdbc::serve {

// Whether a target is "/3", "/3/movie" or "/3?x", where the folder is "/3"; not "/30".
bool IsUnder(std::string_view target, std::string_view folder);

// Whether Accept-Encoding (section 12.5.3) prefers gzip to plain bytes, or takes nothing else. Empty: no.
bool PrefersGzip(std::string_view accept_encoding);

// Whether If-None-Match (section 13.1.2) names `etag`, by weak comparison. "*" names every one.
bool NamesEtag(std::string_view if_none_match, std::string_view etag);

// A function that a JSONP answer may call: names of letters, digits, _ and $ between dots, 100 letters at most. What
// is none could be any script.
bool IsCallbackName(std::string_view name);

// The token of "Authorization: Bearer TOKEN"; empty when there is none.
std::string_view BearerToken(std::string_view authorization);

// A raw query's value of that name as it stands there, escapes and all, of a repeated one the last; empty when absent.
std::string_view RawQueryValue(std::string_view target, std::string_view name);

// `target` for a log: the values of api_key, session_id and their like are ***, what is not printable ASCII is escaped,
// and it ends after some hundred bytes.
std::string MaskedTarget(std::string_view target);

}  // namespace tmdbc::serve
