// SPDX-License-Identifier: MIT
#include "read_api/paging.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tmdbc::read_api {
namespace {

constexpr std::int64_t kLastPage = 500;

}  // namespace

std::optional<std::int64_t> PageOf(const Query& query) {
  const std::string_view text = query.Get("page").value_or("1");
  std::int64_t page = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), page);
  if (error != std::errc() || end != text.data() + text.size() || page < 1 || page > kLastPage) return std::nullopt;
  return page;
}

std::string Envelope(std::int64_t page, std::string_view rows, std::int64_t total, std::string_view first,
                     std::int64_t rows_a_page) {
  const std::int64_t pages = std::max<std::int64_t>(1, (total + rows_a_page - 1) / rows_a_page);
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

RowStyle StyleOf(const Query& query, RowForm form, bool with_region) {
  RowStyle style;
  style.form = form;
  style.language = Language::Parse(query.Get("language").value_or(""));
  if (with_region) style.region = query.Get("region").value_or("");
  return style;
}

Answer IndexAwaited() {
  return ErrorAnswer(9);
}

}  // namespace tmdbc::read_api
