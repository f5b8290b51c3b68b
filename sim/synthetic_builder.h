// SPDX-License-Identifier: MIT
// Builder: the pieces that several bodies of SyntheticWorld share, each with its members in TMDB's order. It
// writes to `json` and draws from `random`; one Builder a body.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "json.h"
#include "random.h"
#include "synthetic_world.h"
#include "text.h"

namespace tmdbc::sim {

struct Job {
  std::string_view department, job;
};
extern const std::array<Job, 14> kJobs;

// About `mean` things, more for the famous, now and then none.
int Count(Random& random, double mean, double weight);

template <class T, std::size_t N>
const T& Pick(Random& random, const std::array<T, N>& from) {
  return from[random.Below(N)];
}

// Whose translations: each type has texts of its own.
enum class Texts { kMovie, kShow, kPartOfShow, kPerson, kCollection };

class SyntheticWorld::Builder {
 public:
  Builder(const SyntheticWorld& world, Random r) : random(r), world_(world) {}

  void Path(std::string_view name, double chance_of_null, std::string_view extension = ".jpg");
  // Films say 0.0, some parts say 0.
  void Votes(double rating, std::int64_t votes, bool bare_zero = false);
  void Genres();
  void GenreIds();
  void Organisation(const Subject& subject);
  void Organisations(std::string_view name, Kind kind, int count);
  void Countries(const Language& language);
  void SpokenLanguages(const Language& language);
  // adult, gender, id ... profile_path: what every mention of a person begins with.
  void PersonHead(const Subject& person);
  static std::string_view Department(Random& own);
  void Character();
  // cast[] and crew[] of a film, a show (`cast_ids` false) or an episode.
  void Credits(int cast, int crew, bool cast_ids);
  void AggregateCredits(int cast, int crew, int episodes);
  void Images(std::string_view name, int count, int width, int height, std::string_view extension = ".jpg");
  void Logos(int count);
  void Videos(int count);
  void Translations(int count, Texts texts, std::size_t overview_bytes);
  void Keywords(std::string_view name, int count, bool name_first);
  void WatchProviders(std::string_view type, std::int64_t id, int count);
  void Reviews(int count);
  // A row of a list: what search, recommendations, collections and credits show of a film or a show.
  void Row(const Subject& subject, bool media_type);
  void Page(Kind kind, int count);
  void Lists(int count);
  void PersonCredits(bool movies, bool shows, double weight);
  void TextOrNothing(std::string_view name, std::string_view value);

  Random random;
  JsonWriter json;

 private:
  const SyntheticWorld& world_;
};

}  // namespace tmdbc::sim
