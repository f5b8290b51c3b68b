// SPDX-License-Identifier: MIT
#include "titles/shelf.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "base/json.h"
#include "base/json_writer.h"

namespace tmdbc::titles {
namespace {

constexpr std::int64_t kManifestFormat = 1;
// A new file takes in those that are at most so many times as large as what it has already.
constexpr std::size_t kMergeRatio = 4;
// The same in memory: of a thousand entries that come one by one each is merged ten times, and a look-up has ten
// small files more.
constexpr std::size_t kMergeRatioInMemory = 1;
constexpr std::uint64_t kMaxManifestBytes = 1 << 20;

std::string ManifestName(MediaType type) {
  return fmt::format("{}.json", Name(type));
}

constexpr std::uint64_t kNoId = std::numeric_limits<std::uint64_t>::max();

// Walks what is pending and the entries of files of one type together, of each id the newest. `oldest_too`: there is
// nothing behind them, so what is gone needs no mark.
Result<void> EachOf(const std::map<std::uint32_t, std::string>& pending,
                    const std::vector<std::shared_ptr<const IndexFile>>& newest_first, bool oldest_too,
                    const std::function<Result<void>(const Entry&)>& visit) {
  auto next = pending.begin();
  std::vector<std::size_t> at(newest_first.size(), 0);
  while (true) {
    std::uint64_t id = next == pending.end() ? kNoId : next->first;
    std::size_t from = newest_first.size();
    for (std::size_t i = 0; i < newest_first.size(); ++i) {
      if (at[i] < newest_first[i]->size() && newest_first[i]->fixed()[at[i]].id < id) {
        id = newest_first[i]->fixed()[at[i]].id;
        from = i;
      }
    }
    if (id == kNoId) return {};
    TRY_ASSIGN(const Entry entry,
               from == newest_first.size() ? Unpack(next->second) : newest_first[from]->Read(at[from]));
    if (next != pending.end() && next->first == id) ++next;
    for (std::size_t i = 0; i < newest_first.size(); ++i) {
      if (at[i] < newest_first[i]->size() && newest_first[i]->fixed()[at[i]].id == id) ++at[i];
    }
    if (!entry.gone() || !oldest_too) TRY(visit(entry));
  }
}

}  // namespace

void Shelf::Piece::Take(std::vector<float> popularities) {
  top = std::make_shared<const std::vector<std::uint32_t>>(MostPopular(popularities));
  popularity = std::make_shared<const std::vector<float>>(std::move(popularities));
}

Shelf::Shelf(std::string folder, MediaType type)
    : folder_(std::move(folder)), files_(std::make_unique<PosixFileSystem>(folder_)), type_(type) {}

Result<Shelf> Shelf::Open(const std::string& folder, MediaType type) {
  Shelf shelf(folder, type);
  if (const auto loaded = shelf.Load(); !loaded) {
    shelf.pieces_.clear();
    shelf.saved_up_to_ = 0;
    shelf.mark_ = 0;
    if (loaded.error().code != ErrorCode::kNotFound) shelf.fresh_because_ = loaded.error().message;
  }
  TRY(shelf.RemoveOthers());
  return shelf;
}

Result<void> Shelf::Load() {
  TRY_ASSIGN(const std::string text, files_->Read(ManifestName(type_), 0, kMaxManifestBytes));
  const auto corrupt = [&](std::string_view what) {
    return Fail(ErrorCode::kCorrupt, "{}/{}: {}", folder_, ManifestName(type_), what);
  };
  const auto json = ParsedJson::Parse(text);
  if (!json) return corrupt(json.error().message);
  const auto root = json->root();
  std::int64_t format = 0, up_to = 0, mark = 0, next = 0;
  simdjson::dom::array names;
  if (root["format"].get(format) != simdjson::SUCCESS || format != kManifestFormat) return corrupt("another format");
  if (root["up_to"].get(up_to) != simdjson::SUCCESS || root["mark"].get(mark) != simdjson::SUCCESS || up_to < 0 ||
      root["next"].get(next) != simdjson::SUCCESS || next < 1 || root["files"].get(names) != simdjson::SUCCESS) {
    return corrupt("it lacks what a manifest has");
  }
  std::vector<std::shared_ptr<const IndexFile>> newer;
  for (const auto one : names) {
    std::string_view name;
    if (one.get(name) != simdjson::SUCCESS || name.contains('/')) return corrupt("a file has no name");
    Piece piece;
    piece.name = name;
    auto file = IndexFile::Map(type_, folder_ + "/" + piece.name);
    if (!file) return Fail(ErrorCode::kCorrupt, "{}", file.error().message);
    piece.file = *std::move(file);
    piece.alive = std::make_shared<const Bits>(AliveIn(*piece.file, newer));
    newer.push_back(piece.file);
    pieces_.push_back(std::move(piece));
  }
  saved_up_to_ = up_to;
  mark_ = std::uint32_t(mark);
  next_number_ = next;
  return {};
}

Result<void> Shelf::RemoveOthers() {
  TRY_ASSIGN(const auto there, files_->List(""));
  const std::string prefix = fmt::format("{}-", Name(type_));
  for (const std::string& path : there) {
    const std::string name = path.substr(path.rfind('/') + 1);
    const bool named = std::ranges::find(pieces_, name, &Piece::name) != pieces_.end();
    if (name.starts_with(prefix) && !named) TRY(files_->Remove(name));
  }
  return {};
}

Result<void> Shelf::WriteManifest(std::int64_t up_to, std::uint32_t mark, const std::vector<Piece>& pieces) {
  JsonWriter json;
  json.BeginObject().Field("format", kManifestFormat).Field("up_to", up_to).Field("mark", mark);
  json.Field("next", next_number_).Key("files").BeginArray();
  for (const Piece& piece : pieces) json.Text(piece.name);
  json.EndArray().EndObject();
  return WriteWhole(*files_, ManifestName(type_), json.text() + "\n");
}

bool Shelf::lost() const {
  return std::ranges::any_of(pieces_, [](const Piece& piece) { return piece.file->lost(); });
}

Result<void> Shelf::Clear() {
  pending_.clear();
  pieces_.clear();
  saved_up_to_ = 0;
  mark_ = 0;
  TRY(WriteManifest(0, 0, {}));
  return RemoveOthers();
}

void Shelf::Put(const Entry& entry) {
  std::string& packed = pending_[entry.fixed.id];
  packed.clear();
  Pack(entry, packed);
  packed.shrink_to_fit();
}

Result<std::optional<Entry>> Shelf::Find(std::uint32_t id) const {
  if (const auto found = pending_.find(id); found != pending_.end()) {
    TRY_ASSIGN(Entry entry, Unpack(found->second));
    return entry;
  }
  for (const Piece& piece : pieces_) {
    const std::size_t at = piece.file->Find(id);
    if (at == piece.file->size()) continue;
    TRY_ASSIGN(Entry entry, piece.file->Read(at));
    return entry;
  }
  return std::nullopt;
}

std::size_t Shelf::pending() const {
  std::size_t count = pending_.size();
  for (const Piece& piece : pieces_) count += piece.name.empty() ? piece.file->size() : 0;
  return count;
}

Result<void> Shelf::MakePieceOfPending() {
  std::vector<std::shared_ptr<const IndexFile>> merged;
  std::size_t count = pending_.size();
  for (const Piece& piece : pieces_) {
    if (!piece.name.empty() || piece.file->size() > count * kMergeRatioInMemory) break;
    merged.push_back(piece.file);
    count += piece.file->size();
  }
  std::string bytes;
  const EachEntry each = [&](const auto& visit) { return EachOf(pending_, merged, false, visit); };
  TRY(WriteIndex(type_, each, [&](std::string_view piece) -> Result<void> {
    bytes += piece;
    return {};
  }));
  Piece made;
  TRY_ASSIGN(made.file, IndexFile::FromBytes(type_, std::move(bytes)));
  made.alive = std::make_shared<const Bits>(AliveIn(*made.file, {}));
  pieces_.erase(pieces_.begin(), pieces_.begin() + std::ptrdiff_t(merged.size()));
  for (Piece& older : pieces_) {
    // A view that is out has the bits as they were.
    auto alive = std::make_shared<Bits>(*older.alive);
    for (const FixedPart& fixed : made.file->fixed()) {
      if (const std::size_t at = older.file->Find(fixed.id); at < older.file->size()) alive->Clear(at);
    }
    older.alive = std::move(alive);
  }
  pieces_.insert(pieces_.begin(), std::move(made));
  pending_.clear();
  return {};
}

Result<std::string> Shelf::WriteFile(const EachEntry& entries) {
  std::string name = fmt::format("{}-{:06}.idx", Name(type_), next_number_++);
  {
    TRY_ASSIGN(const auto file, files_->OpenAppend(name));
    TRY(file->Truncate(0));
    TRY(WriteIndex(type_, entries, [&](std::string_view piece) { return file->Append(piece); }));
    TRY(file->Sync());
  }
  TRY(files_->SyncFolder(""));
  return name;
}

Result<void> Shelf::Save(std::int64_t up_to, std::uint32_t mark, Merge merge) {
  std::vector<std::shared_ptr<const IndexFile>> merged;
  std::size_t count = pending_.size(), taken = 0;
  for (; taken < pieces_.size(); ++taken) {
    const std::size_t size = pieces_[taken].file->size();
    const bool merges = merge == Merge::kAll || (merge == Merge::kSome && size <= count * kMergeRatio);
    if (!pieces_[taken].name.empty() && !merges) break;
    merged.push_back(pieces_[taken].file);
    count += size;
  }
  std::vector<Piece> pieces;
  if (pending() > 0 || taken > 1) {
    const bool oldest_too = taken == pieces_.size();
    Piece piece;
    TRY_ASSIGN(piece.name, WriteFile([&](const auto& visit) { return EachOf(pending_, merged, oldest_too, visit); }));
    TRY_ASSIGN(piece.file, IndexFile::Map(type_, folder_ + "/" + piece.name));
    pieces.push_back(std::move(piece));
  } else {
    taken = 0;
  }
  pieces.insert(pieces.end(), pieces_.begin() + std::ptrdiff_t(taken), pieces_.end());
  // Zeros do not go into a file that is whole.
  if (lost()) return Fail(ErrorCode::kCorrupt, "{}: an index file of {} was cut off or cannot be read", folder_, Name(type_));
  TRY(WriteManifest(up_to, mark, pieces));
  pieces_ = std::move(pieces);
  std::vector<std::shared_ptr<const IndexFile>> newer;
  for (Piece& piece : pieces_) {
    piece.alive = std::make_shared<const Bits>(AliveIn(*piece.file, newer));
    newer.push_back(piece.file);
  }
  pending_.clear();
  saved_up_to_ = up_to;
  mark_ = mark;
  merged.clear();
  ::malloc_trim(0);  // what a merge took is not kept
  return RemoveOthers();
}

bool Shelf::RefreshPopularity(const PopularityOf& popularity) {
  bool changed = false;
  for (Piece& piece : pieces_) {
    auto now = PopularitiesOf(*piece.file, popularity);
    if (piece.popularity && *piece.popularity == now) continue;
    piece.Take(std::move(now));
    changed = true;
  }
  return changed;
}

Result<TypeTitles> Shelf::View(const PopularityOf& popularity) {
  if (!pending_.empty()) TRY(MakePieceOfPending());
  TypeTitles view{type_, {}};
  for (Piece& piece : pieces_) {
    if (!piece.popularity) piece.Take(PopularitiesOf(*piece.file, popularity));
    view.layers.push_back({piece.file, piece.alive, piece.popularity, piece.top});
  }
  return view;
}

}  // namespace tmdbc::titles
