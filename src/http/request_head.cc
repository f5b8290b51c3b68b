// SPDX-License-Identifier: MIT
#include "http/request_head.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace tmdbc::http {
namespace {

constexpr std::size_t kLongestMethod = 32;
constexpr std::size_t kMostDigits = 18;  // of a length: no overflow

enum CharClass : std::uint8_t { kToken = 1, kInTarget = 2, kInValue = 4, kInHost = 8 };

constexpr auto kClasses = [] {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    const auto one_of = [c](std::string_view set) { return c < 0x80 && set.contains(char(c)); };
    if (letter || digit || one_of("!#$%&'*+-.^_`|~")) classes[c] |= kToken;
    // Bytes beyond ASCII are no URL, but clients send them and everybody reads them alike.
    if (c > ' ' && c != 0x7f && c != '#') classes[c] |= kInTarget;
    if ((c >= ' ' && c != 0x7f) || c == '\t') classes[c] |= kInValue;
    if (letter || digit || one_of("-._~%!$&'()*+,;=:[]")) classes[c] |= kInHost;
  }
  return classes;
}();

bool AllAre(CharClass wanted, std::string_view text) {
  return std::ranges::all_of(text, [wanted](unsigned char c) { return (kClasses[c] & wanted) != 0; });
}

char LowerOf(char c) {
  return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
}

// `lower` is in lower case.
bool IsWord(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) { return LowerOf(a) == b; });
}

std::string_view Stripped(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool RequestHeadParser::Refuse(int status, std::string_view why) {
  refusal_ = {status, why};
  return false;
}

RequestHeadParser::Outcome RequestHeadParser::Parse(std::string_view bytes) {
  // An empty line before a request is an old client's slip (RFC 9112 section 2.2): one is let pass.
  const std::size_t begin = bytes.starts_with("\r\n") ? 2 : 0;
  const std::size_t from = std::max(begin, searched_ > 3 ? searched_ - 3 : 0);
  const std::size_t end = bytes.find("\r\n\r\n", from);
  searched_ = bytes.size();
  const std::size_t length = end == std::string_view::npos ? bytes.size() : end + 4;
  if (length > limits_.bytes) {
    const std::size_t line = std::min(bytes.find("\r\n", begin), bytes.size());
    const bool long_target = line - begin > limits_.target;
    long_target ? Refuse(414, "the target is too long") : Refuse(431, "the head of the request is too long");
    return Outcome::kRefused;
  }
  if (end == std::string_view::npos) {
    // What can never become a head is not waited for.
    if (begin < bytes.size() && (kClasses[static_cast<unsigned char>(bytes[begin])] & kToken) == 0 &&
        !(bytes.size() == 1 && bytes[0] == '\r')) {
      Refuse(400, "no HTTP request begins so");
      return Outcome::kRefused;
    }
    // A client that ends its lines with LF alone would wait for ever.
    for (std::size_t at = bytes.find('\n', from); at != std::string_view::npos;
         at = bytes.find('\n', at + 1)) {
      if (at > 0 && bytes[at - 1] == '\r') continue;
      Refuse(400, "a line ends without CR");
      return Outcome::kRefused;
    }
    return Outcome::kIncomplete;
  }
  size_ = length;
  return ParseLines(bytes.substr(begin, end + 2 - begin)) && Judge() ? Outcome::kWhole : Outcome::kRefused;
}

// Each line ends in CRLF.
bool RequestHeadParser::ParseLines(std::string_view lines) {
  head_.fields.clear();
  head_.length = 0;
  head_.expects_continue = false;
  head_.host = {};
  hosts_ = lengths_ = encodings_ = 0;
  absolute_ = chunked_ = false;
  bool first = true;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\r');
    if (end == std::string_view::npos || lines[end + 1] != '\n') return Refuse(400, "a CR stands alone");
    const std::string_view line = lines.substr(0, end);
    if (line.contains('\n')) return Refuse(400, "a line ends without CR");
    if (!(first ? ParseRequestLine(line) : ParseField(line))) return false;
    first = false;
    lines.remove_prefix(end + 2);
  }
  return true;
}

bool RequestHeadParser::ParseRequestLine(std::string_view line) {
  const std::size_t blank = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (blank == std::string_view::npos || blank == last)
    return Refuse(400, "the request line has not three parts");
  head_.method = line.substr(0, blank);
  if (head_.method.empty() || head_.method.size() > kLongestMethod || !AllAre(kToken, head_.method))
    return Refuse(400, "the method is none");
  const std::string_view version = line.substr(last + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) || version[6] != '.' ||
      !is_digit(version[7]))
    return Refuse(400, "the version is none");
  if (version[5] != '1') return Refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  head_.old = version[7] == '0';
  head_.keep_alive = !head_.old;
  return ParseTarget(line.substr(blank + 1, last - blank - 1));
}

bool RequestHeadParser::ParseTarget(std::string_view target) {
  if (target.size() > limits_.target) return Refuse(414, "the target is too long");
  if (target.empty() || !AllAre(kInTarget, target)) return Refuse(400, "the target is none");
  if (target.front() == '/') {
    head_.target = target;
    return true;
  }
  if (target == "*" && head_.method == "OPTIONS") {
    head_.target = target;
    return true;
  }
  const std::size_t scheme = target.find("://");
  if (scheme == std::string_view::npos ||
      !(IsWord(target.substr(0, scheme), "http") || IsWord(target.substr(0, scheme), "https")))
    return Refuse(400, "the target is neither a path nor an http URL");
  target.remove_prefix(scheme + 3);
  const std::size_t path = std::min(target.find_first_of("/?"), target.size());
  head_.host = target.substr(0, path);
  absolute_ = true;
  if (head_.host.empty() || !AllAre(kInHost, head_.host)) return Refuse(400, "the target's host is none");
  target.remove_prefix(path);
  if (target.starts_with('?')) return Refuse(400, "the target has no path");
  head_.target = target.empty() ? std::string_view("/") : target;
  return true;
}

bool RequestHeadParser::ParseField(std::string_view line) {
  if (line.starts_with(' ') || line.starts_with('\t')) return Refuse(400, "a header line is folded");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return Refuse(400, "a header line has no colon");
  const std::string_view name = line.substr(0, colon);
  // Blanks before the colon are in here.
  if (name.empty() || !AllAre(kToken, name)) return Refuse(400, "the name of a header is none");
  const std::string_view value = Stripped(line.substr(colon + 1));
  if (!AllAre(kInValue, value)) return Refuse(400, "the value of a header holds a control character");
  if (head_.fields.size() == limits_.fields) return Refuse(431, "there are too many headers");
  head_.fields.emplace_back(name, value);
  return TakeField(name, value);
}

bool RequestHeadParser::TakeField(std::string_view name, std::string_view value) {
  if (IsWord(name, "host")) {
    if (++hosts_ > 1) return Refuse(400, "there are two Hosts");
    if (!AllAre(kInHost, value)) return Refuse(400, "the Host is none");
    if (!absolute_) head_.host = value;
  } else if (IsWord(name, "content-length")) {
    if (++lengths_ > 1) return Refuse(400, "there are two Content-Lengths");
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), head_.length);
    if (value.empty() || value.size() > kMostDigits || error != std::errc() ||
        end != value.data() + value.size())
      return Refuse(400, "the Content-Length is not a number");
  } else if (IsWord(name, "transfer-encoding")) {
    ++encodings_;
    chunked_ = IsWord(value, "chunked");
  } else if (IsWord(name, "connection")) {
    return TakeConnection(value);
  } else if (IsWord(name, "expect")) {
    if (!IsWord(value, "100-continue")) return Refuse(417, "only 100-continue can be expected");
    head_.expects_continue = !head_.old;
  }
  return true;
}

bool RequestHeadParser::TakeConnection(std::string_view value) {
  while (true) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view option = Stripped(value.substr(0, comma));
    if (IsWord(option, "close")) {
      head_.keep_alive = false;
      return true;
    }
    if (IsWord(option, "keep-alive") && head_.old) head_.keep_alive = true;
    if (comma == value.size()) return true;
    value.remove_prefix(comma + 1);
  }
}

// What lines mean together.
bool RequestHeadParser::Judge() {
  if (hosts_ == 0 && !head_.old) return Refuse(400, "there is no Host");
  if (encodings_ == 0) return true;
  // RFC 9112 section 6.1: each of these is how a request is smuggled past a proxy.
  if (lengths_ > 0) return Refuse(400, "there are a Content-Length and a Transfer-Encoding");
  if (encodings_ > 1 || head_.old) return Refuse(400, "the Transfer-Encoding is none of this version");
  if (!chunked_) return Refuse(501, "the Transfer-Encoding is not known here");
  if (head_.method == "GET" || head_.method == "HEAD") return Refuse(400, "a GET with a body in chunks");
  return Refuse(411, "a body needs its Content-Length");
}

}  // namespace tmdbc::http
