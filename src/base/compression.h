// SPDX-License-Identifier: MIT
// Compression: gzip (RFC 1952) as TMDB sends it, zstd (RFC 8878) as the store writes it. What comes from
// outside is only believed when its checksum and its length are right, and never grows beyond a bound that
// the caller names. Bytes that are not what was promised are kCorrupt. An object belongs to one thread; the
// free functions may be called from any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tmdbc {

// Of the store's frames, and of those where CPU is short (docs/decisions/storage.md has what each level takes).
inline constexpr int kZstdLevel = 3;
inline constexpr int kFastZstdLevel = 1;
// A body that inflates beyond a MiB may be at most 200 times as large as its gzip; real ones are about 5
// times.
inline constexpr std::size_t kMaxInflateRatio = 200;
inline constexpr std::size_t kInflateRatioFloor = 1 << 20;

// Undoes a gzip stream of any length in flat memory (about half a MB). Several members one after the other
// count as one stream, as gzip -dc has it; anything else after a member is kCorrupt. After an error the
// inflater is used up.
//
//   GzipInflater inflater;
//   while (more) TRY(inflater.Feed(chunk, [&](std::string_view bytes) { ... }));
//   TRY(inflater.Finish());   // only now is it known that nothing was missing
class GzipInflater {
 public:
  // kFastest is ISA-L where it was there at build time (2.5 times as fast as zlib), else zlib.
  enum class Engine : std::uint8_t { kFastest, kZlib };

  explicit GzipInflater(Engine engine = Engine::kFastest);
  GzipInflater(GzipInflater&&) noexcept;
  GzipInflater& operator=(GzipInflater&&) noexcept;
  ~GzipInflater();

  // Inflates all of `chunk` (any size) and gives the output piece by piece, at most 256 KiB each. A member's
  // checksum and length are verified when its last byte has been fed; output that came before a kCorrupt may
  // be wrong.
  Result<void> Feed(std::string_view chunk, const std::function<void(std::string_view)>& sink);
  // kCorrupt when the stream ended within a member or nothing was fed at all.
  Result<void> Finish();

  class Inflate;  // one engine; see compression.cc

 private:
  std::unique_ptr<Inflate> inflate_;
  std::unique_ptr<char[]> output_;
};

// What GunzipWhole() leaves behind the text in the string's capacity, for parsers that read past its end:
// they need no copy (simdjson: SIMDJSON_PADDING).
inline constexpr std::size_t kGunzipSlack = 64;
// The whole of a gzip stream that is in memory (one member or several). kCorrupt when it is cut, broken,
// followed by something else, larger than `max_bytes`, or larger than the ratio above allows.
Result<std::string> GunzipWhole(std::string_view gzip, std::size_t max_bytes);

// `level` 0..12 (libdeflate's).
std::string Gzip(std::string_view bytes, int level = 6);

// Makes standard zstd frames that state the size of their content and carry a checksum of it, so that `zstd
// -t` finds a flipped bit. Keeps its tables (about 1 MB) from frame to frame.
class ZstdEncoder {
 public:
  explicit ZstdEncoder(int level = kZstdLevel);
  ZstdEncoder(ZstdEncoder&&) noexcept;
  ZstdEncoder& operator=(ZstdEncoder&&) noexcept;
  ~ZstdEncoder();

  // Of the frames to come.
  void SetLevel(int level);
  // Appends one frame that holds `bytes` to `out`.
  void AppendFrame(std::string_view bytes, std::string& out);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// The inverse, also with tables that are kept.
class ZstdDecoder {
 public:
  ZstdDecoder();
  ZstdDecoder(ZstdDecoder&&) noexcept;
  ZstdDecoder& operator=(ZstdDecoder&&) noexcept;
  ~ZstdDecoder();

  // The content of `frame`, which must be exactly one frame that states its size. kCorrupt when it is not,
  // when the checksum is wrong, or when the content is larger than `max_bytes`.
  Result<std::string> Unframe(std::string_view frame, std::size_t max_bytes);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// The same with tables of their own, for one frame.
std::string ZstdFrame(std::string_view bytes, int level = kZstdLevel);
Result<std::string> ZstdUnframe(std::string_view frame, std::size_t max_bytes);

// The length of the frame at the start of `bytes`, which may be followed by others: walks its block headers,
// decodes nothing. kCorrupt when there is no whole frame.
Result<std::size_t> ZstdFrameLength(std::string_view bytes);

}  // namespace tmdbc
