// SPDX-License-Identifier: MIT
#include "app/sql_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "app/progress.h"
#include "base/safe_text.h"
#include "duckdb/value_writer.h"

namespace tmdbc {
namespace {

using duckdb::Rows;
using duckdb::ValueWriter;

constexpr std::size_t kTextBlock = 64 << 10;  // bytes a write
constexpr std::size_t kMeasuredRows = 1'000;  // whose widths are looked at
constexpr std::size_t kWidest = 60;
constexpr std::size_t kFront = 4'096;  // bytes of a cell that are looked at for a table

constexpr std::pair<std::string_view, SqlFormat> kFormats[] = {{"table", SqlFormat::kTable},
                                                               {"csv", SqlFormat::kCsv},
                                                               {"jsonl", SqlFormat::kJsonLines},
                                                               {"json", SqlFormat::kJson},
                                                               {"parquet", SqlFormat::kParquet}};

struct CodePoint {
  char32_t value;
  std::size_t bytes;
};
// At the front of text that is not empty; a byte that is not UTF-8 stands for itself.
CodePoint First(std::string_view text) {
  const std::size_t bytes = std::max<std::size_t>(Utf8Length(text), 1);
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (bytes == 1) return {byte(0), 1};
  char32_t value = byte(0) & (0xFF >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) value = value << 6 | (byte(i) & 0x3F);
  return {value, bytes};
}

// The broad strokes of https://www.unicode.org/reports/tr11/.
std::size_t WidthOf(char32_t c) {
  constexpr std::pair<char32_t, char32_t> kNone[] = {{0x300, 0x36F},   {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
                                                     {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}};
  constexpr std::pair<char32_t, char32_t> kTwo[] = {
      {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},   {0xAC00, 0xD7A3},
      {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
      {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD}};
  const auto within = [c](const auto& range) { return range.first <= c && c <= range.second; };
  if (std::ranges::any_of(kNone, within)) return 0;
  return std::ranges::any_of(kTwo, within) ? 2 : 1;
}

// At most `columns` wide.
std::string Cut(std::string text, std::size_t columns) {
  std::size_t width = 0, fits = 0;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = First(std::string_view(text).substr(at));
    width += WidthOf(point.value);
    if (width > columns) {
      text.resize(fits);
      return text + "…";
    }
    at += point.bytes;
    if (width < columns) fits = at;  // one column stays for the ellipsis
  }
  return text;
}

// Gathers what is printed and writes it in blocks.
class Printer {
 public:
  explicit Printer(OutStream& out) : out_(out) {}
  std::string& text() { return text_; }
  // False when nobody reads on.
  Result<bool> Flush(bool all) {
    if (!all && text_.size() < kTextBlock) return true;
    TRY_ASSIGN(const auto reader, out_.Write(text_));
    text_.clear();
    return reader == OutStream::Reader::kReads;
  }

 private:
  OutStream& out_;
  std::string text_;
};

void AppendCsv(std::string_view cell, std::string& out) {
  const bool quoted = cell.empty() || cell.find_first_of(",\"\n\r") != std::string_view::npos ||
                      cell.front() == ' ' || cell.back() == ' ';
  if (!quoted) {
    out += cell;
    return;
  }
  out += '"';
  for (const char c : cell) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

Result<void> PrintCsv(Rows& rows, const ValueWriter& writer, Printer& printer) {
  const std::size_t columns = rows.columns().size();
  for (std::size_t i = 0; i < columns; ++i) {
    if (i > 0) printer.text() += ',';
    AppendCsv(rows.columns()[i].name, printer.text());
  }
  printer.text() += '\n';
  std::string cell;
  for (;;) {
    TRY_ASSIGN(const bool more, rows.Next());
    if (!more) break;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      for (std::size_t i = 0; i < columns; ++i) {
        if (i > 0) printer.text() += ',';
        if (rows.IsNull(i, row)) continue;
        cell.clear();
        writer.Text(rows, i, row, cell);
        AppendCsv(cell, printer.text());
      }
      printer.text() += '\n';
      TRY_ASSIGN(const bool reads, printer.Flush(false));
      if (!reads) return {};
    }
  }
  TRY(printer.Flush(true));
  return {};
}

// The names of the columns as JSON, each once.
std::vector<std::string> JsonNames(const Rows& rows) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const Rows::Column& column : rows.columns()) seen.insert(column.name);
  std::set<std::string> given;
  for (const Rows::Column& column : rows.columns()) {
    std::string name = column.name;
    for (int i = 1; given.contains(name) || (i > 1 && seen.contains(name)); ++i)
      name = fmt::format("{}_{}", column.name, i);
    given.insert(name);
    names.emplace_back();
    AppendJsonString(names.back(), name);
    names.back() += ':';
  }
  return names;
}

Result<void> PrintJson(Rows& rows, const ValueWriter& writer, bool array, Printer& printer) {
  const auto names = JsonNames(rows);
  std::string& text = printer.text();
  bool first = true;
  if (array) text += '[';
  for (;;) {
    TRY_ASSIGN(const bool more, rows.Next());
    if (!more) break;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      if (array) text += first ? "\n" : ",\n";
      first = false;
      text += '{';
      for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) text += ',';
        text += names[i];
        writer.Json(rows, i, row, text);
      }
      text += array ? "}" : "}\n";
      TRY_ASSIGN(const bool reads, printer.Flush(false));
      if (!reads) return {};
    }
  }
  if (array) text += first ? "]\n" : "\n]\n";
  TRY(printer.Flush(true));
  return {};
}

class TablePrinter {
 public:
  TablePrinter(const Rows& rows, const ValueWriter& writer, Printer& printer)
      : writer_(writer), printer_(printer) {
    for (const Rows::Column& column : rows.columns()) {
      names_.push_back(Cut(Printable(column.name), kWidest));
      widths_.push_back(DisplayWidth(names_.back()));
    }
  }

  Result<bool> Add(const Rows& rows, std::size_t row) {
    ++count_;
    std::vector<std::string> cells;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      cells.push_back(Cut(CellOf(rows, i, row), kWidest));
    }
    if (begun_) return Line(cells);
    for (std::size_t i = 0; i < cells.size(); ++i) widths_[i] = std::max(widths_[i], DisplayWidth(cells[i]));
    measured_.push_back(std::move(cells));
    if (measured_.size() < kMeasuredRows) return true;
    return Begin();
  }

  Result<void> End() {
    if (!begun_) {
      TRY_ASSIGN(const bool reads, Begin());
      if (!reads) return {};
    }
    printer_.text() += "(" + Counted(count_, "row") + ")\n";
    TRY(printer_.Flush(true));
    return {};
  }

 private:
  Result<bool> Begin() {
    begun_ = true;
    TRY(Line(names_));
    for (std::size_t i = 0; i < widths_.size(); ++i)
      printer_.text() += fmt::format("{}{}", i == 0 ? "" : "-+-", std::string(widths_[i], '-'));
    printer_.text() += '\n';
    for (const auto& cells : measured_) {
      TRY_ASSIGN(const bool reads, Line(cells));
      if (!reads) return false;
    }
    measured_.clear();
    return true;
  }

  // More than is shown of it. A text may have gigabytes: of it only the front is copied.
  std::string CellOf(const Rows& rows, std::size_t column, std::size_t row) const {
    if (rows.IsNull(column, row)) return "NULL";
    if (rows.columns()[column].type == duckdb::Type::kVarchar)
      return Printable(rows.Varchar(column, row).substr(0, kFront));
    std::string cell;
    writer_.Text(rows, column, row, cell);
    return Printable(std::string_view(cell).substr(0, kFront));
  }

  Result<bool> Line(const std::vector<std::string>& cells) {
    std::string& text = printer_.text();
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::size_t width = DisplayWidth(cells[i]);
      const std::string blanks(width < widths_[i] ? widths_[i] - width : 0, ' ');
      if (i > 0) text += " | ";
      if (writer_.IsNumber(i)) text += blanks;
      text += cells[i];
      if (!writer_.IsNumber(i) && i + 1 < cells.size()) text += blanks;
    }
    text += '\n';
    return printer_.Flush(false);
  }

  const ValueWriter& writer_;
  Printer& printer_;
  std::vector<std::string> names_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<std::string>> measured_;  // rows that wait for the widths
  bool begun_ = false;
  std::int64_t count_ = 0;
};

Result<void> PrintTable(Rows& rows, const ValueWriter& writer, Printer& printer) {
  TablePrinter table(rows, writer, printer);
  for (;;) {
    TRY_ASSIGN(const bool more, rows.Next());
    if (!more) return table.End();
    for (std::size_t row = 0; row < rows.size(); ++row) {
      TRY_ASSIGN(const bool reads, table.Add(rows, row));
      if (!reads) return {};
    }
  }
}

}  // namespace

std::optional<SqlFormat> ParseSqlFormat(std::string_view text) {
  const auto found = std::ranges::find(kFormats, text, &std::pair<std::string_view, SqlFormat>::first);
  if (found == std::end(kFormats)) return std::nullopt;
  return found->second;
}

std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const CodePoint point = First(text);
    width += WidthOf(point.value);
    text.remove_prefix(point.bytes);
  }
  return width;
}

Result<void> PrintRows(duckdb::Rows& rows, SqlFormat format, OutStream& out) {
  TRY_ASSIGN(const auto writer, ValueWriter::For(rows));
  Printer printer(out);
  switch (format) {
    case SqlFormat::kTable:
      return PrintTable(rows, writer, printer);
    case SqlFormat::kCsv:
      return PrintCsv(rows, writer, printer);
    case SqlFormat::kJsonLines:
    case SqlFormat::kJson:
      return PrintJson(rows, writer, format == SqlFormat::kJson, printer);
    case SqlFormat::kParquet:
      break;  // is not text
  }
  return {};
}

}  // namespace tmdbc
