// SPDX-License-Identifier: MIT
#include "aws/xml.h"

#include <gtest/gtest.h>

#include <string>

namespace tmdbc::aws {
namespace {

TEST(Xml, ReadsAPageOfAListAsS3WritesIt) {
  const auto root = ParseXml(
      "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- one page -->\n"
      "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n"
      "  <IsTruncated>false</IsTruncated><Prefix/>\n"
      "  <s3:Contents a='>'><Key>a&amp;b &lt;&#x6620;&#30011;&gt;</Key><ETag>&quot;e&quot;</ETag></s3:Contents>\n"
      "  <Contents><Key><![CDATA[<raw> & ]]>more</Key ></Contents>\n"
      "</ListBucketResult>\n");
  ASSERT_TRUE(root) << root.error().message;
  EXPECT_EQ(root->name, "ListBucketResult");
  EXPECT_EQ(root->text, "");
  EXPECT_EQ(root->TextOf("IsTruncated"), "false");
  EXPECT_EQ(root->TextOf("Prefix"), "");
  EXPECT_EQ(root->Child("NoSuch"), nullptr);
  ASSERT_EQ(root->children.size(), 4u);
  EXPECT_EQ(root->children[2].name, "Contents");
  EXPECT_EQ(root->children[2].TextOf("Key"), "a&b <\xe6\x98\xa0\xe7\x94\xbb>");
  EXPECT_EQ(root->children[2].TextOf("ETag"), "\"e\"");
  EXPECT_EQ(root->children[3].TextOf("Key"), "<raw> & more");
}

TEST(Xml, RefusesWhatIsNotOneWholeElement) {
  for (const char* const xml : {"",
                                "text",
                                "<",
                                "<>",
                                "<a",
                                "<a>",
                                "<a></b>",
                                "<a></a>x",
                                "<a/><b/>",
                                "<a>&nope;</a>",
                                "<a>&#0;</a>",
                                "<a>&#xd800;</a>",
                                "<a>&amp</a>",
                                "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
                                "<a><![CDATA[</a>",
                                "<a><!--</a>",
                                "<?xml",
                                "</a>",
                                "<html><body><p>Bad Gateway<br></body></html>",
                                "{\"json\":true}"}) {
    const auto parsed = ParseXml(xml);
    ASSERT_FALSE(parsed) << xml;
    EXPECT_EQ(parsed.error().code, ErrorCode::kCorrupt);
  }
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  EXPECT_FALSE(ParseXml(deep));
}

TEST(Xml, GivesBackWhatWasEscaped) {
  const std::string text = "a&b<c>\"d\"\r\n\xe6\x98\xa0";
  const auto root = ParseXml("<Key>" + EscapeXml(text) + "</Key>");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->text, text);
}

}  // namespace
}  // namespace tmdbc::aws
