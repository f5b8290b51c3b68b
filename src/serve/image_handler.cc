// SPDX-License-Identifier: MIT
#include "serve/image_handler.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "images/image_folder.h"
#include "serve/negotiation.h"

namespace tmdbc::serve {
namespace {

const char* MediaTypeOf(images::Format format) {
  switch (format) {
    case images::Format::kJpeg:
      return "image/jpeg";
    case images::Format::kPng:
      return "image/png";
    case images::Format::kSvg:
      return "image/svg+xml";
  }
  return "application/octet-stream";
}

http::Answer WithoutImage(int status, std::string_view why) {
  return {.status = status,
          .headers = {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}},
          .body = std::make_shared<const std::string>(why)};
}

}  // namespace

http::Answer ImageHandler::Handle(const http::ServerRequest& request) {
  if (request.method != "GET" && request.method != "HEAD") {
    http::Answer answer = WithoutImage(405, "only GET and HEAD\n");
    answer.headers.emplace_back("Allow", "GET, HEAD");
    return answer;
  }
  const std::string_view path = std::string_view(request.target).substr(0, request.target.find('?'));
  const auto image = images::ParseImageName(path.substr(std::min(path.size(), kPath.size())));
  if (!image) return WithoutImage(404, "this is not a path of a picture\n");
  auto bytes = images::ImageFolder::Read(files_, *image);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) return WithoutImage(404, "this picture is not kept here\n");
  if (!bytes) return WithoutImage(503, "the picture cannot be read\n");
  // Other bytes would have another name.
  const std::string etag = "\"" + image->size + "-" + image->name + "\"";
  http::Answer answer;
  answer.headers = {{"ETag", etag}, {"Cache-Control", "public, max-age=31536000, immutable"}, {"Access-Control-Allow-Origin", "*"}};
  if (NamesEtag(request.header("If-None-Match"), etag)) {
    answer.status = 304;
    return answer;
  }
  answer.headers.emplace_back("Content-Type", MediaTypeOf(image->format()));
  answer.headers.emplace_back("X-Content-Type-Options", "nosniff");
  // A drawing could hold a script; here it draws and does nothing else.
  if (image->format() == images::Format::kSvg)
    answer.headers.emplace_back("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox");
  answer.body = std::make_shared<const std::string>(*std::move(bytes));
  return answer;
}

}  // namespace tmdbc::serve
