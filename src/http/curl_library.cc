// SPDX-License-Identifier: MIT
#include "http/curl_library.h"

#include <dlfcn.h>

namespace tmdbc::http {
namespace {

// The ABI that the header promises: curl has kept it since 2006.
constexpr const char* kLibrary = "libcurl.so.4";
// CURLOPT_PROTOCOLS_STR.
constexpr unsigned kOldestVersion = 0x075500;

}  // namespace

Result<CurlLibrary> CurlLibrary::Load() {
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!library) {
    return Fail(ErrorCode::kUnavailable, "load {} (Debian: apt install libcurl4): {}", kLibrary, ::dlerror());
  }
  CurlLibrary functions;
  const char* missing = nullptr;
#define TMDBC_CURL_FIND(name)                                                                   \
  functions.name = reinterpret_cast<decltype(functions.name)>(::dlsym(library, "curl_" #name)); \
  if (!functions.name) missing = "curl_" #name;
  TMDBC_CURL_FUNCTIONS(TMDBC_CURL_FIND)
#undef TMDBC_CURL_FIND
  const auto version_info =
      reinterpret_cast<decltype(&::curl_version_info)>(::dlsym(library, "curl_version_info"));
  if (missing || !version_info) {
    return Fail(ErrorCode::kUnavailable, "load {}: it has no {}", kLibrary,
                missing ? missing : "curl_version_info");
  }
  const auto* version = version_info(CURLVERSION_NOW);
  if (version->version_num < kOldestVersion) {
    return Fail(ErrorCode::kUnavailable, "load {}: version {} is too old, 7.85 is needed", kLibrary,
                version->version);
  }
  return functions;
}

}  // namespace tmdbc::http
