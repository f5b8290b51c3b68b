// SPDX-License-Identifier: MIT
// MemoryChannel: a FIFO queue of SQS in memory, on a fake clock, that loses, repeats and reorders when a test says so.
// The Queue is what all share; each process that sends has a channel of its own, whose calls may fail. The test is what
// stands between queue and collectors (the event source mapping): it receives, and deletes what a collector has done.
//
//   MemoryChannel::Queue queue(clock, {.lose = 0.1});
//   MemoryChannel channel(queue);
//   channel.FailAt(2, MemoryChannel::Fault::kLosesAnswer);
//   auto delivery = queue.Receive();  // ... the work ...
//   queue.Delete(delivery->receipt);
//
// As SQS has it: one message of a lane at a time is with somebody; what is not deleted within the visibility timeout is
// received again, in its old place; after `max_receives` it is a dead letter; a name that was sent within the last five
// minutes is dropped; after the retention a message is gone. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "cloud/batch_channel.h"

namespace tmdbc::testing {

class MemoryChannel final : public BatchChannel {
 public:
  struct Options {
    std::uint64_t seed = 1;
    double lose = 0;     // of the messages sent never arrive
    double repeat = 0;   // of those received are there a second time, at once, whatever becomes of the first
    double reorder = 0;  // of those sent take a place before some that were there
    Duration visibility = std::chrono::minutes(18);
    int max_receives = 4;
    Duration retention = std::chrono::days(4);
    Duration count_every = {};  // counts are as they were up to so long ago
  };

  struct Delivery {
    std::string body;
    int lane = 0;
    int receive_count = 0;  // this one included
    std::uint64_t receipt = 0;
  };

  class Queue {
   public:
    explicit Queue(const Clock& clock) : Queue(clock, Options{}) {}
    Queue(const Clock& clock, Options options) : clock_(clock), options_(options), random_(options.seed) {}

    // The first message of a lane whose messages nobody has; empty when there is none.
    std::optional<Delivery> Receive() {
      Expire();
      for (auto message = waiting_.begin(); message != waiting_.end(); ++message) {
        if (!message->twin && LaneIsBusy(message->lane)) continue;
        if (message->receives >= options_.max_receives) {
          dead_.push_back(message->body);
          waiting_.erase(message);
          return Receive();
        }
        ++message->receives;
        Message taken = *message;
        taken.receipt = ++last_receipt_;
        taken.visible_at = clock_.Mono() + options_.visibility;
        waiting_.erase(message);
        if (!taken.twin && Chance(options_.repeat)) {
          waiting_.push_front(taken);
          waiting_.front().twin = true;
        }
        held_.push_back(taken);
        return Delivery{taken.body, taken.lane, taken.receives, taken.receipt};
      }
      return std::nullopt;
    }
    // The work is done. A receipt that is void changes nothing.
    void Delete(std::uint64_t receipt) {
      Expire();
      std::erase_if(held_, [&](const Message& message) { return message.receipt == receipt; });
    }
    // The work failed and says so: the message is visible again at once.
    void Release(std::uint64_t receipt) {
      for (Message& message : held_) {
        if (message.receipt == receipt) message.visible_at = clock_.Mono();
      }
      Expire();
    }
    // What an operator does (aws sqs purge-queue).
    void Purge() {
      waiting_.clear();
      held_.clear();
    }
    // When the next message that is with somebody becomes visible again; empty when none is.
    std::optional<MonoTime> NextVisible() const {
      std::optional<MonoTime> next;
      for (const Message& message : held_) next = std::min(next.value_or(message.visible_at), message.visible_at);
      return next;
    }
    ChannelCounts Count() {
      Expire();
      if (!counted_at_ || clock_.Mono() - *counted_at_ >= options_.count_every) {
        counted_at_ = clock_.Mono();
        counts_ = {std::ssize(waiting_), std::ssize(held_), std::ssize(dead_)};
      }
      return counts_;
    }
    const std::vector<std::string>& dead() const { return dead_; }
    // Messages that arrived, and sends of a name that were dropped as repeats.
    std::int64_t arrived() const { return arrived_; }
    std::int64_t dropped() const { return dropped_; }

   private:
    friend class MemoryChannel;
    // A deduplication id counts for so long, even after its message was deleted.
    static constexpr Duration kRemembers = std::chrono::minutes(5);

    struct Message {
      std::string body;
      int lane = 0;
      std::uint64_t place = 0;  // in the order of the lane
      MonoTime sent{};
      int receives = 0;
      std::uint64_t receipt = 0;
      MonoTime visible_at{};
      bool twin = false;  // the repeat of one that is with somebody: no lane holds it back
    };

    void Arrive(const IdBatch& batch) {
      const MonoTime now = clock_.Mono();
      if (const auto known = names_.find(batch.name); known != names_.end() && now - known->second < kRemembers) {
        ++dropped_;
        return;
      }
      names_[batch.name] = now;
      if (Chance(options_.lose)) return;
      ++arrived_;
      Message message{.body = FormatIdBatch(batch), .lane = batch.lane, .place = ++last_place_, .sent = now};
      auto at = waiting_.end();
      if (!waiting_.empty() && Chance(options_.reorder)) {
        at = waiting_.begin() + std::ptrdiff_t(random_() % waiting_.size());
        message.place = at->place;
      }
      waiting_.insert(at, std::move(message));
    }
    void Expire() {
      const MonoTime now = clock_.Mono();
      for (auto message = held_.begin(); message != held_.end();) {
        if (message->visible_at > now) {
          ++message;
          continue;
        }
        const auto behind = std::ranges::find_if(waiting_, [&](const Message& other) {
          return other.place > message->place;
        });
        waiting_.insert(behind, *message);
        message = held_.erase(message);
      }
      std::erase_if(waiting_, [&](const Message& message) { return now - message.sent >= options_.retention; });
    }
    bool LaneIsBusy(int lane) const {
      return std::ranges::any_of(held_, [&](const Message& message) { return !message.twin && message.lane == lane; });
    }
    bool Chance(double share) { return share > 0 && std::bernoulli_distribution(share)(random_); }

    const Clock& clock_;
    const Options options_;
    std::mt19937_64 random_;
    std::deque<Message> waiting_;
    std::vector<Message> held_;
    std::vector<std::string> dead_;
    std::map<std::string, MonoTime> names_;
    std::uint64_t last_place_ = 0, last_receipt_ = 0;
    std::int64_t arrived_ = 0, dropped_ = 0;
    std::optional<MonoTime> counted_at_;
    ChannelCounts counts_;
  };

  enum class Fault : std::uint8_t {
    kFails,        // nothing happens; kIo
    kDenied,       // nothing happens; kDenied
    kLosesAnswer,  // it happens; kIo
    kHalf,         // of a Send() the first half happens; kIo
    kDies,         // nothing happens, nor does any later call of this process; kIo
  };

  // `queue` outlives the channel.
  explicit MemoryChannel(Queue& queue) : queue_(queue) {}

  Result<void> Send(std::span<const IdBatch> batches) override {
    std::size_t arrive = batches.size();
    const auto fault = Called("send");
    if (fault) arrive = *fault == Fault::kLosesAnswer ? arrive : *fault == Fault::kHalf ? (arrive + 1) / 2 : 0;
    for (const IdBatch& batch : batches.first(arrive)) queue_.Arrive(batch);
    if (fault) return Failed("send", *fault);
    return {};
  }
  Result<ChannelCounts> Count() override {
    if (const auto fault = Called("count")) return Failed("count", *fault);
    return queue_.Count();
  }

  // Of this process.
  std::int64_t calls() const { return calls_; }
  // The `nth` call from now (1: the next) meets `fault`, once.
  void FailAt(std::int64_t nth, Fault fault) { faults_[calls_ + nth] = fault; }
  // Asked before every call for which FailAt() has nothing; empty: no fault. `act` is "send" or "count".
  std::function<std::optional<Fault>(std::string_view act)> choose_fault;

 private:
  std::optional<Fault> Called(std::string_view act) {
    std::optional<Fault> fault;
    if (const auto planned = faults_.find(++calls_); planned != faults_.end()) {
      fault = planned->second;
    } else if (choose_fault) {
      fault = choose_fault(act);
    }
    if (fault == Fault::kDies) dead_ = true;
    return dead_ ? Fault::kDies : fault;
  }
  static std::unexpected<Error> Failed(const char* act, Fault fault) {
    if (fault == Fault::kDenied) return Fail(ErrorCode::kDenied, "{} messages: HTTP 403 AccessDenied", act);
    return Fail(ErrorCode::kIo, "{} messages: no answer", act);
  }

  Queue& queue_;
  std::int64_t calls_ = 0;
  std::map<std::int64_t, Fault> faults_;
  bool dead_ = false;
};

}  // namespace tmdbc::testing
