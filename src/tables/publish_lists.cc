// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <set>

#include "tables/workshop.h"
#include "tmdb/configuration_lists.h"

namespace tmdbc::tables {
namespace {

// "genre/tv/list", "watch/providers/movie"
std::string_view MediaTypeOf(std::string_view path) {
  for (const std::string_view type : {"movie", "tv"}) {
    if (path.find(fmt::format("/{}/", type)) != std::string_view::npos ||
        path.ends_with(fmt::format("/{}", type)))
      return type;
  }
  return {};
}

// "genre/tv/list?language=de-DE": de-DE
std::string_view LocaleOf(std::string_view path) {
  const std::size_t tag = path.find('=');
  return tag == std::string_view::npos ? std::string_view() : path.substr(tag + 1);
}

}  // namespace

Result<void> PublishLists(Workshop& workshop, ChangeBatch& batch) {
  TRY(FillChanged(workshop, batch));
  for (const std::int64_t bucket : batch.Buckets()) {
    TRY(batch.ReadBucket(
        bucket, [&](const RecordLine& line) { return workshop.scratch.Version(line); },
        [&](const ChangeBatch::State& state) -> Result<void> {
          const auto path = ConfigurationPath(state.line.id.id);
          if (state.data.empty() || !path) return {};
          const ExtractionPlan& plan = ExtractionPlan::OfList(*path);
          if (plan.tables().empty()) return {};
          workshop.scratch.BeginRecord(MediaType::kConfiguration, state.line.id.id);
          Extractor extractor(plan, workshop.scratch);
          return extractor.Extract(
              {.id = state.line.id.id, .media_type = MediaTypeOf(*path), .locale = LocaleOf(*path)},
              state.data);
        },
        workshop.base_of));
  }
  // A list that cannot be made out leaves its tables as they were.
  std::set<std::size_t> stay;
  for (const std::int64_t id : batch.TakeDamaged()) {
    TRY(workshop.connection.Execute(fmt::format("DELETE FROM changed WHERE id = {}", id)));
    if (const auto path = ConfigurationPath(id)) {
      for (const auto& planned : ExtractionPlan::OfList(*path).tables()) stay.insert(planned.table);
    }
  }
  for (std::size_t i = 0; i < Tables().size(); ++i) {
    const Table& table = Tables()[i];
    if (table.kind != TableKind::kList) continue;
    if (stay.contains(i) && workshop.draft.HasOldFiles(table.name)) {
      if (workshop.scratch.rows(i) > 0) TRY(workshop.scratch.Clear(i));
      continue;
    }
    TRY_ASSIGN(const std::string fresh, workshop.scratch.Take(i));
    TRY_ASSIGN(const auto part, workshop.writer.Write(table, "FROM " + fresh));
    TRY(workshop.draft.Put(table.name, kWhole, part));
    TRY(workshop.scratch.Clear(i));
  }
  TRY(PublishVersions(workshop, Name(MediaType::kConfiguration)));
  return PublishRejects(workshop, MediaType::kConfiguration);
}

}  // namespace tmdbc::tables
