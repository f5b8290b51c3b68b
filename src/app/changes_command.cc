// SPDX-License-Identifier: MIT
// changes: our own change feed, for whoever keeps something up to date with the mirror. Read from the sealed
// segments beside the process at work; nothing is remembered here of who follows.
#include <poll.h>
#include <unistd.h>

#include <thread>

#include "app/command.h"
#include "app/data_dir.h"
#include "app/feed_position.h"
#include "app/output.h"
#include "app/stop_signals.h"
#include "storage/record_store.h"

namespace tmdbc {
namespace {

constexpr std::size_t kBlock = 256 << 10;  // bytes a write
constexpr std::int64_t kMaxLimit = 1'000'000'000'000;
constexpr std::chrono::seconds kPollEvery{1};
constexpr std::chrono::milliseconds kLookAtStop{50};

// Lines on their way to stdout, in blocks.
class FeedOutput {
 public:
  // Of a record's line, with its sequence number in front of the other keys.
  Result<void> Print(std::int64_t sequence, std::string_view line) {
    block_ += fmt::format(R"({{"seq":{},)", sequence);
    block_ += line.substr(1);
    block_ += '\n';
    ++lines_;
    return block_.size() >= kBlock ? Flush() : Result<void>();
  }

  Result<void> Flush() {
    if (block_.empty() || closed_) return {};
    TRY_ASSIGN(const bool read, WriteOutWhileRead(block_));
    closed_ = !read;
    block_.clear();
    return {};
  }

  // A reader that has gone away is no error, but it is noticed only by writing, or by looking.
  bool LookForReader() {
    pollfd out{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
    if (::poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) closed_ = true;
    return !closed_;
  }

  std::int64_t lines() const { return lines_; }
  bool closed() const { return closed_; }

 private:
  std::string block_;
  std::int64_t lines_ = 0;
  bool closed_ = false;
};

class Follower {
 public:
  Follower(RecordStore& store, FeedPosition position, std::optional<std::int64_t> limit, const StopFlag& stop)
      : store_(store), position_(std::move(position)), limit_(limit), stop_(stop) {}

  // Before the first line: whoever claims to have read what does not exist has mixed something up.
  Result<void> Check() {
    for (const auto& [type, sequence] : position_) {
      if (sequence == 0) continue;
      TRY_ASSIGN(const std::int64_t newest, store_.NewestSequence(type));
      if (sequence > newest) {
        return Fail(ErrorCode::kInvalid, "{} has no sequence number {}: the newest is {}", Name(type),
                    sequence, newest);
      }
    }
    return {};
  }

  // Prints what there is behind the position. False when it is not to go on: the limit is reached, the reader
  // is gone, or a stop was asked for.
  Result<bool> ReadOn() {
    for (auto& [type, sequence] : position_) {
      auto reached =
          store_.ReadFeed(type, sequence, [&](std::int64_t at, std::string_view line) -> Result<bool> {
            TRY(output_.Print(at, line));
            // Not an error, but nobody reads what the rest of the segment holds.
            if (output_.closed()) return Fail(ErrorCode::kIo, "the reader is gone");
            return GoesOn();
          });
      if (output_.closed()) return false;
      if (!reached) {
        // Nothing has been stored yet: a feed that has not begun. Whoever claims to have read of it is wrong.
        if (reached.error().code != ErrorCode::kNotFound || sequence != 0)
          return std::unexpected(reached.error());
        continue;
      }
      sequence = *reached;
      TRY(output_.Flush());
      if (!GoesOn()) return false;
    }
    return output_.LookForReader();
  }

  // Whether the feed has lines behind what was printed.
  Result<bool> MoreIsLeft() {
    for (const auto& [type, sequence] : position_) {
      TRY_ASSIGN(const std::int64_t newest, store_.NewestSequence(type));
      if (newest > sequence) return true;
    }
    return false;
  }

  bool reader_gone() const { return output_.closed(); }

 private:
  // A segment is never cut: its number would name a half of it.
  bool GoesOn() const { return !stop_.requested() && !(limit_ && output_.lines() >= *limit_); }

  RecordStore& store_;
  FeedPosition position_;
  const std::optional<std::int64_t> limit_;
  const StopFlag& stop_;
  FeedOutput output_;
};

void Sleep(const StopFlag& stop) {
  for (std::chrono::milliseconds slept{0}; slept < kPollEvery && !stop.requested(); slept += kLookAtStop)
    std::this_thread::sleep_for(kLookAtStop);
}

}  // namespace

Result<int> ChangesCommand(const Settings& settings, const Arguments& arguments) {
  TRY_ASSIGN(const std::string since, arguments.Need("--since"));
  TRY_ASSIGN(FeedPosition position, ParseFeedPosition(since, arguments.Get("--type")));
  TRY_ASSIGN(const auto limit, arguments.Number("--limit", 1, kMaxLimit));
  TRY_ASSIGN(const DataDir dir, DataDir::OpenForReading(settings.data_dir));
  TRY_ASSIGN(Database catalog, dir.OpenCatalog());
  PosixFileSystem files(dir.path());
  TRY_ASSIGN(const auto store, RecordStore::OpenReadOnly(files, catalog));
  const StopSignals signals;
  const StopFlag& stop = signals.flag();
  Follower follower(*store, std::move(position), limit, stop);
  TRY(follower.Check());
  while (true) {
    TRY_ASSIGN(const bool goes_on, follower.ReadOn());
    if (follower.reader_gone()) return kExitDone;
    if (arguments.Has("--follow")) {
      if (goes_on) Sleep(stop);
      if (stop.requested()) return kExitDone;
      if (goes_on) continue;
    }
    TRY_ASSIGN(const bool more, follower.MoreIsLeft());
    return more ? kExitPartly : kExitDone;
  }
}

}  // namespace tmdbc
