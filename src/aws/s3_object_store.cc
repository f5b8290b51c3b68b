// SPDX-License-Identifier: MIT
#include "aws/s3_object_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "aws/digest.h"
#include "aws/xml.h"
#include "base/hash.h"
#include "base/percent.h"

namespace tmdbc::aws {
namespace {

constexpr std::uint64_t kAll = ~std::uint64_t(0);
// One GET, in memory: a catalog of ten million records has 1 GB.
constexpr std::uint64_t kLargestAnswer = std::uint64_t(4) << 30;
constexpr std::uint64_t kMostParts = 10'000;
constexpr std::size_t kMostKeysACall = 1'000;
constexpr std::uint64_t kFilePiece = 1 << 20;
constexpr std::uint64_t kLargestCompared = 64 << 20;
constexpr const char* kShaHeader = "x-amz-meta-sha256";

// ETags are opaque, and some servers and some calls leave the quotes out: kept without.
std::string BareEtag(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

std::uint64_t NumberOf(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// XML 1.0 has no way to write them.
bool HasControls(std::string_view key) {
  return std::ranges::any_of(key, [](unsigned char c) { return c < ' '; });
}

// Gives the bytes of a stretch of a file, in pieces; what fails is kept for the caller.
struct FilePull {
  BlobReader* from;
  std::string path;
  std::uint64_t at, left;
  std::shared_ptr<std::optional<Error>> failed;
  std::string piece = {};
  std::size_t used = 0;

  std::size_t operator()(std::span<char> room) {
    if (used == piece.size()) {
      auto read = from->Read(path, at, std::min(kFilePiece, left));
      if (!read) *failed = read.error();
      if (!read || read->empty()) return 0;
      piece = *std::move(read);
      used = 0;
      at += piece.size();
      left -= piece.size();
    }
    const std::size_t n = std::min(room.size(), piece.size() - used);
    std::copy_n(piece.data() + used, n, room.data());
    used += n;
    return n;
  }
};

void UploadFrom(AwsCall& call, FilePull pull, std::string sha256) {
  call.body_bytes = pull.left;
  call.payload_hash = std::move(sha256);
  // Nothing to pull: an empty body.
  if (pull.left > 0) call.open_body = [pull = std::move(pull)] { return pull; };
}

Result<XmlElement> Parse(const AwsCall& call, const http::Response& response, std::string_view root) {
  auto xml = ParseXml(response.body);
  if (xml && xml->name == root) return xml;
  const std::string why = xml ? fmt::format("<{}>", xml->name.substr(0, 50)) : xml.error().message;
  return Fail(ErrorCode::kIo, "{}: the server answers {} where S3 answers <{}>", call.act, why, root);
}

}  // namespace

S3ObjectStore::S3ObjectStore(AwsClient& client, S3Options options)
    : client_(client), options_(std::move(options)) {}

AwsCall S3ObjectStore::Call(std::string act, const char* operation, http::Method method,
                            const std::string& key) const {
  AwsCall call;
  call.act = std::move(act);
  call.service = "s3";
  call.operation = operation;
  call.method = method;
  call.url = options_.url;
  call.path = "/" + key;
  return call;
}

Result<std::string> S3ObjectStore::Read(const std::string& key, std::uint64_t offset, std::uint64_t length) {
  if (length == 0) {
    TRY_ASSIGN(const auto there, FindObject(key));
    if (!there) return Fail(ErrorCode::kNotFound, "read {}: there is no such object", key);
    return std::string();
  }
  // Where the end is not known, one answer brings all.
  if (length > options_.range_bytes && length < kLargestAnswer) return ReadInRanges(key, offset, length);
  const AwsCall call = RangeCall(key, offset, length);
  TRY_ASSIGN(http::Response response, client_.Call(call));
  return BytesOf(call, std::move(response), offset, length);
}

AwsCall S3ObjectStore::RangeCall(const std::string& key, std::uint64_t offset, std::uint64_t length) const {
  AwsCall call = Call("read " + key, "GetObject", http::Method::kGet, key);
  const bool to_the_end = length >= kAll - offset;
  if (offset > 0 || !to_the_end) {
    call.headers.emplace_back("Range", to_the_end ? fmt::format("bytes={}-", offset)
                                                  : fmt::format("bytes={}-{}", offset, offset + length - 1));
  }
  // An error, or the whole object from a server that knows no ranges, may be longer than what was asked for.
  call.max_answer = std::clamp<std::uint64_t>(length, 64 << 20, kLargestAnswer);
  return call;
}

Result<std::string> S3ObjectStore::BytesOf(const AwsCall& call, http::Response response, std::uint64_t offset,
                                           std::uint64_t length) const {
  switch (response.status) {
    case 206:
      return std::move(response.body);
    case 200:
      if (offset >= response.body.size()) return std::string();
      if (offset == 0 && length >= response.body.size()) return std::move(response.body);
      return response.body.substr(offset, length);
    case 416:
      return std::string();
    case 404:
      if (ParseServiceError(response).code != "NoSuchBucket")
        return Fail(ErrorCode::kNotFound, "{}: there is no such object", call.act);
      [[fallthrough]];
    default:
      return client_.Refused(call, response);
  }
}

Result<std::string> S3ObjectStore::ReadInRanges(const std::string& key, std::uint64_t offset,
                                                std::uint64_t length) {
  std::vector<AwsCall> calls;
  for (std::uint64_t at = 0; at < length; at += options_.range_bytes)
    calls.push_back(RangeCall(key, offset + at, std::min(options_.range_bytes, length - at)));
  auto answers = client_.CallAll(calls, options_.parts_at_once);
  std::string bytes, etag;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (!answers[i]) return std::unexpected(answers[i].error());
    const std::uint64_t at = i * options_.range_bytes, wanted = std::min(options_.range_bytes, length - at);
    const std::string own = BareEtag(answers[i]->header("ETag"));
    if (i > 0 && answers[i]->status == 206 && own != etag)
      return Fail(ErrorCode::kIo, "read {}: it was replaced meanwhile", key);
    if (i == 0) etag = own;
    TRY_ASSIGN(const std::string piece, BytesOf(calls[i], *std::move(answers[i]), offset + at, wanted));
    bytes += piece;
    if (piece.size() < wanted) break;  // the end
  }
  return bytes;
}

Result<Object> S3ObjectStore::Get(const std::string& key) {
  AwsCall call = Call("get " + key, "GetObject", http::Method::kGet, key);
  call.max_answer = kLargestAnswer;
  TRY_ASSIGN(http::Response response, client_.Call(call));
  if (response.status == 200) {
    std::string etag = BareEtag(response.header("ETag"));
    return Object{.bytes = std::move(response.body), .etag = std::move(etag)};
  }
  if (response.status == 404 && ParseServiceError(response).code != "NoSuchBucket")
    return Fail(ErrorCode::kNotFound, "get {}: there is no such object", key);
  return client_.Refused(call, response);
}

Result<std::optional<S3ObjectStore::Found>> S3ObjectStore::FindObject(const std::string& key) {
  const AwsCall call = Call("head " + key, "HeadObject", http::Method::kHead, key);
  TRY_ASSIGN(const http::Response response, client_.Call(call));
  if (response.status == 404) return std::nullopt;
  if (response.status != 200) return client_.Refused(call, response);
  return Found{.info = {.key = key,
                        .bytes = NumberOf(response.header("Content-Length")),
                        .etag = BareEtag(response.header("ETag"))},
               .sha256 = std::string(response.header(kShaHeader))};
}

Result<std::optional<ObjectInfo>> S3ObjectStore::Head(const std::string& key) {
  TRY_ASSIGN(auto found, FindObject(key));
  if (!found) return std::nullopt;
  return std::move(found->info);
}

Result<std::vector<ObjectInfo>> S3ObjectStore::ListObjects(const std::string& prefix,
                                                           const std::string& after) {
  std::vector<ObjectInfo> objects;
  std::string token;
  while (true) {
    AwsCall call = Call("list " + prefix, "ListObjectsV2", http::Method::kGet, "");
    call.query = {{"list-type", "2"}, {"max-keys", "1000"}, {"encoding-type", "url"}, {"prefix", prefix}};
    if (!after.empty()) call.query.emplace_back("start-after", after);
    if (!token.empty()) call.query.emplace_back("continuation-token", token);
    TRY_ASSIGN(const http::Response response, client_.Call(call));
    if (response.status != 200) return client_.Refused(call, response);
    TRY_ASSIGN(const XmlElement page, Parse(call, response, "ListBucketResult"));
    const bool encoded = page.TextOf("EncodingType") == "url";
    for (const XmlElement& entry : page.children) {
      if (entry.name != "Contents") continue;
      const std::string key = entry.TextOf("Key");
      objects.push_back({.key = encoded ? FormDecoded(key) : key,
                         .bytes = NumberOf(entry.TextOf("Size")),
                         .etag = BareEtag(entry.TextOf("ETag"))});
    }
    if (page.TextOf("IsTruncated") != "true") break;
    std::string next = page.TextOf("NextContinuationToken");
    if (next.empty() || next == token)
      return Fail(ErrorCode::kIo, "{}: the server says that more follows, and not how to ask for it",
                  call.act);
    token = std::move(next);
  }
  std::ranges::sort(objects, {}, &ObjectInfo::key);
  return objects;
}

Result<bool> S3ObjectStore::IsOurs(const std::string& key, const Found& there, std::uint64_t bytes,
                                   const std::string& sha256) {
  if (!there.sha256.empty()) return there.sha256 == sha256;
  if (there.info.bytes != bytes || bytes > kLargestCompared) return false;
  TRY_ASSIGN(const Object object, Get(key));
  return Sha256Hex(object.bytes) == sha256;
}

void S3ObjectStore::AddCondition(AwsCall& call, const PutCondition& condition) const {
  if (condition.kind == PutCondition::Kind::kAbsent) call.headers.emplace_back("If-None-Match", "*");
  if (condition.kind == PutCondition::Kind::kMatches)
    call.headers.emplace_back("If-Match", bare_etags_ ? condition.etag : '"' + condition.etag + '"');
}

Result<std::string> S3ObjectStore::PutWith(const std::string& key, AwsCall call, std::uint64_t bytes,
                                           const std::string& sha256, const PutCondition& condition) {
  const std::vector<http::Header> headers = call.headers;
  const bool conditional = condition.kind != PutCondition::Kind::kNone;
  for (bool again = false;; again = true) {
    call.headers = headers;
    AddCondition(call, condition);
    TRY_ASSIGN(const http::Response response, client_.Call(call));
    if (response.status == 200) {
      std::string etag = BareEtag(response.header("ETag"));
      if (call.error_in_200) {
        TRY_ASSIGN(const XmlElement done, Parse(call, response, "CompleteMultipartUploadResult"));
        etag = BareEtag(done.TextOf("ETag"));
      }
      if (!etag.empty()) return etag;
      TRY_ASSIGN(const auto put, FindObject(key));  // Ceph 16 leaves it out at the end of an upload
      if (put && put->sha256 == sha256 && !put->info.etag.empty()) return put->info.etag;
      return Fail(ErrorCode::kIo, "put {}: the server says 200 and gives no ETag", key);
    }
    const std::string code = ParseServiceError(response).code;
    const bool unmet = conditional && (response.status == 412 || code == "NoSuchKey");
    // A try whose answer was lost has ended the upload.
    const bool ended = code == "NoSuchUpload";
    if (!unmet && !ended) return client_.Refused(call, response);
    TRY_ASSIGN(const auto there, FindObject(key));
    if (there) {
      TRY_ASSIGN(const bool ours, IsOurs(key, *there, bytes, sha256));
      if (ours) return there->info.etag;
    }
    if (ended) return client_.Refused(call, response);
    const bool matches = condition.kind == PutCondition::Kind::kMatches;
    // It is there under that ETag, and the server does not know it with quotes around.
    const bool quotes = matches && there && there->info.etag == condition.etag && !bare_etags_;
    const bool went_away = !matches && !there;
    if (again || (!quotes && !went_away)) {
      return Fail(ErrorCode::kExists, "put {}: {}", key,
                  !matches ? "there is another object"
                  : there  ? "the object has changed"
                           : "the object is gone");
    }
    bare_etags_ |= quotes;
  }
}

Result<std::string> S3ObjectStore::Put(const std::string& key, std::string_view bytes,
                                       const PutCondition& condition) {
  AwsCall call = Call("put " + key, "PutObject", http::Method::kPut, key);
  const std::string sha256 = Sha256Hex(bytes);
  call.body = bytes;
  call.payload_hash = sha256;
  call.headers.emplace_back(kShaHeader, sha256);
  return PutWith(key, std::move(call), bytes.size(), sha256, condition);
}

Result<S3ObjectStore::FileDigest> S3ObjectStore::Digest(BlobReader& from, const std::string& path) const {
  FileDigest digest;
  TRY_ASSIGN(digest.bytes, from.Size(path));
  const std::uint64_t part = std::max(options_.part_bytes, (digest.bytes + kMostParts - 1) / kMostParts);
  Sha256 all, one;
  for (std::uint64_t at = 0; at < digest.bytes;) {
    const std::uint64_t part_end = std::min(digest.bytes, (at / part + 1) * part);
    TRY_ASSIGN(const std::string piece, from.Read(path, at, std::min(kFilePiece, part_end - at)));
    if (piece.empty()) return Fail(ErrorCode::kIo, "read {}: it became shorter meanwhile", path);
    all.Add(piece);
    one.Add(piece);
    at += piece.size();
    if (at == part_end) digest.parts.push_back(one.Finish());
  }
  digest.sha256 = all.Finish();
  return digest;
}

Result<std::string> S3ObjectStore::PutFile(const std::string& key, BlobReader& from, const std::string& path,
                                           const PutCondition& condition) {
  TRY_ASSIGN(const FileDigest digest, Digest(from, path));
  if (digest.parts.size() > 1) return PutParts(key, from, path, digest, condition);
  AwsCall call = Call("put " + key, "PutObject", http::Method::kPut, key);
  call.headers.emplace_back(kShaHeader, digest.sha256);
  const auto failed = std::make_shared<std::optional<Error>>();
  UploadFrom(call, {.from = &from, .path = path, .at = 0, .left = digest.bytes, .failed = failed},
             digest.sha256);
  auto etag = PutWith(key, std::move(call), digest.bytes, digest.sha256, condition);
  if (!etag && *failed) return Within(("put " + key).c_str(), **failed);
  return etag;
}

Result<std::string> S3ObjectStore::PutParts(const std::string& key, BlobReader& from, const std::string& path,
                                            const FileDigest& digest, const PutCondition& condition) {
  if (condition.kind != PutCondition::Kind::kNone) {
    TRY_ASSIGN(const auto there, FindObject(key));
    if (there && there->sha256 == digest.sha256) return there->info.etag;
    const bool holds =
        condition.kind == PutCondition::Kind::kAbsent ? !there : there && there->info.etag == condition.etag;
    if (!holds)
      return Fail(ErrorCode::kExists, "put {}: {}", key,
                  there ? "there is another object" : "the object is gone");
  }
  AwsCall begin = Call("put " + key, "CreateMultipartUpload", http::Method::kPost, key);
  begin.query = {{"uploads", ""}};
  begin.headers.emplace_back(kShaHeader, digest.sha256);
  TRY_ASSIGN(const http::Response begun, client_.Call(begin));
  if (begun.status != 200) return client_.Refused(begin, begun);
  TRY_ASSIGN(const XmlElement result, Parse(begin, begun, "InitiateMultipartUploadResult"));
  const std::string upload = result.TextOf("UploadId");

  const auto etags = UploadParts(key, upload, from, path, digest);
  if (!etags) {
    Abort(key, upload);
    return std::unexpected(etags.error());
  }
  AwsCall end = Call("put " + key, "CompleteMultipartUpload", http::Method::kPost, key);
  end.query = {{"uploadId", upload}};
  end.error_in_200 = true;
  std::string list = "<CompleteMultipartUpload>";
  for (std::size_t i = 0; i < etags->size(); ++i)
    list += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>\"{}\"</ETag></Part>", i + 1,
                        EscapeXml((*etags)[i]));
  list += "</CompleteMultipartUpload>";
  end.body = list;
  auto etag = PutWith(key, std::move(end), digest.bytes, digest.sha256, condition);
  if (!etag) Abort(key, upload);
  return etag;
}

Result<std::vector<std::string>> S3ObjectStore::UploadParts(const std::string& key, const std::string& upload,
                                                            BlobReader& from, const std::string& path,
                                                            const FileDigest& digest) {
  const std::uint64_t part = std::max(options_.part_bytes, (digest.bytes + kMostParts - 1) / kMostParts);
  const auto failed = std::make_shared<std::optional<Error>>();
  std::vector<AwsCall> calls;
  for (std::size_t i = 0; i < digest.parts.size(); ++i) {
    AwsCall call = Call(fmt::format("put {}, part {}", key, i + 1), "UploadPart", http::Method::kPut, key);
    call.query = {{"partNumber", std::to_string(i + 1)}, {"uploadId", upload}};
    const std::uint64_t at = i * part;
    UploadFrom(
        call,
        {.from = &from, .path = path, .at = at, .left = std::min(part, digest.bytes - at), .failed = failed},
        digest.parts[i]);
    calls.push_back(std::move(call));
  }
  std::vector<std::string> etags;
  const auto answers = client_.CallAll(calls, options_.parts_at_once);
  if (*failed) return Within(("put " + key).c_str(), **failed);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (answers[i] && answers[i]->status != 200) return client_.Refused(calls[i], *answers[i]);
  }
  // What failed for itself says more than what was given up for it.
  const Error* first = nullptr;
  for (const auto& answer : answers)
    if (!answer && (first == nullptr || first->message.ends_with("another call failed")))
      first = &answer.error();
  if (first != nullptr) return std::unexpected(*first);
  for (const auto& answer : answers) etags.push_back(BareEtag(answer->header("ETag")));
  return etags;
}

// What is left of an upload is paid for until somebody ends it. When this fails, the bucket's lifecycle rule does.
void S3ObjectStore::Abort(const std::string& key, const std::string& upload) {
  AwsCall call = Call("put " + key, "AbortMultipartUpload", http::Method::kDelete, key);
  call.query = {{"uploadId", upload}};
  (void)client_.Call(call);
}

Result<void> S3ObjectStore::Delete(std::span<const std::string> keys) {
  std::vector<std::string> together;
  for (const std::string& key : keys) {
    if (HasControls(key)) {
      TRY(DeleteOne(key));
    } else {
      together.push_back(key);
    }
  }
  if (together.size() == 1) return DeleteOne(together.front());
  for (std::size_t at = 0; at < together.size(); at += kMostKeysACall) {
    const std::size_t n = std::min(kMostKeysACall, together.size() - at);
    std::vector<std::string> left(together.begin() + std::ptrdiff_t(at),
                                  together.begin() + std::ptrdiff_t(at + n));
    for (int failures = 0; !left.empty();) {
      TRY_ASSIGN(left, DeleteMany(left));
      if (left.empty()) break;
      if (++failures >= client_.tries())
        return Fail(ErrorCode::kIo, "delete {}: the server is busy, after {} tries", left.front(), failures);
      client_.Pause(failures);
    }
  }
  return {};
}

Result<void> S3ObjectStore::DeleteOne(const std::string& key) {
  const AwsCall call = Call("delete " + key, "DeleteObject", http::Method::kDelete, key);
  TRY_ASSIGN(const http::Response response, client_.Call(call));
  if (response.status / 100 == 2) return {};
  if (response.status == 404 && ParseServiceError(response).code != "NoSuchBucket") return {};
  return client_.Refused(call, response);
}

Result<std::vector<std::string>> S3ObjectStore::DeleteMany(std::span<const std::string> keys) {
  AwsCall call = Call(fmt::format("delete {} and {} others", keys.front(), keys.size() - 1), "DeleteObjects",
                      http::Method::kPost, "");
  call.query = {{"delete", ""}};
  std::string list = "<Delete><Quiet>true</Quiet>";
  for (const std::string& key : keys) list += "<Object><Key>" + EscapeXml(key) + "</Key></Object>";
  list += "</Delete>";
  call.body = list;
  call.headers.emplace_back("Content-MD5", Md5Base64(list));
  TRY_ASSIGN(const http::Response response, client_.Call(call));
  if (response.status != 200) return client_.Refused(call, response);
  TRY_ASSIGN(const XmlElement result, Parse(call, response, "DeleteResult"));
  std::vector<std::string> again;
  for (const XmlElement& entry : result.children) {
    if (entry.name != "Error") continue;
    const ServiceError error{.code = entry.TextOf("Code"), .message = entry.TextOf("Message"), .region = ""};
    if (error.code == "NoSuchKey") continue;
    if (JudgeAnswer(200, error) != Verdict::kAgain) {
      return Fail(error.code == "AccessDenied" ? ErrorCode::kDenied : ErrorCode::kIo, "delete {}: {}: {}",
                  entry.TextOf("Key"), error.code, error.message.substr(0, 200));
    }
    again.push_back(entry.TextOf("Key"));
  }
  return again;
}

Result<void> S3ObjectStore::Probe() {
  const std::string key = fmt::format("probe/{:016x}", client_.random()());
  const auto verdict = [&]() -> Result<void> {
    const auto ignored = [&](const Result<std::string>& put) -> Result<void> {
      if (!put && put.error().code == ErrorCode::kExists) return {};
      TRY(put);
      return Fail(
          ErrorCode::kInvalid,
          "bucket {}: this server ignores conditions; two writers would damage the store (Ceph does so in buckets "
          "with versioning)",
          options_.bucket);
    };
    TRY_ASSIGN(const std::string first, Put(key, "1", PutCondition::Absent()));
    TRY(ignored(Put(key, "2", PutCondition::Absent())));
    const auto second = Put(key, "3", PutCondition::Matches(first));
    if (!second && second.error().code == ErrorCode::kExists) {
      return Fail(ErrorCode::kInvalid, "bucket {}: this server does not know its own ETags in If-Match",
                  options_.bucket);
    }
    TRY(second);
    TRY(ignored(Put(key, "4", PutCondition::Matches(first))));
    TRY_ASSIGN(const Object there, Get(key));
    if (there.bytes == "3") return {};
    return Fail(ErrorCode::kInvalid, "bucket {}: a read does not see what was just written", options_.bucket);
  }();
  const auto gone = DeleteOne(key);
  TRY(verdict);
  return gone;
}

}  // namespace tmdbc::aws
