// SPDX-License-Identifier: MIT
#include "queue/memory_queue.h"

#include <algorithm>
#include <string>

namespace tmdbc {
namespace {

bool Matches(MediaType type, std::optional<MediaType> wanted) {
  return !wanted || type == *wanted;
}

}  // namespace

void MemoryIdQueue::FreeLeases() {
  for (auto& [receipt, hidden] : hidden_) {
    if (hidden.held) hidden.visible_at = clock_.Mono();
  }
  Surface();
}

void MemoryIdQueue::Surface() {
  for (auto it = hidden_.begin(); it != hidden_.end();) {
    if (it->second.visible_at > clock_.Mono()) {
      ++it;
      continue;
    }
    waiting_.emplace(it->second.place, it->second.facts);
    it = hidden_.erase(it);
  }
}

std::map<Receipt, MemoryIdQueue::Hidden>::iterator MemoryIdQueue::Held(Receipt receipt) {
  const auto it = hidden_.find(receipt);
  if (it == hidden_.end() || !it->second.held || it->second.visible_at <= clock_.Mono()) return hidden_.end();
  return it;
}

void MemoryIdQueue::AddDead(const Place& place, int receives, std::string_view reason) {
  dead_.push_back({.id = place.id,
                   .popularity = place.popularity,
                   .receive_count = receives,
                   .reason = std::string(reason),
                   .died = clock_.Now()});
}

Result<std::int64_t> MemoryIdQueue::Send(std::span<const QueueItem> items) {
  ++last_sending_;
  std::int64_t added = 0;
  for (const QueueItem& item : items) {
    const auto [known, is_new] = popularity_.emplace(item.id, item.popularity);
    if (!is_new) {
      Merge(item, known->second);
      continue;
    }
    waiting_.emplace(Place{item.popularity, item.id},
                     Facts{.receives = 0, .sending = last_sending_, .sent = clock_.Now()});
    ++added;
  }
  return added;
}

void MemoryIdQueue::Merge(const QueueItem& item, float& popularity) {
  const float raised = std::max(popularity, item.popularity);
  if (auto node = waiting_.extract(Place{popularity, item.id})) {
    node.key().popularity = raised;
    waiting_.insert(std::move(node));
    popularity = raised;
    return;
  }
  for (auto& [receipt, hidden] : hidden_) {
    if (hidden.place.id != item.id) continue;
    hidden.place.popularity = popularity = raised;
    hidden.again = hidden.held && hidden.visible_at > clock_.Mono();
  }
}

Result<std::vector<Message>> MemoryIdQueue::Receive(int max, std::chrono::seconds visibility) {
  Surface();
  std::vector<Message> messages;
  while (int(messages.size()) < max && !waiting_.empty()) {
    auto [place, facts] = *waiting_.begin();
    waiting_.erase(waiting_.begin());
    if (facts.receives >= options_.max_receives) {
      AddDead(place, facts.receives, fmt::format("received {} times and never settled", facts.receives));
      continue;
    }
    ++facts.receives;
    const Receipt receipt = ++last_receipt_;
    hidden_.emplace(receipt, Hidden{place, facts, clock_.Mono() + options_.Bounded(visibility), true});
    messages.push_back({place.id, place.popularity, facts.receives, receipt});
  }
  return messages;
}

Result<void> MemoryIdQueue::Settle(std::span<const Receipt> receipts) {
  for (const Receipt receipt : receipts) {
    const auto it = Held(receipt);
    if (it == hidden_.end()) continue;
    if (it->second.again) {
      it->second.facts.receives = 0;
      waiting_.emplace(it->second.place, it->second.facts);
    } else {
      popularity_.erase(it->second.place.id);
    }
    hidden_.erase(it);
  }
  return {};
}

Result<void> MemoryIdQueue::Release(std::span<const Receipt> receipts, Duration delay, bool uncount) {
  for (const Receipt receipt : receipts) {
    const auto it = Held(receipt);
    if (it == hidden_.end()) continue;
    it->second.held = false;
    it->second.visible_at = clock_.Mono() + options_.Bounded(delay);
    if (uncount) --it->second.facts.receives;
  }
  return {};
}

Result<void> MemoryIdQueue::Extend(std::span<const Receipt> receipts, std::chrono::seconds visibility) {
  for (const Receipt receipt : receipts) {
    const auto it = Held(receipt);
    if (it != hidden_.end()) it->second.visible_at = clock_.Mono() + options_.Bounded(visibility);
  }
  return {};
}

Result<void> MemoryIdQueue::Bury(Receipt receipt, std::string_view reason) {
  const auto it = Held(receipt);
  if (it == hidden_.end()) return {};
  AddDead(it->second.place, it->second.facts.receives, reason);
  hidden_.erase(it);
  return {};
}

Result<std::vector<DeadLetter>> MemoryIdQueue::DeadLetters(std::optional<MediaType> type, int max) {
  std::vector<DeadLetter> letters;
  for (auto it = dead_.rbegin(); it != dead_.rend() && int(letters.size()) < max; ++it) {
    if (Matches(it->id.type, type)) letters.push_back(*it);
  }
  return letters;
}

Result<std::vector<QueueItem>> MemoryIdQueue::Peek(std::optional<MediaType> type, int max) {
  Surface();
  std::vector<QueueItem> items;
  for (const auto& [place, facts] : waiting_) {
    if (int(items.size()) >= max) break;
    if (Matches(place.id.type, type) && facts.receives < options_.max_receives) {
      items.push_back({place.id, place.popularity});
    }
  }
  return items;
}

Result<std::int64_t> MemoryIdQueue::Redrive(std::optional<MediaType> type, Time died_before) {
  ++last_sending_;
  return std::int64_t(std::erase_if(dead_, [&](const DeadLetter& letter) {
    const bool rests = letter.died >= died_before && letter.died <= clock_.Now();
    if (!Matches(letter.id.type, type) || rests) return false;
    waiting_.emplace(Place{letter.popularity, letter.id},
                     Facts{.receives = 0, .sending = last_sending_, .sent = clock_.Now()});
    return true;
  }));
}

Result<std::int64_t> MemoryIdQueue::Purge(std::optional<MediaType> type, bool dead) {
  const auto forget = [&](MediaId id) {
    if (!Matches(id.type, type)) return false;
    popularity_.erase(id);
    return true;
  };
  if (dead) {
    return std::int64_t(std::erase_if(dead_, [&](const DeadLetter& letter) { return forget(letter.id); }));
  }
  return std::int64_t(
      std::erase_if(waiting_, [&](const auto& entry) { return forget(entry.first.id); }) +
      std::erase_if(hidden_, [&](const auto& entry) { return forget(entry.second.place.id); }));
}

Result<std::map<MediaType, QueueCounts>> MemoryIdQueue::Counts() {
  Surface();
  std::map<MediaType, QueueCounts> counts;
  for (const auto& [place, facts] : waiting_) ++counts[place.id.type].waiting;
  for (const auto& [receipt, hidden] : hidden_) {
    QueueCounts& of_type = counts[hidden.place.id.type];
    ++(hidden.held ? of_type.in_flight : of_type.delayed);
  }
  for (const DeadLetter& letter : dead_) ++counts[letter.id.type].dead;
  return counts;
}

Result<std::optional<Time>> MemoryIdQueue::NextVisible() {
  Surface();
  if (!waiting_.empty()) return clock_.Now();
  std::optional<MonoTime> next;
  for (const auto& [receipt, hidden] : hidden_)
    next = next ? std::min(*next, hidden.visible_at) : hidden.visible_at;
  if (!next) return std::nullopt;
  return clock_.Now() + (*next - clock_.Mono());
}

Result<std::optional<Time>> MemoryIdQueue::OldestSent() {
  const Facts* oldest = nullptr;
  const auto consider = [&](const Facts& facts) {
    if (oldest == nullptr || facts.sending < oldest->sending) oldest = &facts;
  };
  for (const auto& [place, facts] : waiting_) consider(facts);
  for (const auto& [receipt, hidden] : hidden_) consider(hidden.facts);
  if (oldest == nullptr) return std::nullopt;
  return oldest->sent;
}

}  // namespace tmdbc
