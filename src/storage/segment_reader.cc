// SPDX-License-Identifier: MIT
#include "storage/segment_reader.h"

#include <libdeflate.h>

#include <algorithm>

#include "storage/record_line.h"
#include "storage/segment_path.h"

namespace tmdbc {
namespace {

constexpr std::string_view kFrameMagic = "\x28\xb5\x2f\xfd";  // RFC 8878 section 3.1.1
constexpr std::uint64_t kWindowBytes = 1 << 20;
constexpr std::uint64_t kBlockBytes = 4096;  // what a disk loses at once

// Decoders take a frame without a checksum; we never write one, so that a flipped flag is no way around it
// (RFC 8878 section 3.1.1.1.1.5).
bool HasChecksum(std::string_view frame) {
  return (static_cast<unsigned char>(frame[4]) & 0x04) != 0;
}

}  // namespace

Result<std::string> ReadFrame(BlobReader& files, MediaType type, const Place& place) {
  const std::string sealed = SealedPath(type, place.segment);
  auto bytes = files.Read(sealed, place.frame_at, place.frame_length);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) {
    bytes = files.Read(OpenPath(type, place.segment), place.frame_at, place.frame_length);
  }
  // Sealed between the two.
  if (!bytes && bytes.error().code == ErrorCode::kNotFound)
    bytes = files.Read(sealed, place.frame_at, place.frame_length);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound)
    return Fail(ErrorCode::kCorrupt, "{} is missing", sealed);
  return bytes;
}

Result<std::string_view> LineAt(std::string_view content, std::uint64_t line_at) {
  if (line_at < content.size() && (line_at == 0 || content[line_at - 1] == '\n')) {
    const auto end = content.find('\n', line_at);
    if (end != std::string_view::npos) return content.substr(line_at, end - line_at);
  }
  return Fail(ErrorCode::kCorrupt, "no line begins at byte {} of the frame", line_at);
}

Result<std::optional<SegmentOrigin>> ReadOrigin(BlobReader& files, const std::string& path) {
  constexpr std::uint64_t kFirstRead = 4096;  // most are shorter
  TRY_ASSIGN(std::string bytes, files.Read(path, 0, kFirstRead));
  if (!bytes.starts_with(kOriginMagic)) return std::nullopt;
  const std::size_t length = OriginFrameLength(bytes);
  if (length > bytes.size()) {
    TRY_ASSIGN(bytes, files.Read(path, 0, length));
  }
  if (length == 0 || bytes.size() < length)
    return Fail(ErrorCode::kCorrupt, "{} is cut in its first frame", path);
  auto origin = ParseOrigin(std::string_view(bytes).substr(kOriginHead, length - kOriginHead));
  if (!origin) return Fail(ErrorCode::kCorrupt, "{}: {}", path, origin.error().message);
  return *std::move(origin);
}

Result<std::uint32_t> CrcOf(BlobReader& files, const std::string& path, std::uint64_t end) {
  std::uint32_t crc = 0;
  for (std::uint64_t at = 0; at < end; at += kWindowBytes) {
    TRY_ASSIGN(const std::string bytes, files.Read(path, at, std::min(kWindowBytes, end - at)));
    crc = libdeflate_crc32(crc, bytes.data(), bytes.size());
  }
  return crc;
}

SegmentReader::SegmentReader(BlobReader& files, std::string path, std::uint64_t end, std::uint64_t begin)
    : files_(files), path_(std::move(path)), end_(end), buffer_at_(begin), at_(begin) {}

Result<std::string_view> SegmentReader::Window(std::uint64_t length) {
  length = std::min(length, end_ - at_);
  std::size_t done = at_ - buffer_at_;
  if (buffer_.size() - done < length) {
    // What is done with goes only when more is read: once a MiB, not once a frame.
    buffer_.erase(0, done);
    buffer_at_ = at_;
    done = 0;
    const std::uint64_t from = buffer_at_ + buffer_.size();
    const std::uint64_t wanted = std::min(std::max(length - buffer_.size(), kWindowBytes), end_ - from);
    TRY_ASSIGN(const std::string more, ReadAround(from, wanted));
    if (more.size() != wanted) {
      return Fail(ErrorCode::kCorrupt, "{} ends at byte {}, {} were expected", path_, from + more.size(),
                  end_);
    }
    crc_ = libdeflate_crc32(crc_, more.data(), more.size());
    buffer_ += more;
  }
  return std::string_view(buffer_).substr(done);
}

Result<std::string> SegmentReader::ReadAround(std::uint64_t from, std::uint64_t length) {
  auto bytes = files_.Read(path_, from, length);
  if (bytes || bytes.error().code != ErrorCode::kUnreadable) return bytes;
  std::string around;
  for (std::uint64_t at = from; at < from + length;) {
    const std::uint64_t end = std::min(from + length, (at / kBlockBytes + 1) * kBlockBytes);
    bytes = files_.Read(path_, at, end - at);
    if (bytes && bytes->size() < end - at) return around + *bytes;
    if (bytes) {
      around += *bytes;
    } else if (bytes.error().code == ErrorCode::kUnreadable) {
      around.append(end - at, '\0');
      unreadable_.emplace_back(at, end);
    } else {
      return bytes;
    }
    at = end;
  }
  return around;
}

bool SegmentReader::Unreadable(std::uint64_t from, std::uint64_t to) const {
  return std::ranges::any_of(unreadable_, [&](const auto& range) { return range.first < to && from < range.second; });
}

Result<SegmentReader::Frame> SegmentReader::TryFrame(std::uint64_t skip) {
  const std::uint64_t left = end_ - at_;
  Frame frame;
  frame.at = at_ + skip;
  for (std::uint64_t wanted = skip + 1;; wanted *= 2) {
    TRY_ASSIGN(std::string_view window, Window(wanted));
    const bool whole = window.size() >= left;
    window = window.substr(skip, left - skip);
    if (frame.at == 0 && window.starts_with(kOriginMagic)) return TakeOrigin(std::move(frame));
    const auto length = ZstdFrameLength(window);
    if (!length && !whole && window.size() < kMaxLineBytes) {
      wanted = std::max<std::uint64_t>(wanted, skip + window.size());
      continue;  // perhaps the frame is only longer than what has been read
    }
    if (!length) {
      frame.damage = "no whole zstd frame";
      return frame;
    }
    auto content = decoder_.Unframe(window.substr(0, *length), kMaxLineBytes);
    frame.length = *length;
    if (content && !HasChecksum(window)) {
      frame.damage = "it has no checksum";
    } else if (!content) {
      frame.damage = content.error().message;
    } else {
      frame.content = *std::move(content);
    }
    return frame;
  }
}

Result<SegmentReader::Frame> SegmentReader::TakeOrigin(Frame frame) {
  TRY_ASSIGN(std::string_view window, Window(kOriginHead));
  frame.length = OriginFrameLength(window);
  if (frame.length > 0) {
    TRY_ASSIGN(window, Window(frame.length));
  }
  if (frame.length == 0 || window.size() < frame.length) {
    frame.damage = "its first frame, which says what it stands for, is cut";
    return frame;
  }
  auto origin = ParseOrigin(window.substr(kOriginHead, frame.length - kOriginHead));
  if (origin) {
    frame.origin = *std::move(origin);
  } else {
    frame.damage = origin.error().message;
  }
  return frame;
}

Result<std::optional<SegmentReader::Frame>> SegmentReader::Next() {
  if (at_ >= end_) return std::nullopt;
  TRY_ASSIGN(Frame frame, TryFrame(0));
  if (frame.damage.empty()) {
    at_ += frame.length;
    return frame;
  }
  // The length of a damaged frame cannot be trusted: the next whole frame begins at the next magic number
  // behind which everything, the checksum included, is as it should be.
  std::uint64_t skip = 1;
  while (true) {
    TRY_ASSIGN(const std::string_view window, Window(skip + kWindowBytes));
    const auto magic = window.find(kFrameMagic, skip);
    if (magic == std::string_view::npos) {
      if (at_ + window.size() >= end_) {
        skip = end_ - at_;
        break;
      }
      skip = window.size() - kFrameMagic.size() + 1;
      continue;
    }
    TRY_ASSIGN(const Frame candidate, TryFrame(magic));
    skip = magic;
    if (candidate.damage.empty()) break;
    ++skip;
  }
  frame.length = skip;
  at_ += skip;
  if (Unreadable(frame.at, frame.at + frame.length)) frame.damage = "the disk does not give it back";
  return frame;
}

}  // namespace tmdbc
