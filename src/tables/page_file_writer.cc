// SPDX-License-Identifier: MIT
#include "tables/page_file_writer.h"

#include <algorithm>
#include <filesystem>
#include <map>

namespace tmdbc::tables {
namespace {

constexpr std::size_t kWriteBuffer = 1 << 20;

// splitmix64: neighbours have nothing in common.
std::uint64_t Scattered(std::uint64_t id) {
  id += 0x9E3779B97F4A7C15;
  id = (id ^ id >> 30) * 0xBF58476D1CE4E5B9;
  id = (id ^ id >> 27) * 0x94D049BB133111EB;
  return id ^ id >> 31;
}

std::unexpected<Error> DoesNotFit(const Table& table, std::size_t bytes) {
  return Fail(ErrorCode::kInvalid, "a page of table {} has {} bytes: a Parquet file has no place for it", table.name,
              bytes);
}

}  // namespace

PageFileWriter::PageFileWriter(const Table& table, std::string path, const PageSizes& sizes, PageFile* old)
    : table_(table),
      path_(std::move(path)),
      sizes_(sizes),
      old_(old),
      encoder_(kParquetZstdLevel),
      open_(table.columns.size()),
      pending_(table.columns.size()) {}

void PageFileWriter::Append(const std::vector<PageColumn>& from, std::size_t first, std::size_t last) {
  for (std::size_t column = 0; column < open_.size(); ++column) open_[column].Append(from[column], first, last);
  open_rows_ += last - first;
}

bool PageFileWriter::EndsPage(std::int64_t id, std::size_t rows, std::size_t more) const {
  const auto least = std::uint64_t(std::max<std::int64_t>(sizes_.page_rows / 2, 1));
  const std::size_t page_rows = open_rows_ + more;
  if (page_rows < least) return false;
  return page_rows >= 4 * least || Scattered(std::uint64_t(id)) % least < rows;
}

void PageFileWriter::Resembles(std::size_t group, std::size_t page,
                               std::shared_ptr<const std::vector<PageColumn>> cells) {
  if (twin_) return;
  twin_ = Origin{group, page};
  twin_cells_ = std::move(cells);
}

Result<void> PageFileWriter::Take(std::size_t group, std::size_t page) {
  for (std::size_t column = 0; column < pending_.size(); ++column)
    pending_[column].push_back(OldPage({group, page}, column));
  pending_rows_ += std::int64_t(old_->groups()[group].rows(page));
  return pending_rows_ >= sizes_.group_rows ? EndGroup() : Result<void>();
}

Result<void> PageFileWriter::EndPage() {
  if (open_rows_ == 0) return {};
  for (std::size_t column = 0; column < pending_.size(); ++column) {
    if (!open_[column].fits()) return DoesNotFit(table_, open_[column].plain.size());
    pending_[column].push_back(Encoded(column));
    open_[column].Clear();
  }
  pending_rows_ += std::int64_t(open_rows_);
  open_rows_ = 0;
  twin_.reset();
  twin_cells_.reset();
  return pending_rows_ >= sizes_.group_rows ? EndGroup() : Result<void>();
}

const PagePlace& PageFileWriter::OldPlace(const Origin& origin, std::size_t column) const {
  return old_->groups()[origin.group].chunks[column].pages[origin.page];
}

PageFileWriter::Pending PageFileWriter::OldPage(const Origin& origin, std::size_t column) {
  const PagePlace& place = OldPlace(origin, column);
  pending_bytes_ += place.length();
  return {.origin = origin, .kind = place.kind, .range = place.range};
}

PageFileWriter::Pending PageFileWriter::Encoded(std::size_t column) {
  const ColumnType type = table_.columns[column].type;
  const PageColumn& cells = open_[column];
  if (twin_) {
    const PageColumn& twin = (*twin_cells_)[column];
    if (twin.ends == cells.ends && twin.valid == cells.valid && twin.plain == cells.plain)
      return OldPage(*twin_, column);
  }
  Pending page;
  auto few = FewValues(type, cells);
  page.range = RangeOf(type, cells, few ? &*few : nullptr);
  if (few) {
    page.kind = PageKind::kCodes;
    page.levels = LevelsOf(cells);
    page.codes = std::move(few->codes);
    page.values = std::make_shared<const std::vector<std::string>>(std::move(few->values));
    pending_bytes_ += page.codes.size() / 2;
    return page;
  }
  const std::string body = PlainBody(type, cells);
  page.kind = PageKind::kPlain;
  page.plain = body.size();
  encoder_.AppendFrame(body, page.packed);
  pending_bytes_ += page.packed.size();
  return page;
}

Result<void> PageFileWriter::EndGroup() {
  if (pending_rows_ == 0) return {};
  if (offset_ == 0) TRY(Put(kParquetMagic));
  GroupPlaces places;
  GroupFacts facts;
  places.at = offset_;
  facts.rows = pending_rows_;
  for (std::size_t column = 0; column < pending_.size(); ++column)
    TRY(PutChunk(column, places, facts.chunks.emplace_back()));
  places.length = offset_ - places.at;
  places_.push_back(std::move(places));
  facts_.push_back(std::move(facts));
  rows_ += pending_rows_;
  pending_rows_ = 0;
  pending_bytes_ = 0;
  return {};
}

Result<void> PageFileWriter::LoadCodes(std::size_t column, Pending& page) {
  TRY_ASSIGN(page.values, old_->Dictionary(page.origin->group, column));
  TRY_ASSIGN(CodedBody coded, old_->ReadCodes(page.origin->group, page.origin->page, column));
  page.levels = std::move(coded.levels);
  page.codes = std::move(coded.codes);
  return {};
}

// Whether these are the pages that the column had in a group of the old file, all of them and no other.
bool PageFileWriter::IsWholeOldChunk(const std::vector<Pending>& pages) const {
  const auto& first = pages.front().origin;
  if (!first || old_->groups()[first->group].pages() != pages.size()) return false;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const auto& origin = pages[i].origin;
    if (!origin || origin->group != first->group || origin->page != i) return false;
  }
  return true;
}

// Makes all pages of the column in codes, or all plain, by the values of each: Spark's vectorized reader shows other
// values where a page in codes follows a plain one.
Result<void> PageFileWriter::Settle(std::size_t column, std::vector<Pending>& pages) {
  const bool few = std::ranges::find(pages, PageKind::kPlain, &Pending::kind) == pages.end();
  for (Pending& page : pages) {
    if (page.kind != (few ? PageKind::kFew : PageKind::kCodes)) continue;
    if (few) {
      const ColumnType type = table_.columns[column].type;
      TRY_ASSIGN(const PageColumn cells, old_->Read(page.origin->group, page.origin->page, column));
      auto codes = FewValues(type, cells);
      if (!codes) return Fail(ErrorCode::kCorrupt, "a page of the old file of {} is of another kind", table_.name);
      page.kind = PageKind::kCodes;
      page.levels = LevelsOf(cells);
      page.codes = std::move(codes->codes);
      page.values = std::make_shared<const std::vector<std::string>>(std::move(codes->values));
    } else {
      if (page.origin) TRY(LoadCodes(column, page));
      std::string body = std::move(page.levels);
      for (const std::uint32_t code : page.codes) body += (*page.values)[code];
      page.kind = PageKind::kFew;
      page.plain = body.size();
      encoder_.AppendFrame(body, page.packed);
    }
    page.origin.reset();
  }
  return {};
}

// The dictionary of the pages that are in codes, in the order of the bytes: the same whichever page comes first. Codes
// become places in it.
Result<std::vector<std::string>> PageFileWriter::MakeDictionary(std::size_t column, std::vector<Pending>& pages) {
  struct Numbers {
    std::vector<bool> used;
    std::vector<std::uint32_t> places;
  };
  std::map<PageFile::Values, Numbers> numbers;  // pages of an old group share theirs
  for (Pending& page : pages) {
    if (page.kind != PageKind::kCodes) continue;
    if (page.origin) TRY(LoadCodes(column, page));
    Numbers& of = numbers[page.values];
    of.used.resize(page.values->size());
    for (const std::uint32_t code : page.codes) of.used[code] = true;
  }
  std::vector<std::string_view> all;
  for (const auto& [values, of] : numbers) {
    for (std::size_t i = 0; i < values->size(); ++i) {
      if (of.used[i]) all.push_back((*values)[i]);
    }
  }
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  for (auto& [values, of] : numbers) {
    for (const std::string& value : *values)
      of.places.push_back(std::uint32_t(std::ranges::lower_bound(all, value) - all.begin()));
  }
  for (Pending& page : pages) {
    if (page.kind != PageKind::kCodes) continue;
    // The codes of a page that stays as it is are not needed any more.
    if (page.origin && std::ranges::equal(*page.values, all)) continue;
    const Numbers& of = numbers[page.values];
    for (std::uint32_t& code : page.codes) code = of.places[code];
    page.origin.reset();
  }
  return std::vector<std::string>(all.begin(), all.end());
}

Result<void> PageFileWriter::PutChunk(std::size_t column, GroupPlaces& places, ChunkFacts& facts) {
  std::vector<Pending>& pages = pending_[column];
  ChunkPlaces& chunk = places.chunks.emplace_back();
  std::size_t values = 0;
  if (IsWholeOldChunk(pages)) {
    if (const auto& old = old_->groups()[pages.front().origin->group].chunks[column].dictionary) {
      TRY_ASSIGN(chunk.dictionary, PutOld(*old, facts));
    }
  } else {
    TRY(Settle(column, pages));
    TRY_ASSIGN(const auto dictionary, MakeDictionary(column, pages));
    values = dictionary.size();
    if (values > 0) {
      const std::string body = DictionaryBody(dictionary);
      std::string packed;
      encoder_.AppendFrame(body, packed);
      const PageRange range{.rows = std::int64_t(values)};
      TRY_ASSIGN(chunk.dictionary, PutPage(PageKind::kDictionary, range, packed, body.size(), facts));
    }
  }
  if (chunk.dictionary) facts.dictionary_at = std::int64_t(chunk.dictionary->at);
  facts.data_at = std::int64_t(offset_);
  for (Pending& page : pages) {
    facts.range = Together(table_.columns[column].type, facts.range, page.range);
    if (page.origin) {
      TRY_ASSIGN(const PagePlace place, PutOld(OldPlace(*page.origin, column), facts));
      chunk.pages.push_back(place);
      continue;
    }
    if (page.kind == PageKind::kCodes) {
      const std::string body = CodesBody(page.levels, page.codes, values);
      page.plain = body.size();
      encoder_.AppendFrame(body, page.packed);
    }
    TRY_ASSIGN(const PagePlace place, PutPage(page.kind, page.range, page.packed, page.plain, facts));
    chunk.pages.push_back(place);
  }
  pages.clear();
  return {};
}

Result<PagePlace> PageFileWriter::PutPage(PageKind kind, const PageRange& range, std::string_view packed,
                                          std::uint64_t plain, ChunkFacts& facts) {
  if (plain > INT32_MAX || packed.size() > INT32_MAX) return DoesNotFit(table_, plain);
  const std::string head = PageHeader(kind, range.rows, plain, packed.size());
  PagePlace place{.at = offset_, .head = head.size(), .packed = packed.size(), .plain = plain, .kind = kind,
                  .range = range};
  TRY(Put(head));
  TRY(Put(packed));
  facts.plain_bytes += std::int64_t(place.head + plain);
  facts.packed_bytes += std::int64_t(place.length());
  return place;
}

Result<PagePlace> PageFileWriter::PutOld(const PagePlace& old, ChunkFacts& facts) {
  PagePlace place = old;
  place.at = offset_;
  TRY(Put(old_->Raw(old)));
  facts.plain_bytes += std::int64_t(place.head + place.plain);
  facts.packed_bytes += std::int64_t(place.length());
  return place;
}

Result<PageFileWriter::Finished> PageFileWriter::Finish() {
  TRY(EndPage());
  TRY(EndGroup());
  Finished finished{.rows = rows_};
  if (rows_ == 0) return finished;
  TRY(Put(FormatPageIndex(places_)));
  std::string footer = FooterOf(table_, facts_);
  const auto length = std::uint32_t(footer.size());
  footer.append(reinterpret_cast<const char*>(&length), sizeof length);
  TRY(Put(footer += kParquetMagic));
  // What was compared or taken over were its bytes.
  if (old_ != nullptr) TRY(old_->IsStillThere());
  finished.bytes = offset_;
  finished.is_old = !file_ && old_ != nullptr && old_->bytes().size() == offset_;
  if (finished.is_old) return finished;
  TRY(Begin());
  TRY(file_->Append(buffer_));
  file_.reset();
  finished.sha256 = sha256_.Finish();
  return finished;
}

Result<void> PageFileWriter::Put(std::string_view bytes) {
  if (!file_ && old_ != nullptr) {
    const std::string_view old = old_->bytes().substr(std::min<std::size_t>(offset_, old_->bytes().size()));
    if (old.data() == bytes.data() || old.starts_with(bytes)) {
      offset_ += bytes.size();
      return {};
    }
  }
  TRY(Begin());
  TRY(Write(bytes));
  offset_ += bytes.size();
  return {};
}

// Makes the file, with all that is as the old one has it.
Result<void> PageFileWriter::Begin() {
  if (file_) return {};
  const std::filesystem::path path(path_);
  TRY_ASSIGN(file_, PosixFileSystem(path.parent_path()).OpenAppend(path.filename()));
  TRY(file_->Truncate(0));
  return offset_ == 0 ? Result<void>() : Write(old_->bytes().substr(0, offset_));
}

Result<void> PageFileWriter::Write(std::string_view bytes) {
  sha256_.Add(bytes);
  if (buffer_.size() + bytes.size() < kWriteBuffer) {
    buffer_ += bytes;
    return {};
  }
  TRY(file_->Append(buffer_));
  buffer_.clear();
  return file_->Append(bytes);
}

}  // namespace tmdbc::tables
