// SPDX-License-Identifier: MIT
#include "read_api/paging.h"

#include <fmt/format.h>

#include <algorithm>

#include "read_api/subject.h"

namespace tmdbc::read_api {
namespace {

constexpr std::int64_t kLastPage = 500;

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

std::string RowsOf(Call& call, std::span<const titles::Found> found, const RowStyle& style) {
  std::string rows;
  for (const titles::Found& one : found) {
    const auto record = call.Find(one.id);
    if (!record) continue;
    const std::string popularity = fmt::format("{}", one.popularity);
    RowStyle with = style;
    if (one.id.type != MediaType::kKeyword && one.id.type != MediaType::kCompany) with.popularity = popularity;
    const std::string row = RowOf(call, *record, with);
    if (row.empty()) continue;
    if (!rows.empty()) rows += ',';
    rows += row;
  }
  return rows;
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
