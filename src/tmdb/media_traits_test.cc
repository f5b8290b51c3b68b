// SPDX-License-Identifier: MIT
#include "tmdb/media_traits.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tmdb/detail_plan.h"

namespace tmdbc {
namespace {

// The names of the types that `holds` accepts, in the order of the table.
template <class Holds>
std::string TypesOf(Holds holds) {
  std::string names;
  for (const MediaTraits& row : kMediaTraits) {
    if (holds(row.type)) names += (names.empty() ? "" : " ") + std::string(row.name);
  }
  return names;
}

TEST(MediaTraits, SayWhichTypesDoWhat) {
  EXPECT_EQ(TypesOf(HasRecords), "movie tv season person collection company network keyword configuration");
  EXPECT_EQ(TypesOf(CanBeAsked), "movie tv person collection company network keyword configuration");
  EXPECT_EQ(TypesOf(IsRefreshedByAge), "movie tv person collection company network configuration");
  EXPECT_EQ(TypesOf(HasChangeFeed), "movie tv person");
  EXPECT_EQ(TypesOf([](MediaType type) { return TraitsOf(type).has_seasons; }), "tv");
}

TEST(MediaTraits, ListTheRecordTypesInTheOrderInWhichPeopleSeeThem) {
  std::string names;
  for (const MediaType type : kRecordTypes) names += std::string(Name(type)) + " ";
  EXPECT_EQ(names, "movie tv season person collection company network keyword configuration ");
}

TEST(MediaTraits, AppendOnlyWhatTmdbKnows) {
  for (const MediaTraits& row : kMediaTraits) {
    EXPECT_TRUE(ParseNamespaces(row.type, row.namespaces)) << row.name;
    const auto all = ParseNamespaces(row.type, row.all_namespaces);
    ASSERT_TRUE(all) << row.name;
    EXPECT_LE(all->size(), kMaxAppends) << row.name;
  }
}

TEST(MediaTraits, ATypeThatIsNoneHasAName) {
  EXPECT_EQ(Name(MediaType(0)), "unknown");
  EXPECT_EQ(Name(MediaType(11)), "unknown");
}

}  // namespace
}  // namespace tmdbc
