// SPDX-License-Identifier: MIT
// AnswerCache: finished answers by what was asked, the least recently used leaving first when their bytes pass a bound.
// It keeps no answer from becoming wrong: a taker asks whether it still holds (ApiHandler). One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "read_api/answer.h"

namespace tmdbc::serve {

// An answer as it goes out, in both codings.
struct FinishedAnswer {
  using Bytes = std::shared_ptr<const std::string>;

  int status = 200;
  read_api::Fidelity fidelity = read_api::Fidelity::kExact;
  std::string etag = {};
  Bytes body = {};
  Bytes gzip = {};  // null: not made yet, or not worth it
  // Header lines, each ending in CRLF: with the plain body, with the gzip, and with a 304.
  Bytes lines = {}, gzip_lines = {}, unchanged_lines = {};

  // What it rests on.
  std::vector<read_api::Source> sources = {};
  std::uint64_t index_state = 0;
  bool until_commit = false;  // any commit may change it
  Time until{};               // it is made again then, whatever happens
  std::uint64_t checked_at = 0;  // the mark of the store (StoreMark) at which it was known to hold

  std::size_t bytes() const;
};

class AnswerCache {
 public:
  // 0: keeps nothing.
  explicit AnswerCache(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  // By the canonical request; null when it is not there. It lives until the next call of a non-const function.
  FinishedAnswer* Find(std::string_view key);
  // By a target as a client writes it, which Alias() has led to it.
  FinishedAnswer* FindAlias(std::string_view target);
  // From now on `target` finds the answer of `key`, until that one leaves. The first few of each answer are kept.
  void Alias(std::string_view target, std::string_view key);
  // Takes the place of the one with that key. Null when it is larger than an eighth of all: it is not kept.
  FinishedAnswer* Put(std::string key, FinishedAnswer answer);
  // The one that was found or put last has got its gzip: that counts too.
  void Grew();
  void Remove(std::string_view key);

  std::size_t bytes() const { return bytes_; }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string key;
    FinishedAnswer answer;
    std::vector<std::string> targets = {};
    std::size_t bytes = 0;
  };
  using Entries = std::list<Entry>;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  // The keys are the strings of the entries.
  using Places = std::unordered_map<std::string_view, Entries::iterator, Hash, std::equal_to<>>;

  FinishedAnswer* Use(Places::iterator place);
  void Recount(Entry& entry);
  void Drop(Entries::iterator entry);

  const std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  Entries entries_;  // the last used first
  Places by_key_, by_target_;
};

}  // namespace tmdbc::serve
