// SPDX-License-Identifier: MIT
// The documents beside the tables, for people and for the tools that read data sets: README.md, views.sql,
// dictionary.json, datapackage.json (Frictionless 2.0) and croissant.json (Croissant 1.1); and docs/data-dictionary.md.
// All follow from the spec and one manifest. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "tables/manifest.h"

namespace tmdbc::tables {

struct DocumentFile {
  std::string name;  // in the tables' folder
  std::string text;
};
// All that stand beside the tables.
std::vector<DocumentFile> Documents(const Manifest& manifest);

// How a person opens the tables, what is in them, whose they are.
std::string ReadmeText(const Manifest& manifest);
// Every column of every table: the rows of data_dictionary as JSON.
std::string DictionaryJson();
std::string DatapackageJson(const Manifest& manifest);
std::string CroissantJson(const Manifest& manifest);
// docs/data-dictionary.md.
std::string DictionaryMarkdown();

}  // namespace tmdbc::tables
