// SPDX-License-Identifier: MIT
#include "dashboard/dashboard_handler.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/compression.h"
#include "base/hash.h"
#include "base/json_writer.h"
#include "base/percent.h"
#include "dashboard/assets.h"
#include "dashboard/request_guard.h"

namespace tmdbc::dashboard {
namespace {

constexpr std::size_t kMaxAssetBytes = 4 << 20;
constexpr std::size_t kMaxQuestion = 200;  // bytes of a search
// Where the first pictures and the styles stand in index.html.
constexpr std::string_view kFirstMark = "@first@";
constexpr std::string_view kStyleMark = "@style@";

// Nothing is loaded but our own scripts and data, no style counts but that of the page (nothing has one of its own),
// nothing is written into the page as markup, nobody frames it.
std::vector<http::Header> Guarded(std::string_view type, std::string_view styles = "'none'") {
  return {
      {"Content-Type", std::string(type)},
      {"Content-Security-Policy",
       fmt::format("default-src 'none'; script-src 'self'; style-src {}; connect-src 'self'; img-src data:; base-uri "
                   "'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
                   "trusted-types 'none'",
                   styles)},
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"}};
}

http::Answer Json(int status, SharedText body) {
  http::Answer answer;
  answer.status = status;
  answer.headers = Guarded("application/json; charset=utf-8");
  answer.headers.emplace_back("Cache-Control", "no-store");
  answer.body = std::move(body);
  return answer;
}

http::Answer ErrorJson(int status, std::string_view why) {
  return Json(status, Share(JsonWriter().BeginObject().Field("error", why).EndObject().text()));
}

int StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kUnavailable:
      return 503;
    default:
      return 500;
  }
}

bool TakesGzip(const http::ServerRequest& request) {
  return request.header("Accept-Encoding").find("gzip") != std::string_view::npos;
}

// JSON that may stand within a <script> of HTML: nothing in it ends that.
std::string WithinHtml(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) c == '<' ? void(out += "\\u003c") : void(out += c);
  return out;
}

void PutAt(std::string_view mark, std::string_view text, std::string& html) {
  if (const auto at = html.find(mark); at != std::string::npos) html.replace(at, mark.size(), text);
}

std::string_view PathOf(std::string_view target) {
  return target.substr(0, target.find('?'));
}

}  // namespace

std::string QueryValue(std::string_view target, std::string_view name) {
  const std::size_t mark = target.find('?');
  std::string_view rest = mark == std::string_view::npos ? "" : target.substr(mark + 1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.size(), rest.find('&'));
    const std::string_view pair = rest.substr(0, end);
    const std::size_t equals = std::min(pair.size(), pair.find('='));
    if (pair.substr(0, equals) == name) return FormDecoded(pair.substr(std::min(pair.size(), equals + 1)));
    rest.remove_prefix(std::min(rest.size(), end + 1));
  }
  return "";
}

DashboardHandler::DashboardHandler(OpenView open, Watcher& watcher, DashboardOptions options)
    : open_(std::move(open)), options_(std::move(options)), watcher_(watcher) {
  for (const Asset& asset : Assets()) {
    File file;
    file.gzip = Share(std::string(asset.gzip));
    file.plain = Share(GunzipWhole(asset.gzip, kMaxAssetBytes).value_or(""));
    file.etag = fmt::format("\"{}\"", Sha256Hex(asset.gzip).substr(0, 16));
    file.type = ContentTypeOf(asset.path);
    files_.emplace(asset.path, std::move(file));
  }
  page_ = TakeFile("/index.html");
  const std::string style = TakeFile("/style.css");
  style_source_ = fmt::format("'sha256-{}'", Sha256Base64(style));
  PutAt(kStyleMark, style, page_);
}

std::string DashboardHandler::TakeFile(std::string_view path) {
  const auto file = files_.find(path);
  if (file == files_.end()) return {};
  return *files_.extract(file).mapped().plain;
}

http::Answer DashboardHandler::operator()(const http::ServerRequest& request) {
  if (const Refusal refusal = RefusalOf(request, options_.host_names); refusal.status != 0) {
    http::Answer answer = ErrorJson(refusal.status, refusal.why);
    if (refusal.status == 405) answer.headers.emplace_back("Allow", "GET, HEAD");
    return answer;
  }
  const std::string_view path = PathOf(request.target);
  if (path == "/") return First(request);
  if (path.starts_with("/dashboard/")) return Data(request);
  if (const auto file = files_.find(path); file != files_.end()) return Page(request, file->second);
  return ErrorJson(404, "There is no such page.");
}

http::Answer DashboardHandler::Page(const http::ServerRequest& request, const File& file) const {
  http::Answer answer;
  answer.headers = Guarded(file.type);
  answer.headers.insert(answer.headers.end(),
                        {{"ETag", file.etag}, {"Cache-Control", "no-cache"}, {"Vary", "Accept-Encoding"}});
  if (request.header("If-None-Match").find(file.etag) != std::string_view::npos) {
    answer.status = 304;
    return answer;
  }
  if (TakesGzip(request)) answer.headers.emplace_back("Content-Encoding", "gzip");
  answer.body = TakesGzip(request) ? file.gzip : file.plain;
  return answer;
}

http::Answer DashboardHandler::First(const http::ServerRequest& request) {
  const Watcher::Pictures shown = watcher_.Current();
  const std::string first = fmt::format(R"({{"facts":{},"status":{},"freshness":{},"dead":{}}})",
                                        options_.facts, *shown.status, *shown.freshness, *shown.dead);
  std::string html = page_;
  PutAt(kFirstMark, WithinHtml(first), html);
  http::Answer answer;
  answer.headers = Guarded(ContentTypeOf("/index.html"), style_source_);
  answer.headers.insert(answer.headers.end(), {{"Cache-Control", "no-store"}, {"Vary", "Accept-Encoding"}});
  if (TakesGzip(request)) {
    constexpr int kFast = 1;
    html = Gzip(html, kFast);
    answer.headers.emplace_back("Content-Encoding", "gzip");
  }
  answer.body = Share(std::move(html));
  return answer;
}

http::Answer DashboardHandler::Data(const http::ServerRequest& request) {
  const std::string_view what = PathOf(request.target).substr(std::string_view("/dashboard/").size());
  if (what == "status.json") return Json(200, watcher_.Current().status);
  if (what == "freshness.json") return Json(200, watcher_.Current().freshness);
  if (what == "dead.json") return Json(200, watcher_.Current().dead);
  if (what == "coverage.json") {
    if (QueryValue(request.target, "read") == "1") watcher_.AskForCoverage();
    return Json(200, watcher_.Current().coverage);
  }
  if (what == "changes.json") {
    const std::string text = QueryValue(request.target, "since");
    std::int64_t since = 0;
    std::from_chars(text.data(), text.data() + text.size(), since);
    const Watcher::Pictures shown = watcher_.Current();
    // What is ahead of us was another process's.
    return Json(200, Share(ChangesJson(*shown.changes, shown.revision, since > shown.revision ? 0 : since)));
  }
  return OfRecord(what, request.target);
}

Result<std::string> DashboardHandler::Suggestions(RecordPages& pages, std::string_view text) {
  if (!options_.suggest) return Fail(ErrorCode::kNotFound, "There is no index of titles.");
  TRY_ASSIGN(const auto ids, options_.suggest(text.substr(0, kMaxQuestion)));
  return pages.Titles(ids);
}

http::Answer DashboardHandler::OfRecord(std::string_view what, std::string_view target) {
  const std::string type = QueryValue(target, "type"), id = QueryValue(target, "id");
  const std::scoped_lock lock(mutex_);
  if (view_ && !view_->lasting()) view_.reset();
  if (!view_) {
    auto opened = open_();
    if (!opened) return ErrorJson(500, opened.error().message);
    view_ = *std::move(opened);
  }
  RecordPages pages(view_->reader());
  const auto found = [&]() -> Result<std::string> {
    if (what == "record.json") return pages.Record(type, id);
    if (what == "body.json") return pages.Body(type, id);
    if (what == "history.json") return pages.History(type, id);
    if (what == "suggest.json") return Suggestions(pages, QueryValue(target, "q"));
    if (what == "diff.json") return pages.Diff(type, id, QueryValue(target, "versions"));
    return Fail(ErrorCode::kNotFound, "There is no such data.");
  }();
  return found ? Json(200, Share(*found)) : ErrorJson(StatusOf(found.error().code), found.error().message);
}

}  // namespace tmdbc::dashboard
