// SPDX-License-Identifier: MIT
// FakeS3: S3's side of the calls that S3ObjectStore makes, in memory, for tests that break one call or lose its answer.
// What S3 answers is as its API reference has it; moto and Ceph are asked the same in tests/bucket_emulator_test.cc.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/aws_world_test.h"
#include "aws/s3_object_store.h"
#include "aws/sigv4.h"
#include "aws/xml.h"
#include "base/hash.h"

namespace tmdbc::aws {

struct FakeS3 {
  struct Stored {
    std::string bytes, etag, sha256;
  };
  struct Upload {
    std::string key, sha256;
    std::map<int, std::string> parts;
  };

  std::map<std::string, Stored> objects;
  std::map<std::string, Upload> uploads;
  std::vector<std::string> calls;  // "PUT records/1", "GET ?list-type=2&.."
  // Asked before a call happens: a reply instead of it.
  std::function<std::optional<Reply>(const std::string& call)> instead;
  // Asked after it happened: a reply in place of the true one.
  std::function<std::optional<Reply>(const std::string& call)> lost;
  bool bare_etags = false;          // If-Match only without quotes, as Ceph 16
  bool ignores_conditions = false;  // as Garage
  bool ignores_ranges = false;
  std::size_t page = 1'000;

  static constexpr std::string_view kUrl = "https://s3.example/bucket";

  Reply Answer(const http::Request& request, const std::string& body) {
    std::string target = request.url.substr(kUrl.size());
    const auto mark = target.find('?');
    const std::string key = Decoded(target.substr(1, mark == std::string::npos ? mark : mark - 1));
    std::map<std::string, std::string> query;
    std::string rest = mark == std::string::npos ? "" : target.substr(mark + 1);
    while (!rest.empty()) {
      const std::string pair = rest.substr(0, rest.find('&'));
      rest.erase(0, pair.size() + 1);
      query[Decoded(pair.substr(0, pair.find('=')))] = Decoded(pair.substr(pair.find('=') + 1));
    }
    const std::string call = std::string(http::NameOf(request.method)) + " " + key +
                             (mark == std::string::npos ? "" : target.substr(mark));
    calls.push_back(call);
    if (instead) {
      if (auto reply = instead(call)) return *reply;
    }
    Reply reply = Happen(request, key, query, body);
    if (lost) {
      if (auto other = lost(call)) return *other;
    }
    return reply;
  }

  static Reply Error(int status, std::string_view code) {
    return Reply::Status(status, fmt::format("<Error><Code>{}</Code><Message>m</Message></Error>", code));
  }

 private:
  static std::string Decoded(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%') {
        out += char(std::stoi(text.substr(i + 1, 2), nullptr, 16));
        i += 2;
      } else {
        out += text[i];
      }
    }
    return out;
  }

  std::optional<Reply> Refusal(const http::Request& request, const std::string& key) const {
    if (ignores_conditions) return std::nullopt;
    const auto at = objects.find(key);
    if (HeaderOf(request, "If-None-Match") == "*" && at != objects.end())
      return Error(412, "PreconditionFailed");
    const std::string wanted = HeaderOf(request, "If-Match");
    if (wanted.empty()) return std::nullopt;
    if (at == objects.end()) return Error(404, "NoSuchKey");
    const std::string etag = bare_etags ? at->second.etag : '"' + at->second.etag + '"';
    if (wanted != etag) return Error(412, "PreconditionFailed");
    return std::nullopt;
  }

  Reply Happen(const http::Request& request, const std::string& key,
               std::map<std::string, std::string>& query, const std::string& body) {
    if (query.contains("list-type")) return List(query);
    if (query.contains("delete")) return DeleteMany(body);
    if (query.contains("uploads")) {
      const std::string id = fmt::format("up/{}+=", uploads.size());
      uploads[id] = {key, HeaderOf(request, "x-amz-meta-sha256"), {}};
      return Reply::Status(200, "<InitiateMultipartUploadResult><UploadId>" + id +
                                    "</UploadId></InitiateMultipartUploadResult>");
    }
    if (query.contains("uploadId")) return OfUpload(request, key, query, body);
    const auto at = objects.find(key);
    switch (request.method) {
      case http::Method::kPut:
        if (auto refused = Refusal(request, key)) return *refused;
        if (Sha256Hex(body) != HeaderOf(request, "x-amz-content-sha256"))
          return Error(400, "XAmzContentSHA256Mismatch");
        objects[key] = {body, Sha256Hex(body).substr(0, 32), HeaderOf(request, "x-amz-meta-sha256")};
        return Reply::Status(200, "", {{"ETag", '"' + objects[key].etag + '"'}});
      case http::Method::kHead:
        if (at == objects.end()) return Reply::Status(404);
        return Reply::Status(200, "", Headers(at->second));
      case http::Method::kDelete:
        objects.erase(key);
        return Reply::Status(204);
      default:
        if (at == objects.end()) return Error(404, "NoSuchKey");
        return Get(request, at->second);
    }
  }
  static std::vector<http::Header> Headers(const Stored& stored) {
    std::vector<http::Header> headers = {{"ETag", '"' + stored.etag + '"'},
                                         {"Content-Length", std::to_string(stored.bytes.size())}};
    if (!stored.sha256.empty()) headers.emplace_back("x-amz-meta-sha256", stored.sha256);
    return headers;
  }
  Reply Get(const http::Request& request, const Stored& stored) const {
    const std::string range = HeaderOf(request, "Range");
    if (range.empty() || ignores_ranges) return Reply::Status(200, stored.bytes, Headers(stored));
    const std::size_t from = std::stoull(range.substr(6));
    const std::string end = range.substr(range.find('-') + 1);
    if (from >= stored.bytes.size()) return Error(416, "InvalidRange");
    return Reply::Status(
        206, stored.bytes.substr(from, end.empty() ? std::string::npos : std::stoull(end) - from + 1),
        {{"ETag", '"' + stored.etag + '"'}});
  }
  Reply OfUpload(const http::Request& request, const std::string& key,
                 std::map<std::string, std::string>& query, const std::string& body) {
    const auto upload = uploads.find(query["uploadId"]);
    if (upload == uploads.end()) return Error(404, "NoSuchUpload");
    if (request.method == http::Method::kDelete) {
      uploads.erase(upload);
      return Reply::Status(204);
    }
    if (request.method == http::Method::kPut) {
      if (Sha256Hex(body) != HeaderOf(request, "x-amz-content-sha256"))
        return Error(400, "XAmzContentSHA256Mismatch");
      upload->second.parts[std::stoi(query["partNumber"])] = body;
      return Reply::Status(200, "", {{"ETag", '"' + Sha256Hex(body).substr(0, 32) + '"'}});
    }
    if (auto refused = Refusal(request, key)) return *refused;
    std::string all;
    const auto list = ParseXml(body).value();
    int number = 0;
    for (const auto& part : list.children) {
      ++number;
      const auto at = upload->second.parts.find(number);
      if (part.TextOf("PartNumber") != std::to_string(number) || at == upload->second.parts.end() ||
          part.TextOf("ETag") != '"' + Sha256Hex(at->second).substr(0, 32) + '"')
        return Error(400, "InvalidPart");
      all += at->second;
    }
    objects[key] = {all, Sha256Hex(all).substr(0, 32) + "-" + std::to_string(number), upload->second.sha256};
    uploads.erase(upload);
    return Reply::Status(200, "\n<CompleteMultipartUploadResult><ETag>&quot;" + objects[key].etag +
                                  "&quot;</ETag></CompleteMultipartUploadResult>");
  }
  Reply List(std::map<std::string, std::string>& query) const {
    std::string xml = "<ListBucketResult><EncodingType>url</EncodingType>";
    const std::string after = std::max(query["start-after"], query["continuation-token"]);
    std::size_t given = 0;
    std::string last;
    bool more = false;
    for (auto at = objects.upper_bound(after); at != objects.end(); ++at) {
      if (!at->first.starts_with(query["prefix"])) continue;
      if (given == page) {
        more = true;
        break;
      }
      last = at->first;
      ++given;
      xml += fmt::format("<Contents><Key>{}</Key><Size>{}</Size><ETag>&quot;{}&quot;</ETag></Contents>",
                         EncodePath(last), at->second.bytes.size(), at->second.etag);
    }
    xml += fmt::format("<IsTruncated>{}</IsTruncated>", more);
    if (more) xml += "<NextContinuationToken>" + EscapeXml(last) + "</NextContinuationToken>";
    return Reply::Status(200, xml + "</ListBucketResult>");
  }
  Reply DeleteMany(const std::string& body) {
    const XmlElement list = ParseXml(body).value();
    for (const XmlElement& object : list.children)
      if (object.name == "Object") objects.erase(object.TextOf("Key"));
    return Reply::Status(200, "<DeleteResult/>");
  }
};

// A store over it.
struct FakeS3World {
  explicit FakeS3World(std::uint64_t part_bytes = 64 << 20)
      : store(aws.client, {.bucket = "bucket",
                           .url = std::string(FakeS3::kUrl),
                           .part_bytes = part_bytes,
                           .range_bytes = 1'000}) {}

  FakeS3 s3;
  AwsWorld aws{
      [this](const http::Request& request, const std::string& body) { return s3.Answer(request, body); }};
  S3ObjectStore store;
};

}  // namespace tmdbc::aws
