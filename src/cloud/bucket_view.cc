// SPDX-License-Identifier: MIT
#include "cloud/bucket_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "cloud/bucket_home.h"
#include "cloud/fetch_object.h"
#include "storage/record_index.h"
#include "storage/segment_path.h"
#include "storage/sequence_state.h"

namespace tmdbc {
namespace {

// Why the catalog that the head names cannot be read. One that is lost or damaged is not a bucket without a mirror.
std::unexpected<Error> NoCatalog(const std::string& key, const Error& error) {
  if (error.code != ErrorCode::kNotFound && !IsDamage(error)) return std::unexpected(error);
  return Fail(ErrorCode::kCorrupt, Hint::kRebuild, "{} cannot be used: {}", key, error.message);
}

}  // namespace

Result<HeadState> BucketView::ReadHead(ObjectStore& objects) {
  const auto object = objects.Get(std::string(kHeadKey));
  if (!object && object.error().code == ErrorCode::kNotFound) {
    TRY_ASSIGN(const std::string newest, NewestCatalog(objects));
    if (!newest.empty())
      return Fail(ErrorCode::kCorrupt, Hint::kRebuild, "{} is gone, and {} is there", kHeadKey, newest);
    return Fail(ErrorCode::kNotFound, "there is no mirror in the bucket yet: it has no {}", kHeadKey);
  }
  TRY(object);
  return ParseHeadState(object->bytes);
}

Result<void> BucketView::RequireCatalog(const HeadState& head) {
  if (!head.catalog.key.empty()) return {};
  if (!head.previous.empty())
    return Fail(ErrorCode::kCorrupt, Hint::kRebuild, "{} was lost, and its catalog is not made again yet", kHeadKey);
  return Fail(ErrorCode::kNotFound, "there is no catalog in the bucket yet: its first owner has not published one");
}

Result<std::unique_ptr<BucketView>> BucketView::Open(ObjectStore& objects) {
  std::unique_ptr<BucketView> view(new BucketView(objects));
  // The last two catalogs stay where they are. One that is gone all the same was replaced twice meanwhile.
  constexpr int kTries = 3;
  for (int i = 0;; ++i) {
    TRY_ASSIGN(view->head_, ReadHead(objects));
    const CatalogObject& catalog = view->head_.catalog;
    TRY(RequireCatalog(view->head_));
    auto opened = ObjectDatabase::Open(objects, catalog.key, catalog.bytes);
    if (!opened && opened.error().code == ErrorCode::kNotFound && i + 1 < kTries) continue;
    if (!opened) return NoCatalog(catalog.key, opened.error());
    view->catalog_ = *std::move(opened);
    return view;
  }
}

Result<std::unique_ptr<BucketView>> BucketView::OpenWhole(ObjectStore& objects, const std::string& path,
                                                          const std::string& file) {
  std::unique_ptr<BucketView> view(new BucketView(objects));
  TRY_ASSIGN(view->head_, ReadHead(objects));
  TRY(RequireCatalog(view->head_));
  PosixFileSystem files(path);
  const CatalogObject& catalog = view->head_.catalog;
  const auto fetched = FetchObject(objects, catalog.key, files, file, catalog.bytes, catalog.crc32);
  if (!fetched) return NoCatalog(catalog.key, fetched.error());
  TRY_ASSIGN(Database copy, Database::Open(path + "/" + file, Database::Mode::kReadWrite));
  view->copy_.emplace(std::move(copy));
  return view;
}

namespace {

Result<void> CheckSizes(BucketView& view, VerifyReport& report) {
  RecordIndex index(view.catalog());
  TRY_ASSIGN(const auto paths, view.files().List(std::string(kRecordsFolder)));
  std::set<std::string> unknown;
  for (const std::string& path : paths) {
    if (ParseSegmentPath(path)) unknown.insert(path);
  }
  const auto damaged = [&](const std::string& path, std::string what) {
    report.damage.push_back({path, 0, std::move(what), {}});
  };
  for (const MediaType type : kRecordTypes) {
    TRY_ASSIGN(const auto segments, index.Segments(type));
    for (const SegmentRow& row : segments) {
      const std::string path = SealedPath(type, row.number);
      ++report.segments;
      report.bytes += std::int64_t(row.bytes);
      TRY_ASSIGN(const bool there, view.files().Exists(path));
      const auto size = there ? view.files().Size(path) : Result<std::uint64_t>(0);
      TRY(size);
      if (!there) damaged(path, "missing");
      if (there && *size != row.bytes)
        damaged(path, fmt::format("{} bytes, the index says {}", *size, row.bytes));
      unknown.erase(path);
      if (row.origin) {
        for (const auto& part : row.origin->parts) unknown.erase(SealedPath(type, part.number));
        for (const std::uint32_t number : row.origin->retired) unknown.erase(SealedPath(type, number));
      }
    }
    if (segments.empty()) continue;
    const auto state = view.files().Read(StatePath(type), 0, 4096);
    if (!state && state.error().code != ErrorCode::kNotFound) return std::unexpected(state.error());
    const auto parsed = state ? ParseState(*state) : std::unexpected(state.error());
    const auto last = std::ranges::max_element(segments, {}, &SegmentRow::place);
    if (!parsed) {
      damaged(StatePath(type), state ? parsed.error().message : "missing");
    } else if (parsed->sequence < last->place()) {
      damaged(StatePath(type), fmt::format("it says {}, the index {}", parsed->sequence, last->place()));
    }
  }
  for (const std::string& path : unknown) damaged(path, kNotInIndex);
  return {};
}

}  // namespace

Result<VerifyReport> VerifyView(BucketView& view, bool deep) {
  VerifyReport report;
  if (deep) {
    TRY_ASSIGN(report, Verify(view.files(), view.catalog(), true));
  } else {
    TRY(CheckSizes(view, report));
  }
  std::erase_if(report.damage, [&](const Damage& damage) {
    bool newer = damage.what == kNotInIndex && ParseSegmentPath(damage.file);
    if (!newer && damage.file.ends_with("/state.json")) {
      const auto state = view.files().Read(damage.file, 0, 4096);
      const auto parsed = state ? ParseState(*state) : std::unexpected(state.error());
      const auto type = ParseMediaType(FolderOfPath(damage.file).substr(kRecordsFolder.size() + 1));
      const auto known = type ? RecordIndex(view.catalog()).LastSealed(*type)
                              : Result<std::optional<SegmentRow>>(std::nullopt);
      newer = parsed && known && (!*known || parsed->sequence > (*known)->place());
    }
    if (newer) report.notes.push_back(damage.file + " is newer than the catalog: the next owner takes it in");
    return newer;
  });
  return report;
}

}  // namespace tmdbc
