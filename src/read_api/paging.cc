// SPDX-License-Identifier: MIT
#include "read_api/paging.h"

#include <fmt/format.h>

#include <algorithm>

#include "read_api/subject.h"

namespace tmdbc::read_api {
namespace {

constexpr std::int64_t kLastPage = 500;

// The row, empty when there is none. It is kept when it follows from one record: that of a person in another language
// rests on those of what the person is known for.
std::string RowOfFound(Call& call, const titles::Found& one, const RowStyle& style) {
  const MediaType type = one.id.type;
  RowStyle with = style;
  const std::string popularity = fmt::format("{}", one.popularity);
  if (type != MediaType::kKeyword && type != MediaType::kCompany) with.popularity = popularity;
  const bool keeps = style.language.IsStored() || type != MediaType::kPerson;
  std::string key;
  if (keeps) {
    key = fmt::format("{}/{}/{}-{}/{}/{}", ToString(one.id), int(style.form), style.language.code(),
                      style.language.region(), style.region, popularity);
    if (const std::string* const row = call.FindRow(key)) return *row;
  }
  const auto record = call.Find(one.id);
  if (!record) return {};
  std::string row = RowOf(call, *record, with);
  if (keeps && !row.empty()) call.KeepRow(*record, std::move(key), row);
  return row;
}

}  // namespace

std::optional<std::int64_t> PageOf(const Query& query) {
  const auto page = PositiveInteger(query.Get("page").value_or("1"));
  return page && *page <= kLastPage ? page : std::nullopt;
}

std::string Envelope(std::int64_t page, std::string_view rows, std::int64_t total, std::string_view first) {
  const std::int64_t pages = std::max<std::int64_t>(1, (total + kRowsAPage - 1) / kRowsAPage);
  return fmt::format(R"({{{}{}"page":{},"results":[{}],"total_pages":{},"total_results":{}}})", first,
                     first.empty() ? "" : ",", page, rows, pages, total);
}

Rows RowsOf(Call& call, std::span<const titles::Found> found, const RowStyle& style, std::size_t most) {
  Rows rows;
  std::size_t taken = 0;
  for (const titles::Found& one : found) {
    if (taken == most) break;
    const std::size_t problems = call.problems();
    const std::string row = RowOfFound(call, one, style);
    const bool is_gone = row.empty() && call.problems() == problems;
    rows.gone += is_gone ? 1 : 0;
    taken += is_gone ? 0 : 1;
    if (row.empty()) continue;
    if (!rows.text.empty()) rows.text += ',';
    rows.text += row;
  }
  return rows;
}

std::string PageOfRows(Call& call, std::int64_t page, const titles::FoundPage& found, const RowStyle& style,
                       std::string_view first) {
  const Rows rows = RowsOf(call, found.rows, style, std::size_t(kRowsAPage));
  return Envelope(page, rows.text, found.total - rows.gone, first);
}

RowStyle StyleOf(const Call& call, RowForm form, bool with_region) {
  RowStyle style;
  style.form = form;
  style.language = call.language();
  if (with_region) style.region = call.query().Get("region").value_or("");
  return style;
}

Answer IndexAwaited() {
  return ErrorAnswer(9);
}

}  // namespace tmdbc::read_api
