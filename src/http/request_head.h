// SPDX-License-Identifier: MIT
// RequestHead: the request line and the header fields of an HTTP/1.x request (RFC 9112), taken apart strictly: what two
// programs could read differently is refused, so that no request hides in another. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace tmdbc::http {

struct RequestHeadLimits {
  std::size_t bytes = 16 << 10;  // of the head; more are 431
  std::size_t target = 8 << 10;  // more are 414
  std::size_t fields = 100;      // more are 431
};

// Views into the bytes that were parsed.
struct RequestHead {
  std::string_view method;
  std::string_view target;  // origin-form ("/path?query", of an absolute URL what follows the host), or "*"
  std::string_view host;    // of an absolute URL its own, else the field's
  std::vector<std::pair<std::string_view, std::string_view>> fields;  // values without the blanks around them
  std::uint64_t length = 0;  // of the body
  bool expects_continue = false;
  bool keep_alive = true;
  bool old = false;  // HTTP/1.0
};

// Why a head is refused. The connection must be closed: where the next request would begin is not known.
struct RequestRefusal {
  int status = 0;  // 400, 411, 414, 417, 431, 501, 505
  std::string_view why;
};

class RequestHeadParser {
 public:
  explicit RequestHeadParser(const RequestHeadLimits& limits) : limits_(limits) {}

  enum class Outcome : std::uint8_t { kIncomplete, kWhole, kRefused };
  // `bytes` begins with the request and is what has come so far; called again with more of the same until it is whole.
  // Looks at each byte once, but for the last line.
  Outcome Parse(std::string_view bytes);

  // When it was whole.
  const RequestHead& head() const { return head_; }
  std::size_t size() const { return size_; }  // of the head in bytes
  const RequestRefusal& refusal() const { return refusal_; }
  // For the next request.
  void Reset() { searched_ = size_ = 0; }

 private:
  bool ParseLines(std::string_view lines);
  bool ParseRequestLine(std::string_view line);
  bool ParseTarget(std::string_view target);
  bool ParseField(std::string_view line);
  bool TakeField(std::string_view name, std::string_view value);
  bool TakeConnection(std::string_view value);
  bool Judge();
  bool Refuse(int status, std::string_view why);

  const RequestHeadLimits limits_;
  std::size_t searched_ = 0;  // of the bytes: no end of the head there
  std::size_t size_ = 0;
  RequestHead head_;
  RequestRefusal refusal_;
  // Of the head under way.
  int hosts_ = 0, lengths_ = 0, encodings_ = 0;
  bool absolute_ = false, chunked_ = false;
};

}  // namespace tmdbc::http
