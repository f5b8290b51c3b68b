// SPDX-License-Identifier: MIT
// Texts: the members of a record that another language changes, as TMDB answers them in it. Everything comes out of the
// record itself: its translations and its images. Rules: docs/read-api.md. Pure; any thread.
#pragma once

#include "read_api/json_slice.h"
#include "read_api/language.h"
#include "tmdb/media_id.h"

namespace tmdbc::read_api {

// Slices of the body, or of constant text; empty where the record has no such member.
struct Texts {
  JsonSlice title = {};  // or name
  JsonSlice overview = {};
  JsonSlice tagline = {};
  JsonSlice homepage = {};
  JsonSlice runtime = {};
  JsonSlice biography = {};
  JsonSlice poster_path = {};
};

// "title" of a film, "name" of anything else.
std::string_view TitleMember(MediaType type);

// Of a film, show, person or collection. A title that is not translated is the original one; an overview, tagline or
// biography that is not translated is "": TMDB gives no English instead.
Texts TextsIn(const Language& language, MediaType type, const JsonObject& body);

// The first of `images` in the language, else in the original one, else the first: its file_path; empty when there is
// none. `images` keep TMDB's order, which is its ranking.
JsonSlice PosterIn(const Language& language, JsonSlice images, std::string_view original_language);

}  // namespace tmdbc::read_api
