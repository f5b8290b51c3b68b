// SPDX-License-Identifier: MIT
// Fuzzes what a server sends: no body crashes the decoder or grows beyond its bounds, the inflaters agree on
// every stream that more than one of them accepts however it is cut, and no Retry-After is longer than an
// hour. The first byte says where the stream is cut, and whether the body is said to be gzip.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "base/compression.h"
#include "http/body.h"
#include "http/retry_after.h"

namespace {

constexpr std::size_t kMaxDecoded = 4 << 20;

void Require(bool holds) {
  if (!holds) std::abort();
}

std::optional<std::string> Inflate(tmdbc::GzipInflater::Engine engine, std::string_view gzip,
                                   std::size_t piece) {
  tmdbc::GzipInflater inflater(engine);
  std::string out;
  for (; !gzip.empty(); gzip.remove_prefix(std::min(piece, gzip.size()))) {
    // Copied, so that a read beyond the piece is one beyond an allocation.
    const std::string chunk(gzip.substr(0, piece));
    if (!inflater.Feed(chunk, [&](std::string_view bytes) { out += bytes; })) return std::nullopt;
    if (out.size() > 16 * kMaxDecoded) return std::nullopt;
  }
  if (!inflater.Finish()) return std::nullopt;
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using Engine = tmdbc::GzipInflater::Engine;
  if (size == 0) return 0;
  const std::size_t piece = 1 + data[0] / 2;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);

  tmdbc::http::Response response;
  response.status = 200;
  if (data[0] % 2 == 1) response.headers.emplace_back("Content-Encoding", "gzip");
  response.body = input;
  const auto body = tmdbc::http::DecodeBody(response, kMaxDecoded);
  Require(!body || body->size() <= kMaxDecoded);
  Require(body || body.error().code == tmdbc::ErrorCode::kCorrupt);

  const auto cut = Inflate(Engine::kFastest, input, piece);
  const auto whole = Inflate(Engine::kFastest, input, size);
  Require(cut.has_value() == whole.has_value() && (!cut || *cut == *whole));
  const auto zlib = Inflate(Engine::kZlib, input, piece);
  Require(!cut || !zlib || *cut == *zlib);
  if (input.starts_with("\x1f\x8b") && body && zlib) Require(*body == *zlib);

  if (const auto wait =
          tmdbc::http::ParseRetryAfter(input, tmdbc::Time(std::chrono::sys_days(std::chrono::days(20000))))) {
    Require(*wait >= tmdbc::Duration(0) && *wait <= tmdbc::http::kLongestRetryAfter);
  }
  return 0;
}
