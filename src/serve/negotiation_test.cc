// SPDX-License-Identifier: MIT
#include "serve/negotiation.h"

#include <gtest/gtest.h>

namespace tmdbc::serve {
namespace {

TEST(Negotiation, ReadsAcceptEncodingWithItsWeights) {
  for (const char* wanted :
       {"gzip", "deflate, gzip", "GZip", "x-gzip", "*", "br;q=1.0, gzip;q=0.8, *;q=0.1", "gzip;q=0.001",
        "gzip ; q=1", "identity;q=0.5, gzip;q=0.5", "gzip,,", "identity;q=0, *"}) {
    EXPECT_TRUE(PrefersGzip(wanted)) << wanted;
  }
  for (const char* not_wanted :
       {"", "br", "identity", "gzip;q=0", "gzip;q=0.000", "*;q=0", "gzip;q=0, *", "identity, gzip;q=0.9",
        "gzip;q=2", "gzip;q=-1", "gzip;q=x", "gzip;level=9", "gzipped"}) {
    EXPECT_FALSE(PrefersGzip(not_wanted)) << not_wanted;
  }
}

TEST(Negotiation, FindsAnEtagInAListByWeakComparison) {
  constexpr std::string_view kEtag = R"(W/"abc")";
  for (const char* named : {R"(W/"abc")", R"("abc")", "*", " * ", R"("x", W/"abc")", R"("x","abc","y")"}) {
    EXPECT_TRUE(NamesEtag(named, kEtag)) << named;
  }
  for (const char* other : {"", R"("abcd")", "abc", R"(W/"ABC")", R"("x", "y")"})
    EXPECT_FALSE(NamesEtag(other, kEtag)) << other;
}

TEST(Negotiation, TakesNoScriptForACallback) {
  for (const char* name : {"cb", "jQuery123_456", "a.b.c", "$", "_x1"})
    EXPECT_TRUE(IsCallbackName(name)) << name;
  for (const char* script :
       {"", "alert(1)", "a;b", "a b", "1a", ".a", "a.", "a..b", "a.1b", "a[0]", "a/*", "<script>", "ä"})
    EXPECT_FALSE(IsCallbackName(script)) << script;
  EXPECT_TRUE(IsCallbackName(std::string(100, 'a')));
  EXPECT_FALSE(IsCallbackName(std::string(101, 'a')));
}

TEST(Negotiation, FindsTheKeyWhereClientsPutIt) {
  EXPECT_EQ(BearerToken("Bearer abc"), "abc");
  EXPECT_EQ(BearerToken("bearer  abc "), "abc");
  EXPECT_EQ(BearerToken("Basic abc"), "");
  EXPECT_EQ(BearerToken("Bearer"), "");
  EXPECT_EQ(RawQueryValue("/3/movie/1?api_key=K&language=de", "api_key"), "K");
  EXPECT_EQ(RawQueryValue("/3/movie/1?a=1&&api_key=A&api_key=B", "api_key"), "B");
  EXPECT_EQ(RawQueryValue("/3/movie/1?xapi_key=A", "api_key"), "");
  EXPECT_EQ(RawQueryValue("/3/api_key=A", "api_key"), "");
}

TEST(Negotiation, ShowsNoKeyAndNoControlCharacterInALog) {
  EXPECT_EQ(MaskedTarget("/3/movie/550?api_key=0123456789abcdef&language=de"),
            "/3/movie/550?api_key=***&language=de");
  EXPECT_EQ(MaskedTarget("/3/x?session_id=s&API_KEY=k&guest_session_id=g"),
            "/3/x?session_id=***&API_KEY=***&guest_session_id=***");
  EXPECT_EQ(MaskedTarget("/3/x?api%5Fkey=k"), "/3/x?api%5Fkey=***");
  EXPECT_EQ(MaskedTarget("/3/\n\x1b[31m\xff"), "/3/%0A%1B[31m%FF");
  EXPECT_EQ(MaskedTarget("/3/x?&&a"), "/3/x?&&a");
  EXPECT_EQ(MaskedTarget("/" + std::string(9000, 'a')).size(), 515u);
}

}  // namespace
}  // namespace tmdbc::serve
