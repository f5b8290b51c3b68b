// SPDX-License-Identifier: MIT
// CurlLibrary: libcurl's functions, found when the first transport is made. Linked in the usual way libcurl
// brings 27 more shared libraries, whose loading costs every command 4 ms, most of what `query` takes
// (docs/decisions/http-client.md).
#pragma once

#include <curl/curl.h>

#include "base/result.h"

namespace tmdbc::http {

// The functions by their names without "curl_", typed by libcurl's own header.
// clang-format off
#define TMDBC_CURL_FUNCTIONS(X)                                                                            \
  X(global_init) X(global_cleanup) X(slist_append) X(slist_free_all)                                       \
  X(easy_init) X(easy_cleanup) X(easy_setopt) X(easy_getinfo) X(easy_strerror)                             \
  X(multi_init) X(multi_cleanup) X(multi_setopt) X(multi_add_handle) X(multi_remove_handle)                \
  X(multi_socket_action) X(multi_timeout) X(multi_info_read)
// clang-format on

struct CurlLibrary {
  // Any thread. kUnavailable, saying what to install, when libcurl.so.4 is absent or older than 7.85. The
  // library stays loaded to the end of the process: OpenSSL, which comes with it, cannot be unloaded.
  static Result<CurlLibrary> Load();

#define TMDBC_CURL_MEMBER(name) decltype(&::curl_##name) name = nullptr;
  TMDBC_CURL_FUNCTIONS(TMDBC_CURL_MEMBER)
#undef TMDBC_CURL_MEMBER
};

}  // namespace tmdbc::http
