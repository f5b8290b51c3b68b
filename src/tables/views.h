// SPDX-License-Identifier: MIT
// The views by which SQL sees a generation: one a table, over exactly its files, and the drop-in views, whose columns are
// those of data sets that people know. The same SQL is views.sql and what a query runs on. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tables/manifest.h"

namespace tmdbc::tables {

struct DropInView {
  std::string_view name;
  std::string_view description;
  std::vector<std::string_view> needs;  // the tables that it reads
  std::string_view select;
};

// kaggle_movies (24 columns), kaggle_tv_shows (29), credits, directors, imdb_links, movie_watch_now.
std::span<const DropInView> DropInViews();

struct View {
  std::string name;
  std::vector<std::string> needs;  // views that must be there before
  std::string statement;           // CREATE OR REPLACE VIEW ...
};

// Every view of that generation: the tables in the order of the spec, then the drop-in views. `folder` comes before each
// path of a file, with a slash at its end or empty.
std::vector<View> ViewsOf(const Manifest& manifest, std::string_view folder);

// Those as a script, for DuckDB's shell and its clients.
std::string ViewsScript(const Manifest& manifest, std::string_view folder);

}  // namespace tmdbc::tables
