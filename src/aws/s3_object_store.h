// SPDX-License-Identifier: MIT
// S3ObjectStore: an ObjectStore in a bucket of S3, or of a server that speaks its protocol and honours conditions: Ceph
// (in buckets without versioning), MinIO, R2, versitygw.
//
// Each object carries the SHA-256 of its bytes as x-amz-meta-sha256. So a Put() whose answer was lost, and which then
// finds its condition broken by itself, knows its own bytes again. An object that somebody else put there has none; it
// is compared byte by byte when that is asked for.
//
// What a call costs: one request each, but for Put() whose condition does not hold (one HEAD more), PutFile() above
// `part_bytes` (one a part, two more, and a HEAD when there is a condition), Read() of more than `range_bytes` (one a
// range: one connection to S3 is slower than a function's network), ListObjects() and Delete() (one a thousand).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aws/aws_client.h"
#include "base/result.h"
#include "storage/object_store.h"

namespace tmdbc::aws {

struct S3Options {
  std::string bucket;
  std::string url;  // of BucketUrl()
  std::uint64_t part_bytes =
      64 << 20;  // a larger file goes in parts of this size (5 MiB at least, but for tests)
  std::uint64_t range_bytes = 16 << 20;  // a longer Read() goes in ranges of this size
  int parts_at_once = 4;                 // and ranges
};

class S3ObjectStore final : public ObjectStore {
 public:
  // `client` outlives the store.
  S3ObjectStore(AwsClient& client, S3Options options);

  Result<std::string> Read(const std::string& key, std::uint64_t offset, std::uint64_t length) override;
  Result<Object> Get(const std::string& key) override;
  Result<std::optional<ObjectInfo>> Head(const std::string& key) override;
  Result<std::vector<ObjectInfo>> ListObjects(const std::string& prefix, const std::string& after) override;
  Result<std::string> Put(const std::string& key, std::string_view bytes,
                          const PutCondition& condition) override;
  // Above `part_bytes` some servers pass over a condition at the end of an upload: it is looked at before, too.
  Result<std::string> PutFile(const std::string& key, BlobReader& from, const std::string& path,
                              const PutCondition& condition) override;
  Result<void> Delete(std::span<const std::string> keys) override;

  // Whether this bucket can hold a store: conditions are honoured. Writes below probe/ and removes it again. kInvalid
  // with a sentence when they are not, else what the calls say. Before the first Put() of a process that writes.
  Result<void> Probe();

 private:
  struct Found {
    ObjectInfo info;
    std::string sha256;  // empty: not ours
  };
  struct FileDigest {
    std::uint64_t bytes = 0;
    std::string sha256;
    std::vector<std::string> parts;  // of each part
  };

  AwsCall Call(std::string act, const char* operation, http::Method method, const std::string& key) const;
  AwsCall RangeCall(const std::string& key, std::uint64_t offset, std::uint64_t length) const;
  // The bytes in an answer to it; empty behind the end.
  Result<std::string> BytesOf(const AwsCall& call, http::Response response, std::uint64_t offset,
                              std::uint64_t length) const;
  Result<std::string> ReadInRanges(const std::string& key, std::uint64_t offset, std::uint64_t length);
  Result<std::optional<Found>> FindObject(const std::string& key);
  // Whether `there` are the bytes of `sha256`.
  Result<bool> IsOurs(const std::string& key, const Found& there, std::uint64_t bytes,
                      const std::string& sha256);
  void AddCondition(AwsCall& call, const PutCondition& condition) const;
  // A PUT, or the end of an upload in parts, until it is settled.
  Result<std::string> PutWith(const std::string& key, AwsCall call, std::uint64_t bytes,
                              const std::string& sha256, const PutCondition& condition);
  Result<FileDigest> Digest(BlobReader& from, const std::string& path) const;
  Result<std::string> PutParts(const std::string& key, BlobReader& from, const std::string& path,
                               const FileDigest& digest, const PutCondition& condition);
  Result<std::vector<std::string>> UploadParts(const std::string& key, const std::string& upload,
                                               BlobReader& from, const std::string& path,
                                               const FileDigest& digest);
  void Abort(const std::string& key, const std::string& upload);
  Result<void> DeleteOne(const std::string& key);
  // Returns the keys to try again.
  Result<std::vector<std::string>> DeleteMany(std::span<const std::string> keys);

  AwsClient& client_;
  const S3Options options_;
  bool bare_etags_ = false;  // this server wants an ETag in If-Match without its quotes (Ceph 16)
};

}  // namespace tmdbc::aws
