// SPDX-License-Identifier: MIT
#include "http/answer_head.h"

#include <fmt/format.h>

#include <array>
#include <ctime>

namespace tmdbc::http {
namespace {

std::string_view ReasonOf(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
  }
}

}  // namespace

void AnswerHead::Write(const Answer& answer, std::size_t body_size, bool keep_alive, Time now, std::string& text) {
  text.assign("HTTP/1.1 ");
  text.append(fmt::format_int(answer.status).c_str()).append(" ").append(ReasonOf(answer.status)).append("\r\n");
  for (const auto& [name, value] : answer.headers) text.append(name).append(": ").append(value).append("\r\n");
  if (answer.lines) text += *answer.lines;
  if (answer.framing == Answer::Framing::kChunked) {
    text += "Transfer-Encoding: chunked\r\n";
  } else if (answer.framing == Answer::Framing::kLength && answer.status != 204 && answer.status != 304) {
    text.append("Content-Length: ");
    text.append(fmt::format_int(answer.claimed_length.value_or(body_size)).c_str()).append("\r\n");
  }
  text.append("Date: ").append(Date(now));
  text += keep_alive ? "\r\nConnection: keep-alive\r\n\r\n" : "\r\nConnection: close\r\n\r\n";
}

// "Sun, 22 Nov 2026 10:26:51 GMT"
const std::string& AnswerHead::Date(Time now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (second != second_ || date_.empty()) {
    second_ = second;
    const std::time_t time = second.time_since_epoch().count();
    std::tm parts{};
    gmtime_r(&time, &parts);
    std::array<char, 40> text{};
    date_.assign(text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts));
  }
  return date_;
}

}  // namespace tmdbc::http
