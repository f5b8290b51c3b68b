// SPDX-License-Identifier: MIT
#include "serve/answer_cache.h"

#include <utility>

namespace tmdbc::serve {
namespace {

// One film is asked for with and without a key, in two or three spellings; more are somebody's game.
constexpr std::size_t kMaxTargets = 4;
constexpr std::size_t kLargestShare = 8;
// Of an entry: list node, two hash nodes, shared counts.
constexpr std::size_t kOverhead = 600;

std::size_t SizeOf(const FinishedAnswer::Bytes& bytes) {
  return bytes ? bytes->size() : 0;
}

}  // namespace

std::size_t FinishedAnswer::bytes() const {
  return kOverhead + SizeOf(body) + SizeOf(gzip) + SizeOf(lines) + SizeOf(gzip_lines) +
         SizeOf(unchanged_lines) + sources.size() * sizeof(read_api::Source);
}

FinishedAnswer* AnswerCache::Use(Places::iterator place) {
  entries_.splice(entries_.begin(), entries_, place->second);
  return &place->second->answer;
}

FinishedAnswer* AnswerCache::Find(std::string_view key) {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : Use(found);
}

FinishedAnswer* AnswerCache::FindAlias(std::string_view target) {
  const auto found = by_target_.find(target);
  return found == by_target_.end() ? nullptr : Use(found);
}

void AnswerCache::Alias(std::string_view target, std::string_view key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end() || by_target_.contains(target)) return;
  Entry& entry = *found->second;
  if (entry.targets.size() == kMaxTargets) return;
  // The views of the map look into the strings: those must not move.
  entry.targets.reserve(kMaxTargets);
  by_target_.emplace(entry.targets.emplace_back(target), found->second);
  Recount(entry);
}

FinishedAnswer* AnswerCache::Put(std::string key, FinishedAnswer answer) {
  Remove(key);
  if (answer.bytes() + key.size() > max_bytes_ / kLargestShare) return nullptr;
  Entry& entry = entries_.emplace_front(std::move(key), std::move(answer));
  by_key_.emplace(entry.key, entries_.begin());
  Recount(entry);
  return &entry.answer;
}

void AnswerCache::Grew() {
  if (!entries_.empty()) Recount(entries_.front());
}

void AnswerCache::Recount(Entry& entry) {
  bytes_ -= entry.bytes;
  entry.bytes = entry.answer.bytes() + entry.key.size();
  for (const std::string& target : entry.targets) entry.bytes += target.size() + sizeof(std::string);
  bytes_ += entry.bytes;
  // What is in use stays: it is the first.
  while (bytes_ > max_bytes_ && entries_.size() > 1) Drop(std::prev(entries_.end()));
}

void AnswerCache::Remove(std::string_view key) {
  if (const auto found = by_key_.find(key); found != by_key_.end()) Drop(found->second);
}

void AnswerCache::Drop(Entries::iterator entry) {
  for (const std::string& target : entry->targets) by_target_.erase(target);
  by_key_.erase(entry->key);
  bytes_ -= entry->bytes;
  entries_.erase(entry);
}

}  // namespace tmdbc::serve
