// SPDX-License-Identifier: MIT
#include "base/compression.h"

#include <libdeflate.h>
#include <zlib.h>
#include <zstd.h>

#ifdef TMDBC_HAVE_ISAL
#include <isa-l/igzip_lib.h>
#endif

#include <algorithm>
#include <new>

namespace tmdbc {
namespace {

constexpr std::size_t kInflateBuffer = 256 << 10;
// The engines count their input in 32 bits; a chunk is fed to them in slices of this size at most.
constexpr std::size_t kInputSlice = 1 << 30;
// Header 10 bytes, an empty block 2, trailer 8.
constexpr std::size_t kSmallestGzip = 18;

std::unexpected<Error> Corrupt(std::string_view why) {
  return Fail(ErrorCode::kCorrupt, "gunzip: {}", why);
}

}  // namespace

// One engine's state for one gzip member after the other.
class GzipInflater::Inflate {
 public:
  enum class State : std::uint8_t {
    kMore,    // wants more input or more room
    kMember,  // the member has ended, checksum and length were right; unused input is left
  };
  struct Step {
    State state;
    std::size_t consumed, produced;
  };

  virtual ~Inflate() = default;
  // Inflates until the input is used up, the output is full or the member ends.
  virtual Result<Step> Run(std::string_view input, char* output, std::size_t room) = 0;
  // Makes ready for the next member.
  virtual void Restart() = 0;

  bool within_member = false;
  bool any_member = false;
};

namespace {

class ZlibInflate final : public GzipInflater::Inflate {
 public:
  ZlibInflate() {
    // 16 + 15: gzip wrapper only, the largest window.
    if (inflateInit2(&stream_, 16 + MAX_WBITS) != Z_OK) throw std::bad_alloc();
  }
  ~ZlibInflate() override { inflateEnd(&stream_); }
  ZlibInflate(const ZlibInflate&) = delete;
  ZlibInflate& operator=(const ZlibInflate&) = delete;

  Result<Step> Run(std::string_view input, char* output, std::size_t room) override {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream_.avail_in = uInt(input.size());
    stream_.next_out = reinterpret_cast<Bytef*>(output);
    stream_.avail_out = uInt(room);
    const int code = inflate(&stream_, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
      return Corrupt(stream_.msg ? stream_.msg : "bad data");
    }
    return Step{code == Z_STREAM_END ? State::kMember : State::kMore, input.size() - stream_.avail_in,
                room - stream_.avail_out};
  }
  void Restart() override { inflateReset(&stream_); }

 private:
  z_stream stream_{};
};

#ifdef TMDBC_HAVE_ISAL
class IsalInflate final : public GzipInflater::Inflate {
 public:
  IsalInflate() : state_(std::make_unique<inflate_state>()) { Start(); }

  Result<Step> Run(std::string_view input, char* output, std::size_t room) override {
    state_->next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(input.data()));
    state_->avail_in = std::uint32_t(input.size());
    state_->next_out = reinterpret_cast<std::uint8_t*>(output);
    state_->avail_out = std::uint32_t(room);
    // Read by isal_inflate() itself, a header that comes in pieces is forgotten between them.
    if (!header_read_) {
      const int code = isal_read_gzip_header(state_.get(), &header_);
      if (code < 0) return Corrupt(Why(code));
      if (code != ISAL_DECOMP_OK) return Step{State::kMore, input.size() - state_->avail_in, 0};
      header_read_ = true;
    }
    const int code = isal_inflate(state_.get());
    if (code < 0) return Corrupt(Why(code));
    if (code == ISAL_NEED_DICT) return Corrupt("needs a dictionary");
    return Step{state_->block_state == ISAL_BLOCK_FINISH ? State::kMember : State::kMore,
                input.size() - state_->avail_in, room - state_->avail_out};
  }
  void Restart() override { Start(); }

 private:
  void Start() {
    isal_inflate_init(state_.get());
    state_->crc_flag = ISAL_GZIP_NO_HDR_VER;
    isal_gzip_header_init(&header_);
    header_read_ = false;
  }
  static std::string_view Why(int code) {
    switch (code) {
      case ISAL_INVALID_BLOCK:
        return "invalid block";
      case ISAL_INVALID_SYMBOL:
        return "invalid symbol";
      case ISAL_INVALID_LOOKBACK:
        return "invalid distance";
      case ISAL_INVALID_WRAPPER:
        return "incorrect header";
      case ISAL_UNSUPPORTED_METHOD:
        return "unknown compression method";
      case ISAL_INCORRECT_CHECKSUM:
        return "incorrect checksum or length";
      default:
        return "bad data";
    }
  }

  std::unique_ptr<inflate_state> state_;  // 87 KB
  isal_gzip_header header_{};
  bool header_read_ = false;
};
#endif

std::unique_ptr<GzipInflater::Inflate> MakeInflate([[maybe_unused]] GzipInflater::Engine engine) {
#ifdef TMDBC_HAVE_ISAL
  if (engine == GzipInflater::Engine::kFastest) return std::make_unique<IsalInflate>();
#endif
  return std::make_unique<ZlibInflate>();
}

}  // namespace

GzipInflater::GzipInflater(Engine engine)
    : inflate_(MakeInflate(engine)), output_(std::make_unique_for_overwrite<char[]>(kInflateBuffer)) {}
GzipInflater::GzipInflater(GzipInflater&&) noexcept = default;
GzipInflater& GzipInflater::operator=(GzipInflater&&) noexcept = default;
GzipInflater::~GzipInflater() = default;

Result<void> GzipInflater::Feed(std::string_view chunk, const std::function<void(std::string_view)>& sink) {
  bool output_full = false;
  // An engine may hold back output when the buffer was full, so it is asked again even when the input is used
  // up.
  while (!chunk.empty() || output_full) {
    // Zeros behind a member are the padding of a block device or a mirror: gzip(1) passes over them, too.
    if (!inflate_->within_member && inflate_->any_member) {
      chunk.remove_prefix(std::min(chunk.find_first_not_of('\0'), chunk.size()));
    }
    if (!inflate_->within_member && chunk.empty()) break;
    if (!inflate_->within_member && inflate_->any_member && chunk[0] != '\x1f')
      return Corrupt("what stands behind its end is not gzip");
    const std::string_view slice = chunk.substr(0, kInputSlice);
    inflate_->within_member = true;
    TRY_ASSIGN(const auto step, inflate_->Run(slice, output_.get(), kInflateBuffer));
    if (step.produced > 0) sink(std::string_view(output_.get(), step.produced));
    output_full = step.produced == kInflateBuffer;
    chunk.remove_prefix(step.consumed);
    if (step.state == Inflate::State::kMember) {
      inflate_->within_member = false;
      inflate_->any_member = true;
      inflate_->Restart();
    } else if (step.consumed == 0 && step.produced == 0 && !slice.empty()) {
      return Corrupt("no progress");
    }
  }
  return {};
}

Result<void> GzipInflater::Finish() {
  if (inflate_->within_member) return Corrupt("the stream is cut short");
  if (!inflate_->any_member) return Corrupt("empty");
  return {};
}

namespace {

struct FreeDecompressor {
  void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
};
struct FreeCompressor {
  void operator()(libdeflate_compressor* c) const { libdeflate_free_compressor(c); }
};

// The length that a gzip stream of one member states in its last four bytes, little-endian, modulo 2^32 (RFC
// 1952 2.3.1). Only a hint: anyone can write anything there.
std::size_t StatedLength(std::string_view gzip) {
  std::size_t length = 0;
  for (std::size_t i = 1; i <= 4; ++i) length = length << 8 | std::uint8_t(gzip[gzip.size() - i]);
  return length;
}

}  // namespace

Result<std::string> GunzipWhole(std::string_view gzip, std::size_t max_bytes) {
  if (gzip.size() < kSmallestGzip) return Corrupt("the stream is cut short");
  // Its tables are memory and no state: kept for the thread's next body.
  thread_local const std::unique_ptr<libdeflate_decompressor, FreeDecompressor> inflate(
      libdeflate_alloc_decompressor());
  if (!inflate) throw std::bad_alloc();
  const std::size_t limit = std::min(max_bytes, std::max(kInflateRatioFloor, gzip.size() * kMaxInflateRatio));
  std::string out;
  std::size_t room = std::min(limit, StatedLength(gzip));
  out.reserve(room + kGunzipSlack);
  while (!gzip.empty()) {
    const std::size_t before = out.size();
    std::size_t consumed = 0, produced = 0;
    libdeflate_result result = LIBDEFLATE_BAD_DATA;
    out.resize_and_overwrite(before + room, [&](char* data, std::size_t) {
      result = libdeflate_gzip_decompress_ex(inflate.get(), gzip.data(), gzip.size(), data + before, room,
                                             &consumed, &produced);
      return result == LIBDEFLATE_SUCCESS ? before + produced : before;
    });
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE) {
      // The stated length was that of the last of several members, or a lie.
      if (before + room >= limit) {
        return Corrupt(fmt::format("{} bytes inflate to more than the {} allowed", gzip.size(), limit));
      }
      room = std::min(limit - before, std::max(room * 2, gzip.size() * 4));
      continue;
    }
    if (result != LIBDEFLATE_SUCCESS) return Corrupt("bad data or checksum, or cut short");
    gzip.remove_prefix(consumed);
    room = std::min(limit - out.size(), std::max<std::size_t>(room, 1));
  }
  return out;
}

std::string Gzip(std::string_view bytes, int level) {
  const std::unique_ptr<libdeflate_compressor, FreeCompressor> deflate(libdeflate_alloc_compressor(level));
  if (!deflate) throw std::bad_alloc();
  std::string out;
  out.resize_and_overwrite(
      libdeflate_gzip_compress_bound(deflate.get(), bytes.size()), [&](char* data, std::size_t n) {
        return libdeflate_gzip_compress(deflate.get(), bytes.data(), bytes.size(), data, n);
      });
  return out;
}

struct ZstdEncoder::Context {
  explicit Context(int level) : cctx(ZSTD_createCCtx()) {
    if (!cctx) throw std::bad_alloc();
    SetLevel(level);
    ZSTD_CCtx_setParameter(cctx, ZSTD_c_contentSizeFlag, 1);
    ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, 1);
  }
  ~Context() { ZSTD_freeCCtx(cctx); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  void SetLevel(int level) { ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, level); }

  ZSTD_CCtx* const cctx;
};

ZstdEncoder::ZstdEncoder(int level) : context_(std::make_unique<Context>(level)) {}
ZstdEncoder::ZstdEncoder(ZstdEncoder&&) noexcept = default;
ZstdEncoder& ZstdEncoder::operator=(ZstdEncoder&&) noexcept = default;
ZstdEncoder::~ZstdEncoder() = default;

void ZstdEncoder::SetLevel(int level) {
  context_->SetLevel(level);
}

void ZstdEncoder::AppendFrame(std::string_view bytes, std::string& out) {
  const std::size_t before = out.size();
  std::size_t written = 0;
  out.resize_and_overwrite(before + ZSTD_compressBound(bytes.size()), [&](char* data, std::size_t size) {
    written = ZSTD_compress2(context_->cctx, data + before, size - before, bytes.data(), bytes.size());
    return ZSTD_isError(written) ? before : before + written;
  });
  // With room for the worst case it fails only when its tables cannot be allocated.
  if (ZSTD_isError(written)) throw std::bad_alloc();
}

struct ZstdDecoder::Context {
  Context() : dctx(ZSTD_createDCtx()) {
    if (!dctx) throw std::bad_alloc();
  }
  ~Context() { ZSTD_freeDCtx(dctx); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  ZSTD_DCtx* const dctx;
};

ZstdDecoder::ZstdDecoder() : context_(std::make_unique<Context>()) {}
ZstdDecoder::ZstdDecoder(ZstdDecoder&&) noexcept = default;
ZstdDecoder& ZstdDecoder::operator=(ZstdDecoder&&) noexcept = default;
ZstdDecoder::~ZstdDecoder() = default;

Result<std::string> ZstdDecoder::Unframe(std::string_view frame, std::size_t max_bytes) {
  TRY_ASSIGN(const std::size_t length, ZstdFrameLength(frame));
  if (length != frame.size()) {
    return Fail(ErrorCode::kCorrupt, "unzstd: {} bytes after the frame", frame.size() - length);
  }
  const unsigned long long stated = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (stated == ZSTD_CONTENTSIZE_UNKNOWN || stated == ZSTD_CONTENTSIZE_ERROR) {
    return Fail(ErrorCode::kCorrupt, "unzstd: the frame does not state its size");
  }
  if (stated > max_bytes) {
    return Fail(ErrorCode::kCorrupt, "unzstd: the frame holds {} bytes, {} are allowed", stated, max_bytes);
  }
  std::string out;
  std::size_t written = 0;
  out.resize_and_overwrite(std::size_t(stated), [&](char* data, std::size_t size) {
    written = ZSTD_decompressDCtx(context_->dctx, data, size, frame.data(), frame.size());
    return ZSTD_isError(written) ? 0 : written;
  });
  if (ZSTD_isError(written)) return Fail(ErrorCode::kCorrupt, "unzstd: {}", ZSTD_getErrorName(written));
  return out;
}

std::string ZstdFrame(std::string_view bytes, int level) {
  std::string out;
  ZstdEncoder(level).AppendFrame(bytes, out);
  return out;
}

Result<std::string> ZstdUnframe(std::string_view frame, std::size_t max_bytes) {
  return ZstdDecoder().Unframe(frame, max_bytes);
}

Result<std::size_t> ZstdFrameLength(std::string_view bytes) {
  const std::size_t length = ZSTD_findFrameCompressedSize(bytes.data(), bytes.size());
  if (ZSTD_isError(length))
    return Fail(ErrorCode::kCorrupt, "unzstd: no whole frame: {}", ZSTD_getErrorName(length));
  return length;
}

}  // namespace tmdbc
