// SPDX-License-Identifier: MIT
// Answers: replies dressed as TMDB sends them (headers, ETag, gzip, framing), and kept, since the world does
// not change: sending one again costs no compression. Sources: docs/tmdb-facts.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api.h"
#include "http/server.h"

namespace tmdbc::sim {

// An answer that is ready to be sent again and again.
struct Prepared {
  int status = 200;
  std::string_view path_class;
  int appended = 0;
  std::vector<http::Header> headers;
  std::shared_ptr<const std::string> plain;
  std::shared_ptr<const std::string> gzip;  // null for an export, which has one form only
};

// With the encoding that the client wants.
http::Answer AnswerWith(const Prepared& prepared, bool gzip);

// Bounded by `max_bytes`: two generations; when the young one holds half of it, it becomes the old one, and
// what the old one held is forgotten.
class Answers {
 public:
  Answers(std::uint64_t seed, std::size_t max_bytes) : seed_(seed), max_bytes_(max_bytes) {}

  // The answer kept under `key`, or the one that `make` gives.
  std::shared_ptr<const Prepared> Get(const std::string& key, const std::function<Reply()>& make);
  // One that is not kept. What varies at TMDB (spelling of the Content-Type, cache headers) follows from the
  // seed and the key.
  std::shared_ptr<const Prepared> Prepare(Reply reply, std::string_view key,
                                          std::string_view content_type = "application/json") const;
  // It had to forget something.
  bool full() const { return !old_.empty(); }

 private:
  using Generation = std::unordered_map<std::string, std::shared_ptr<const Prepared>>;

  const std::uint64_t seed_;
  const std::size_t max_bytes_;
  Generation young_, old_;
  std::size_t young_bytes_ = 0;
};

}  // namespace tmdbc::sim
