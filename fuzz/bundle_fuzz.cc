// SPDX-License-Identifier: MIT
// Whatever lies in the inbox: refused before anything of it is given, or entries that, handed in again, make a bundle
// with the same entries. The input is a bundle; when it begins as a line does, it is the lines of one.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/compression.h"
#include "cloud/bundle.h"

namespace {

using namespace tmdbc;

constexpr std::string_view kBatch = "000000123-0007";

void Require(bool holds) {
  if (!holds) std::abort();
}

Result<BundleSummary> Read(std::string_view bundle, std::vector<BundleEntry>& entries) {
  return ReadBundle(bundle, kBatch, [&](BundleEntry entry) -> Result<void> {
    entries.push_back(std::move(entry));
    return {};
  });
}

void RequireSame(const BundleEntry& a, const BundleEntry& b) {
  Require(a.kind == b.kind && a.id == b.id && a.at == b.at && a.documents.size() == b.documents.size());
  Require(a.seasons.given == b.seasons.given && a.seasons.numbers == b.seasons.numbers);
  Require(a.seasons.ids == b.seasons.ids && a.seasons.readable == b.seasons.readable);
  Require(a.reason.substr(0, kMostReasonBytes) == b.reason.substr(0, kMostReasonBytes) ||
          a.reason.size() > kMostReasonBytes);
  for (std::size_t i = 0; i < a.documents.size(); ++i) {
    const Document &one = a.documents[i], &other = b.documents[i];
    Require(one.id == other.id && one.tv_id == other.tv_id && one.season_number == other.season_number);
    Require(one.fetched_at == other.fetched_at && one.etag == other.etag && one.data == other.data);
    Require(one.hash == other.hash && one.episodes.size() == other.episodes.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::vector<BundleEntry> entries;
  const auto read = Read(input.starts_with('{') ? ZstdFrame(input, kFastZstdLevel) : std::string(input), entries);
  if (!read) {
    Require(read.error().code == ErrorCode::kCorrupt && entries.empty());
    return 0;
  }
  IdBatch batch{.name = std::string(kBatch), .lane = 0, .rate = 40, .items = {}};
  std::vector<BundleEntry> left;
  BundleWriter writer(batch);
  for (const BundleEntry& entry : entries) {
    if (entry.kind == BundleEntry::Kind::kFetched) {
      Require(writer.Fetched(entry.id, entry.documents, entry.seasons, entry.at).has_value());
    }
    if (entry.kind == BundleEntry::Kind::kGone) Require(writer.Gone(entry.id, entry.at).has_value());
    if (!entry.reason.empty()) writer.Failed(entry.id, entry.reason);
    if (entry.kind == BundleEntry::Kind::kLeft) {
      batch.items.push_back({entry.id});
      left.push_back(entry);
    }
  }
  std::erase_if(entries, [](const BundleEntry& entry) { return entry.kind == BundleEntry::Kind::kLeft; });
  entries.insert(entries.end(), left.begin(), left.end());  // what is left stands at the end
  std::vector<BundleEntry> again;
  const auto summary = Read(writer.Finish(*read), again);
  Require(summary.has_value() && again.size() == entries.size() && summary->requests == read->requests);
  for (std::size_t i = 0; i < entries.size(); ++i) RequireSame(entries[i], again[i]);
  return 0;
}
