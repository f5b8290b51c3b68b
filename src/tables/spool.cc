// SPDX-License-Identifier: MIT
#include "tables/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/system_error.h"

namespace tmdbc::tables {
namespace {

constexpr std::uint64_t kMaxBuffered = 64 << 20;
constexpr std::size_t kMaxBuffer = 256 << 10;            // of one bucket
constexpr std::size_t kHead = 2 * sizeof(std::int64_t);  // ordinal, length

}  // namespace

Result<Spool> Spool::Create(std::string path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return SystemError("make", path, errno);
  return Spool(std::move(path), file);
}

Spool::Spool(Spool&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      size_(other.size_),
      buffered_(other.buffered_),
      buckets_(std::move(other.buckets_)),
      encoder_(std::move(other.encoder_)),
      decoder_(std::move(other.decoder_)) {}

Spool::~Spool() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(path_.c_str());
}

Result<void> Spool::Add(std::int64_t bucket_number, std::int64_t ordinal, std::string_view line) {
  Bucket& bucket = buckets_[bucket_number];
  if (bucket.buffer.empty()) bucket.buffer = std::move(spare_);
  const std::int64_t head[] = {ordinal, std::int64_t(line.size())};
  bucket.buffer.append(reinterpret_cast<const char*>(head), kHead);
  bucket.buffer += line;
  buffered_ += kHead + line.size();
  if (bucket.buffer.size() >= kMaxBuffer) return Flush(bucket);
  if (buffered_ < kMaxBuffered) return {};
  for (auto& [number, other] : buckets_) TRY(Flush(other));
  return {};
}

Result<void> Spool::Flush(Bucket& bucket) {
  if (bucket.buffer.empty()) return {};
  std::string frame;
  encoder_.AppendFrame(bucket.buffer, frame);
  for (std::size_t written = 0; written < frame.size();) {
    const ssize_t some =
        ::pwrite(file_, frame.data() + written, frame.size() - written, off_t(size_ + written));
    if (some < 0 && errno == EINTR) continue;
    if (some <= 0) return SystemError("write", path_, errno);
    written += std::size_t(some);
  }
  bucket.frames.push_back({size_, std::uint32_t(frame.size()), std::uint32_t(bucket.buffer.size())});
  size_ += frame.size();
  buffered_ -= bucket.buffer.size();
  // Others have their memory back.
  spare_ = std::exchange(bucket.buffer, {});
  spare_.clear();
  return {};
}

std::vector<std::int64_t> Spool::Buckets() const {
  std::vector<std::int64_t> numbers;
  for (const auto& [number, bucket] : buckets_) numbers.push_back(number);
  return numbers;
}

Result<void> Spool::Read(std::int64_t number, const Visit& visit) {
  const auto found = buckets_.find(number);
  if (found == buckets_.end()) return {};
  TRY(Flush(found->second));
  std::string frame;
  for (const Frame& one : found->second.frames) {
    frame.resize(one.length);
    for (std::size_t read = 0; read < frame.size();) {
      const ssize_t some = ::pread(file_, frame.data() + read, frame.size() - read, off_t(one.at + read));
      if (some < 0 && errno == EINTR) continue;
      if (some <= 0) return SystemError("read", path_, errno);
      read += std::size_t(some);
    }
    TRY_ASSIGN(const std::string content, decoder_.Unframe(frame, one.content));
    for (std::string_view rest = content; !rest.empty();) {
      std::int64_t head[2];
      std::memcpy(head, rest.data(), kHead);
      TRY(visit(head[0], rest.substr(kHead, std::size_t(head[1]))));
      rest.remove_prefix(kHead + std::size_t(head[1]));
    }
  }
  return {};
}

}  // namespace tmdbc::tables
