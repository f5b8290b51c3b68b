// SPDX-License-Identifier: MIT
// changes: our own change feed, for programs that keep something up to date with the mirror. Read from the sealed
// segments beside the process at work; nothing is remembered here of the followers.
#include <functional>
#include <thread>

#include "app/command.h"
#include "app/feed_position.h"
#include "app/opened_store.h"
#include "app/output.h"
#include "app/stop_signals.h"
#include "base/json_writer.h"
#include "base/words.h"
#include "storage/change_feed.h"

namespace tmdbc {
namespace {

constexpr std::size_t kBlock = 256 << 10;  // bytes a write
constexpr std::int64_t kMaxLimit = 1'000'000'000'000;
constexpr std::chrono::seconds kPollEvery{1};
constexpr std::chrono::milliseconds kCheckStop{50};

// Lines on their way to stdout, in blocks.
class FeedOutput {
 public:
  explicit FeedOutput(const StopFlag& stop) : out_(stop) {}

  // Of a record's line, with its sequence number in front of the other keys.
  Result<void> Print(std::int64_t sequence, std::string_view line) {
    block_ += fmt::format(R"({{"seq":{},)", sequence);
    block_ += line.substr(1);
    block_ += '\n';
    ++lines_;
    return block_.size() >= kBlock ? Flush() : Result<void>();
  }

  // Of a stretch that cannot be read: no record has this key.
  Result<void> Print(MediaType type, const FeedDamage& damage) {
    JsonWriter json;
    json.BeginObject()
        .Field("seq", damage.sequence)
        .Field("type", Name(type))
        .Field("damaged", damage.file)
        .Field("offset", damage.offset)
        .Field("what", damage.what)
        .EndObject();
    block_ += json.text() + "\n";
    ++lines_;
    return {};
  }

  Result<void> Flush() {
    TRY(out_.Write(block_));
    block_.clear();
    return {};
  }

  OutStream& out() { return out_; }
  std::int64_t lines() const { return lines_; }

 private:
  OutStream out_;
  std::string block_;
  std::int64_t lines_ = 0;
};

class Follower {
 public:
  Follower(FeedPosition position, std::optional<std::int64_t> limit, bool skip_damaged, const StopFlag& stop)
      : position_(std::move(position)),
        limit_(limit),
        skip_damaged_(skip_damaged),
        stop_(stop),
        output_(stop) {}

  // Before the first line: a follower that claims to have read what does not exist has mixed something up.
  Result<void> Check(ChangeFeed& feed) {
    for (const auto& [type, sequence] : position_) {
      if (sequence == 0) continue;
      TRY_ASSIGN(const std::int64_t newest, feed.NewestSequence(type));
      if (sequence > newest) {
        return Fail(ErrorCode::kInvalid, "{} has no sequence number {}: the newest is {}", Name(type),
                    sequence, newest);
      }
    }
    return {};
  }

  // Prints what there is behind the position. False when it is not to go on: the limit is reached, the reader
  // does not read, or a stop was asked for.
  Result<bool> ReadOn(ChangeFeed& feed) {
    for (auto& [type, sequence] : position_) {
      const auto print = [&](std::int64_t at, std::string_view line) -> Result<bool> {
        TRY(output_.Print(at, line));
        // Not an error of the store's, but nobody reads what the rest of the segment holds.
        if (!IsRead()) return Fail(ErrorCode::kIo, "the reader does not read on");
        return GoesOn();
      };
      std::function<Result<void>(const FeedDamage&)> skip;
      if (skip_damaged_) {
        skip = [&, this](const FeedDamage& damage) {
          skipped_ = true;
          return output_.Print(type, damage);
        };
      }
      auto reached = feed.Read(type, sequence, print, skip);
      if (!IsRead()) return false;
      if (!reached) {
        // Nothing has been stored yet: a feed that has not begun. A follower that claims to have read of it is wrong.
        if (reached.error().code != ErrorCode::kNotFound || sequence != 0)
          return std::unexpected(reached.error());
        continue;
      }
      TRY(output_.Flush());
      if (!IsRead()) return false;
      sequence = *reached;
      if (!GoesOn()) return false;
    }
    return output_.out().Check() == OutStream::Reader::kReads;
  }

  // Whether the feed has lines behind what was printed.
  Result<bool> MoreIsLeft(ChangeFeed& feed) {
    for (const auto& [type, sequence] : position_) {
      TRY_ASSIGN(const std::int64_t newest, feed.NewestSequence(type));
      if (newest > sequence) return true;
    }
    return false;
  }

  OutStream::Reader reader() { return output_.out().reader(); }
  // Whether something was damaged and left out.
  bool skipped() const { return skipped_; }

 private:
  bool IsRead() { return reader() == OutStream::Reader::kReads; }
  // A segment is never cut: its number would name a half of it.
  bool GoesOn() const { return !stop_.requested() && !(limit_ && output_.lines() >= *limit_); }

  FeedPosition position_;
  const std::optional<std::int64_t> limit_;
  const bool skip_damaged_;
  const StopFlag& stop_;
  FeedOutput output_;
  bool skipped_ = false;
};

void Sleep(const StopFlag& stop) {
  for (std::chrono::milliseconds slept{0}; slept < kPollEvery && !stop.requested(); slept += kCheckStop)
    std::this_thread::sleep_for(kCheckStop);
}

}  // namespace

Result<int> ChangesCommand(const Settings& settings, const Arguments& arguments) {
  TRY_ASSIGN(const std::string since, arguments.Need("--since"));
  TRY_ASSIGN(FeedPosition position, ParseFeedPosition(since, arguments.Get("--type")));
  TRY_ASSIGN(const auto limit, arguments.Number("--limit", 1, kMaxLimit));
  const StopSignals signals;
  const StopFlag& stop = signals.flag();
  const bool follow = arguments.Has("--follow");
  Follower follower(std::move(position), limit, arguments.Has("--skip-damaged"), stop);
  for (bool first = true;; first = false) {
    // Opened for each look: a database that nobody could write to was read as one that nobody changes.
    TRY_ASSIGN(const auto store, OpenedStore::ForReading(settings));
    if (first) TRY(follower.Check(store->feed));
    TRY_ASSIGN(const bool goes_on, follower.ReadOn(store->feed));
    if (follower.reader() == OutStream::Reader::kGone) return kExitDone;
    if (follower.reader() == OutStream::Reader::kStalled) {
      // A follower takes a number for complete when the next one comes. Without --follow the exit code
      // says that all is complete, so it must not be 0 or 1.
      if (follow) return kExitPartly;
      return Fail(
          ErrorCode::kIo,
          "write to stdout: stopped while nobody read, the last lines are missing: go on from --since={}",
          ShowValue(since));
    }
    if (follow && goes_on) {
      Sleep(stop);
      if (!stop.requested()) continue;
    }
    TRY_ASSIGN(const bool more, follower.MoreIsLeft(store->feed));
    return more || follower.skipped() ? kExitPartly : kExitDone;
  }
}

}  // namespace tmdbc
