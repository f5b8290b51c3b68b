// SPDX-License-Identifier: MIT
#include "answers.h"

#include <fmt/core.h>

#include "base/compression.h"
#include "md5.h"
#include "random.h"

namespace tmdbc::sim {
namespace {

// Fast rather than small: bodies are compressed once, in the thread that answers.
constexpr int kGzipLevel = 1;
// What an answer takes beside its bodies, roughly.
constexpr std::size_t kOverhead = 1500;

}  // namespace

http::Answer AnswerWith(const Prepared& prepared, bool gzip) {
  http::Answer answer;
  answer.status = prepared.status;
  answer.headers = prepared.headers;
  if (gzip) answer.headers.emplace_back("Content-Encoding", "gzip");
  answer.body = gzip ? prepared.gzip : prepared.plain;
  // A few answers have a length, most are chunked.
  answer.framing =
      prepared.plain->size() % 50 == 0 ? http::Answer::Framing::kLength : http::Answer::Framing::kChunked;
  return answer;
}

std::shared_ptr<const Prepared> Answers::Get(const std::string& key, const std::function<Reply()>& make) {
  if (const auto known = young_.find(key); known != young_.end()) return known->second;
  const auto known = old_.find(key);
  auto prepared = known != old_.end() ? known->second : Prepare(make(), key);
  // What would push out everything else is made again instead.
  if (prepared->plain->size() > max_bytes_ / 8) return prepared;
  young_bytes_ += prepared->plain->size() + prepared->gzip->size() + kOverhead;
  if (young_bytes_ > max_bytes_ / 2) {
    old_ = std::exchange(young_, {});
    young_bytes_ = 0;
  }
  young_.emplace(key, prepared);
  return prepared;
}

std::shared_ptr<const Prepared> Answers::Prepare(Reply reply, std::string_view key,
                                                 std::string_view content_type) const {
  Random random(seed_, HashText(key));
  auto prepared = std::make_shared<Prepared>();
  prepared->status = reply.status;
  prepared->path_class = reply.path_class;
  prepared->appended = reply.appended;
  auto& headers = prepared->headers;
  if (content_type != "application/json") {
    headers.emplace_back("Content-Type", content_type);
  } else {
    const auto form = random.Below(10);
    headers.emplace_back("Content-Type", form < 7   ? "application/json; charset=utf-8"
                                         : form < 9 ? "application/json;charset=utf-8"
                                                    : "application/json");
  }
  headers.emplace_back("Server", "openresty");
  headers.emplace_back("Vary", "accept-encoding, Origin");
  headers.emplace_back("Via", "1.1 0123456789abcdef.cloudfront.net (CloudFront)");
  if (reply.status == 200) {
    const auto age = random.Below(20'000);
    headers.emplace_back("Cache-Control", fmt::format("public, max-age={}", 28'800 - age));
    headers.emplace_back("ETag", fmt::format("W/\"{}\"", Md5Hex(reply.body)));
    headers.emplace_back("X-Memc", random.Chance(0.5) ? "HIT" : "MISS, STORE");
    headers.emplace_back("X-Memc-Age", std::to_string(age));
    headers.emplace_back("X-Memc-Expires", std::to_string(28'800 - age));
    headers.emplace_back("X-Cache", random.Chance(0.5) ? "Hit from cloudfront" : "Miss from cloudfront");
    headers.emplace_back("Alt-Svc", "h3=\":443\"; ma=86400");
  } else {
    headers.emplace_back("X-Cache", "Error from cloudfront");
  }
  prepared->gzip = std::make_shared<const std::string>(Gzip(reply.body, kGzipLevel));
  prepared->plain = std::make_shared<const std::string>(std::move(reply.body));
  return prepared;
}

}  // namespace tmdbc::sim
