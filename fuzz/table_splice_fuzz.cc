// SPDX-License-Identifier: MIT
// Fuzzes the next file of a part of a table. The input says what the old file has, what of it changes, and what of its
// bytes somebody flips or cuts, before it is opened or while it is read. Untouched it gives, to the byte, the file that
// a build of the new rows gives; touched it gives some file or is refused.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tables/part_splice.h"

namespace {

using namespace tmdbc;
using namespace tmdbc::tables;
namespace fs = std::filesystem;

constexpr PageSizes kSizes{.page_rows = 8, .group_rows = 24};

void Require(bool holds) {
  if (!holds) std::abort();
}

class Input {
 public:
  explicit Input(std::string_view bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  std::uint8_t Byte() {
    if (bytes_.empty()) return 0;
    const auto byte = std::uint8_t(bytes_.front());
    bytes_.remove_prefix(1);
    return byte;
  }

 private:
  std::string_view bytes_;
};

// By id what a record's rows are made of, a byte each.
using Records = std::map<std::int64_t, std::vector<std::uint8_t>>;

void Put(RecordRows& rows, const Table& table, std::int64_t id, const std::vector<std::uint8_t>& seeds) {
  for (std::size_t row = 0; row < seeds.size(); ++row) {
    std::vector<std::string> texts(table.columns.size());
    std::vector<Cell> cells(table.columns.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const unsigned seed = seeds[row] * 7u + unsigned(i);
      const ColumnType type = table.columns[i].type;
      if (seed % 5 == 0) continue;
      texts[i] = std::string(seed % 9, char('a' + seed % 3)) + (seed % 2 == 0 ? "" : std::to_string(id));
      if (type == ColumnType::kText) {
        cells[i] = TextCell(texts[i]);
      } else {
        cells[i] = NumberCell(type == ColumnType::kBool ? seed % 2 : seed % 11);
        cells[i].real = double(seed % 3) - 1;
      }
    }
    for (const std::string& column : table.sort)
      cells[table.Find(column).value()] = NumberCell(column == "position" ? std::int64_t(row) : 1);
    cells[PlaceColumns(table).columns().back()] = NumberCell(id);
    Require(rows.Row(cells).has_value());
  }
}

using Changed = std::vector<std::pair<std::int64_t, std::int64_t>>;

Result<PageFileWriter::Finished> Splice(const Table& table, const std::string& path, std::optional<PageFile> old,
                                        const Records& records, const Changed& changed, const fs::path& cut = {},
                                        std::size_t cut_at = 0) {
  const ChangedIds ids(changed);
  PartSplice splice(table, path, kSizes, std::move(old), ids);
  for (const auto& [id, one] : changed) {
    if (!cut.empty() && id == changed.back().first) fs::resize_file(cut, cut_at);
    RecordRows rows(table);
    if (const auto record = records.find(id); record != records.end()) Put(rows, table, id, record->second);
    for (const auto& record : rows.Records()) TRY(splice.Add(rows, record));
  }
  return splice.Finish();
}

std::string BytesOf(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

const fs::path& Folder() {
  static const fs::path folder = [] {
    const fs::path made = fs::temp_directory_path() / ("splice_fuzz_" + std::to_string(::getpid()));
    fs::create_directories(made);
    return made;
  }();
  return folder;
}

std::vector<std::uint8_t> Rows(Input& in) {
  std::vector<std::uint8_t> rows(in.Byte() % 7);
  for (std::uint8_t& row : rows) row = in.Byte() % 16;
  return rows;
}

Changed AllOf(const Records& records) {
  Changed all;
  for (const auto& [id, rows] : records) all.emplace_back(id, 0);
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in({reinterpret_cast<const char*>(data), size});
  constexpr std::array kTables = {"movies", "movie_genres", "movie_release_dates", "episodes"};
  const Table& table = Tables()[FindTable(kTables[in.Byte() % kTables.size()]).value()];
  const unsigned harm = in.Byte() % 4;  // none, bytes flipped, cut, cut while it is read
  std::vector<std::array<std::uint8_t, 3>> flips(harm == 0 ? 0 : 1 + in.Byte() % 4);
  for (auto& flip : flips) flip = {in.Byte(), in.Byte(), in.Byte()};
  Records records;
  std::int64_t id = 0;
  for (auto count = in.Byte(); count > 0 && !in.empty(); --count) records[id += 1 + in.Byte() % 4] = Rows(in);
  const std::string old = Folder() / "old", next = Folder() / "next", built = Folder() / "built";
  fs::remove(old);
  const auto before = Splice(table, old, std::nullopt, records, AllOf(records));
  Require(before.has_value());
  Changed changed;
  id = 0;
  while (!in.empty() && changed.size() < 64) {
    changed.emplace_back(id += 1 + in.Byte() % 16, 0);
    records[id] = Rows(in);
  }
  const auto bytes = std::size_t(before->bytes);
  const auto at = [&](const std::array<std::uint8_t, 3>& flip) { return (flip[0] + 256u * flip[1]) % bytes; };
  if (bytes > 0 && harm == 1) {
    std::string text = BytesOf(old);
    for (const auto& flip : flips) text[at(flip)] = char(text[at(flip)] ^ flip[2]);
    std::ofstream(old, std::ios::binary) << text;
  }
  if (bytes > 0 && harm == 2) fs::resize_file(old, at(flips[0]));
  std::optional<PageFile> file;
  if (bytes > 0) {
    auto opened = PageFile::Open(table, old);
    if (!opened) {
      Require(harm != 0 && opened.error().code == ErrorCode::kCorrupt);
      return 0;
    }
    file.emplace(*std::move(opened));
  }
  const bool cuts = bytes > 0 && harm == 3;
  const auto spliced = Splice(table, next, std::move(file), records, changed, cuts ? fs::path(old) : fs::path(),
                              cuts ? at(flips[0]) : 0);
  if ((harm == 1 || harm == 2) && bytes > 0) return 0;
  if (cuts && !spliced) return 0;  // refused
  const auto whole = Splice(table, built, std::nullopt, records, AllOf(records));
  Require(spliced.has_value() && whole.has_value() && spliced->rows == whole->rows);
  if (whole->rows > 0 && !(cuts && spliced->is_old)) Require(BytesOf(spliced->is_old ? old : next) == BytesOf(built));
  return 0;
}
