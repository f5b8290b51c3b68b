// SPDX-License-Identifier: MIT
// The documents beside the tables, for people and for the tools that read data sets: README.md, views.sql,
// dictionary.json, datapackage.json (Frictionless 2.0) and croissant.json (Croissant 1.1); and docs/data-dictionary.md.
// All follow from the spec and one manifest. Pure but for WriteDocuments(); any thread.
#pragma once

#include <string>

#include "base/result.h"
#include "tables/manifest.h"
#include "tables/table_folder.h"

namespace tmdbc::tables {

// Each whole, in place of the one before, after the generation is committed. Who repeats it writes the same bytes.
Result<void> WriteDocuments(TableFolder& folder, const Manifest& manifest);

// How a person opens the tables, what is in them, whose they are.
std::string ReadmeText(const Manifest& manifest);
// Every column of every table: the rows of data_dictionary as JSON.
std::string DictionaryJson();
std::string DatapackageJson(const Manifest& manifest);
std::string CroissantJson(const Manifest& manifest);
// docs/data-dictionary.md.
std::string DictionaryMarkdown();

}  // namespace tmdbc::tables
