// SPDX-License-Identifier: MIT
#include "base/zstd_start.h"

#include <zstd.h>

#include <algorithm>
#include <new>

#include "base/compression.h"

namespace tmdbc {

struct ZstdStart::Context {
  Context() : stream(ZSTD_createDCtx()) {
    if (!stream) throw std::bad_alloc();
  }
  ~Context() { ZSTD_freeDCtx(stream); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  ZSTD_DCtx* const stream;
};

ZstdStart::ZstdStart() : context_(std::make_unique<Context>()) {}
ZstdStart::ZstdStart(ZstdStart&&) noexcept = default;
ZstdStart& ZstdStart::operator=(ZstdStart&&) noexcept = default;
ZstdStart::~ZstdStart() = default;

Result<std::string> ZstdStart::Of(std::string_view frame, std::size_t wanted, std::size_t max_bytes) {
  TRY_ASSIGN(const std::size_t length, ZstdFrameLength(frame));
  if (length != frame.size())
    return Fail(ErrorCode::kCorrupt, "unzstd: {} bytes after the frame", frame.size() - length);
  const unsigned long long stated = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (stated == ZSTD_CONTENTSIZE_UNKNOWN || stated == ZSTD_CONTENTSIZE_ERROR)
    return Fail(ErrorCode::kCorrupt, "unzstd: the frame does not state its size");
  if (stated > max_bytes)
    return Fail(ErrorCode::kCorrupt, "unzstd: the frame holds {} bytes, {} are allowed", stated, max_bytes);
  const std::size_t size = std::min<std::size_t>(wanted, stated);
  ZSTD_DCtx_reset(context_->stream, ZSTD_reset_session_only);
  std::string out;
  std::size_t left = 0;  // what zstd says of the rest; 0: the frame was read to its end
  out.resize_and_overwrite(size, [&](char* data, std::size_t) {
    ZSTD_inBuffer from{frame.data(), frame.size(), 0};
    ZSTD_outBuffer to{data, size, 0};
    // It comes back when either is used up, and all of the frame is here.
    left = ZSTD_decompressStream(context_->stream, &to, &from);
    return ZSTD_isError(left) ? 0 : to.pos;
  });
  if (ZSTD_isError(left)) return Fail(ErrorCode::kCorrupt, "unzstd: {}", ZSTD_getErrorName(left));
  if (out.size() != size || (size == stated && left != 0))
    return Fail(ErrorCode::kCorrupt, "unzstd: the frame holds something else than it states");
  return out;
}

}  // namespace tmdbc
