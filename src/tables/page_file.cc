// SPDX-License-Identifier: MIT
#include "tables/page_file.h"

#include <cstring>

#include "tables/page_sizes.h"

namespace tmdbc::tables {
namespace {

constexpr std::string_view kIndexMagic = "TDCI";
constexpr std::size_t kMaxIndex = 256 << 20;

void PutNumber(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += char(value | 0x80);
  out += char(value);
}
void PutText(std::string& out, std::string_view text) {
  PutNumber(out, text.size());
  out += text;
}

void PutPlace(std::string& out, const PagePlace& place) {
  PutNumber(out, std::uint64_t(place.kind));
  PutNumber(out, place.head);
  PutNumber(out, place.packed);
  PutNumber(out, place.plain);
  PutNumber(out, std::uint64_t(place.range.rows));
  PutNumber(out, std::uint64_t(place.range.nulls));
  PutNumber(out, place.range.low.has_value());
  if (!place.range.low) return;
  PutText(out, *place.range.low);
  PutText(out, *place.range.high);
}

// Takes an index apart. Once something is wrong all that follows is 0, and ok() false.
class IndexReader {
 public:
  explicit IndexReader(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool at_end() const { return bytes_.empty(); }
  std::uint64_t Number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) break;
      const auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      value |= std::uint64_t(byte & 0x7f) << shift;
      if (byte < 0x80) return ok_ ? value : 0;
    }
    ok_ = false;
    return 0;
  }
  // Of things that take at least a byte each.
  std::uint64_t Count() {
    const std::uint64_t count = Number();
    if (count > bytes_.size()) ok_ = false;
    return ok_ ? count : 0;
  }
  std::string Text() {
    const std::uint64_t size = Count();
    std::string text(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return text;
  }
  PagePlace Place(std::uint64_t& at, std::uint64_t end) {
    PagePlace place{.at = at};
    const std::uint64_t kind = Number();
    place.kind = PageKind(kind);
    place.head = Number();
    place.packed = Number();
    place.plain = Number();
    place.range.rows = std::int64_t(Number());
    place.range.nulls = std::int64_t(Number());
    if (Number() != 0) {
      place.range.low = Text();
      place.range.high = Text();
    }
    if (kind > std::uint64_t(PageKind::kFew) || place.range.rows < 0 ||
        place.range.rows > std::int64_t{1} << 31 || place.head > end - at ||
        place.packed > end - at - place.head)
      ok_ = false;
    if (ok_) at += place.length();
    return place;
  }
  void Fault() { ok_ = false; }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

std::uint32_t NumberAt(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

}  // namespace

std::string FormatPageIndex(const std::vector<GroupPlaces>& groups) {
  std::string plain;
  PutNumber(plain, groups.size());
  for (const GroupPlaces& group : groups) {
    PutNumber(plain, group.at);
    PutNumber(plain, group.pages());
    for (const ChunkPlaces& chunk : group.chunks) {
      PutNumber(plain, chunk.dictionary.has_value());
      if (chunk.dictionary) PutPlace(plain, *chunk.dictionary);
      for (const PagePlace& page : chunk.pages) PutPlace(plain, page);
    }
  }
  std::string index = ZstdFrame(plain, kParquetZstdLevel);
  const auto length = std::uint32_t(index.size());
  index.append(reinterpret_cast<const char*>(&length), sizeof length);
  return index += kIndexMagic;
}

Result<std::vector<GroupPlaces>> ReadPageIndex(std::string_view file, std::size_t columns) {
  const auto none = [] { return Fail(ErrorCode::kCorrupt, "it has no index of its pages"); };
  constexpr std::size_t kTail = 8;  // a length and a magic
  if (file.size() < 3 * kTail || !file.ends_with(kParquetMagic)) return none();
  const std::uint64_t footer = NumberAt(file, file.size() - kTail);
  if (footer > file.size() - 2 * kTail) return none();
  std::string_view before = file.substr(0, file.size() - kTail - footer);
  if (!before.ends_with(kIndexMagic) || before.size() < 2 * kTail) return none();
  const std::uint64_t length = NumberAt(before, before.size() - kTail);
  before.remove_suffix(kTail);
  if (length > before.size()) return none();
  const std::uint64_t data = before.size() - length;
  TRY_ASSIGN(const std::string plain, ZstdUnframe(before.substr(data), kMaxIndex));

  IndexReader in(plain);
  std::vector<GroupPlaces> groups(in.Count());
  for (GroupPlaces& group : groups) {
    group.at = in.Number();
    const std::uint64_t pages = in.Count();
    if (group.at > data || pages == 0) in.Fault();
    std::uint64_t at = group.at;
    for (std::size_t column = 0; in.ok() && column < columns; ++column) {
      ChunkPlaces& chunk = group.chunks.emplace_back();
      if (in.Number() != 0) chunk.dictionary = in.Place(at, data);
      for (std::uint64_t page = 0; in.ok() && page < pages; ++page) {
        chunk.pages.push_back(in.Place(at, data));
        if (chunk.pages.back().range.rows != group.chunks.front().pages[page].range.rows ||
            (chunk.pages.back().kind == PageKind::kCodes && !chunk.dictionary))
          in.Fault();
      }
    }
    if (!in.ok()) return none();
    group.length = at - group.at;
  }
  if (!in.ok() || !in.at_end()) return none();
  return groups;
}

Result<PageFile> PageFile::Open(const Table& table, const std::string& path) {
  TRY_ASSIGN(MappedFile mapped, MappedFile::Open(path));
  PageFile file(table, path, std::move(mapped));
  auto groups = ReadPageIndex(file.bytes(), table.columns.size());
  TRY(file.IsStillThere());
  if (!groups) return Fail(ErrorCode::kCorrupt, "{}: {}", path, groups.error().message);
  file.groups_ = std::move(*groups);
  return file;
}

Result<void> PageFile::IsStillThere() const {
  if (file_.lost()) return Fail(ErrorCode::kCorrupt, "{}: it was cut off while it was read", path_);
  return {};
}

Result<std::string> PageFile::Body(const PagePlace& place) {
  auto body = decoder_.Unframe(bytes().substr(place.at + place.head, place.packed), place.plain);
  return body ? std::move(body) : Damaged(place, body.error());
}

std::unexpected<Error> PageFile::Damaged(const PagePlace& place, const Error& error) const {
  return Fail(ErrorCode::kCorrupt, "{}: the page at byte {}: {}", path_, place.at, error.message);
}

Result<PageFile::Values> PageFile::Dictionary(std::size_t group, std::size_t column) {
  if (dictionaries_of_ != group || dictionaries_.empty()) {
    dictionaries_.assign(table_->columns.size(), nullptr);
    dictionaries_of_ = group;
  }
  Values& dictionary = dictionaries_[column];
  if (!dictionary) {
    std::vector<std::string> values;
    if (const auto& place = groups_[group].chunks[column].dictionary) {
      TRY_ASSIGN(const std::string body, Body(*place));
      auto read = ReadDictionaryBody(table_->columns[column].type, body, std::size_t(place->range.rows));
      if (!read) return Damaged(*place, read.error());
      values = *std::move(read);
    }
    dictionary = std::make_shared<const std::vector<std::string>>(std::move(values));
  }
  return dictionary;
}

Result<PageColumn> PageFile::Read(std::size_t group, std::size_t page, std::size_t column) {
  const PagePlace& place = groups_[group].chunks[column].pages[page];
  PageColumn cells;
  if (place.kind != PageKind::kCodes) {
    TRY_ASSIGN(const std::string body, Body(place));
    const auto read = ReadPlainBody(table_->columns[column].type, body, std::size_t(place.range.rows), cells);
    if (!read) return Damaged(place, read.error());
    return cells;
  }
  TRY_ASSIGN(CodedBody coded, ReadCodes(group, page, column));
  TRY_ASSIGN(const Values dictionary, Dictionary(group, column));
  auto code = coded.codes.begin();
  for (const std::uint8_t valid : coded.valid) {
    if (valid) cells.plain += (*dictionary)[*code++];
    cells.ends.push_back(std::uint32_t(cells.plain.size()));
  }
  cells.valid = std::move(coded.valid);
  return cells;
}

Result<CodedBody> PageFile::ReadCodes(std::size_t group, std::size_t page, std::size_t column) {
  const PagePlace& place = groups_[group].chunks[column].pages[page];
  TRY_ASSIGN(const Values dictionary, Dictionary(group, column));
  TRY_ASSIGN(const std::string body, Body(place));
  auto coded = ReadCodesBody(body, std::size_t(place.range.rows), dictionary->size());
  return coded ? std::move(coded) : Damaged(place, coded.error());
}

}  // namespace tmdbc::tables
