// SPDX-License-Identifier: MIT
#include "aws/credentials.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "aws/key_process.h"
#include "testing/fake_clock.h"
#include "testing/scripted_transport.h"

namespace tmdbc::aws {
namespace {

using testing::ScriptedTransport;
using Reply = ScriptedTransport::Reply;

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG";

class CredentialChainTest : public ::testing::Test {
 protected:
  CredentialChainTest() {
    home_ = std::filesystem::temp_directory_path() / ("tmdbc-aws-" + std::to_string(::getpid()));
    std::filesystem::create_directories(home_ / ".aws");
    set_["HOME"] = home_.string();
  }
  ~CredentialChainTest() override { std::filesystem::remove_all(home_); }

  void Write(const std::string& name, std::string_view text) {
    std::ofstream(home_ / name, std::ios::binary) << text;
  }
  std::string PathOf(const std::string& name) const { return (home_ / name).string(); }
  Environment environment() const {
    return [this](const char* name) -> const char* {
      const auto at = set_.find(name);
      return at == set_.end() ? nullptr : at->second.c_str();
    };
  }
  // What a new chain finds, as "id secret token", or its error.
  std::string Found() {
    CredentialChain chain(environment(), clock_, transport_);
    return Shown(chain.Current());
  }
  static std::string Shown(const Result<Credentials>& found) {
    if (!found) {
      EXPECT_EQ(found.error().code, ErrorCode::kDenied) << found.error().message;
      EXPECT_EQ(found.error().message.find(kSecret), std::string::npos) << "a secret is printed";
      EXPECT_TRUE(found.error().message.starts_with("no AWS credentials: ")) << found.error().message;
      return found.error().message;
    }
    return found->access_key_id + " " + found->secret_access_key + " " + found->session_token;
  }
  static std::string Role(const std::string& id, const std::string& expires) {
    return R"({"Code":"Success","Type":"AWS-HMAC","AccessKeyId":")" + id +
           R"(","SecretAccessKey":"s","Token":"t",)" + R"("Expiration":")" + expires + R"("})";
  }

  std::filesystem::path home_;
  std::map<std::string, std::string> set_;
  testing::FakeClock clock_;
  // By url; what is not here has nobody.
  std::map<std::string, Reply> services_;
  std::string posted_;  // last
  ScriptedTransport transport_{clock_, [this](const http::Request& request, const std::string& body) {
                                 posted_ = body;
                                 const auto at = services_.find(request.url);
                                 if (at != services_.end()) return at->second;
                                 Reply nobody = Reply::Broken(http::TransportFailure::kConnect);
                                 nobody.failure_text = "connect to 169.254.169.254: timed out";
                                 return nobody;
                               }};
};

TEST_F(CredentialChainTest, TakesTheEnvironmentFirst) {
  Write(".aws/credentials", "[default]\naws_access_key_id = FILE\naws_secret_access_key = x\n");
  set_["AWS_ACCESS_KEY_ID"] = "ENV";
  set_["AWS_SECRET_ACCESS_KEY"] = " secret ";
  EXPECT_EQ(Found(), "ENV secret ");
  set_["AWS_SESSION_TOKEN"] = "token";
  EXPECT_EQ(Found(), "ENV secret token");
  set_["AWS_ACCESS_KEY_ID"] = "";
  set_["AWS_SECRET_ACCESS_KEY"] = kSecret;
  EXPECT_EQ(Found(), "no AWS credentials: AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not");
}

TEST_F(CredentialChainTest, ReadsTheSharedFilesAsAwsProgramsWriteThem) {
  Write(
      ".aws/credentials",
      "; mine\r\n[default]\r\naws_access_key_id=FILE # a comment\r\n  aws_secret_access_key = indented\r\n"
      "aws_secret_access_key = a;b#c=d\r\n\r\n[other]\naws_access_key_id = OTHER\nAWS_SECRET_ACCESS_KEY = o\n"
      "aws_session_token = t\n");
  Write(
      ".aws/config",
      "[default]\nregion = eu-west-3\naws_access_key_id = WEAKER\n[profile work]\naws_access_key_id = WORK\n"
      "aws_secret_access_key = w\ns3 =\n    addressing_style = path\nregion = eu-central-1\n[sso-session x]\nnonsense\n"
      "[other]\naws_access_key_id = NO-PROFILE\n");
  EXPECT_EQ(Found(), "FILE a;b#c=d ");
  EXPECT_EQ(FindRegion(environment()).value(), "eu-west-3");
  set_["AWS_PROFILE"] = "other";
  EXPECT_EQ(Found(), "OTHER o t");
  set_["AWS_PROFILE"] = "work";
  EXPECT_EQ(Found(), "WORK w ");
  EXPECT_EQ(FindRegion(environment()).value(), "eu-central-1");
  set_["AWS_DEFAULT_REGION"] = "us-west-2";
  EXPECT_EQ(FindRegion(environment()).value(), "us-west-2");
  set_["AWS_REGION"] = "us-east-1";
  EXPECT_EQ(FindRegion(environment()).value(), "us-east-1");
}

TEST_F(CredentialChainTest, ReadsTheFilesThatTheEnvironmentNames) {
  Write("c", "[default]\naws_access_key_id = A\naws_secret_access_key = B\n");
  set_["AWS_SHARED_CREDENTIALS_FILE"] = "~/c";
  set_["AWS_CONFIG_FILE"] = PathOf("nowhere");
  EXPECT_EQ(Found(), "A B ");
}

TEST_F(CredentialChainTest, SaysInOneSentenceWhatIsMissing) {
  EXPECT_EQ(Found(),
            "no AWS credentials: AWS_ACCESS_KEY_ID is not set, " + PathOf(".aws/credentials") +
                " has no key for profile 'default', and this is neither a container nor an instance with a "
                "role (connect to 169.254.169.254: timed out)");
  EXPECT_EQ(
      FindRegion(environment()).error().message,
      "no AWS region is known: set AWS_REGION (eu-central-1, us-east-1, ...), or `region` of profile 'default' in " +
          PathOf(".aws/config"));
  set_["AWS_PROFILE"] = "work";
  EXPECT_EQ(Found(), "no AWS credentials: AWS_PROFILE is 'work', and neither " + PathOf(".aws/config") +
                         " nor " + PathOf(".aws/credentials") + " has such a profile");
  Write(".aws/config", "[profile work]\nregion = eu-west-1\n");
  EXPECT_EQ(Found(), "no AWS credentials: profile 'work' in " + PathOf(".aws/credentials") +
                         " has no aws_access_key_id");
  Write(".aws/credentials", "[work]\naws_secret_access_key = " + std::string(kSecret) + "\n");
  EXPECT_EQ(Found(), "no AWS credentials: profile 'work' in " + PathOf(".aws/credentials") +
                         " has no aws_access_key_id");
  Write(".aws/credentials", "");
  Write(".aws/config", "[profile work]\nsso_session = corp\n");
  EXPECT_EQ(
      Found(),
      "no AWS credentials: profile 'work' has a sso_session, which this program does not use; give another profile the "
      "line credential_process = aws configure export-credentials --profile work --format process");
  // The key beside it is not the role's.
  Write(".aws/config", "[profile work]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = work\n");
  Write(".aws/credentials",
        "[work]\naws_access_key_id = A\naws_secret_access_key = " + std::string(kSecret) + "\n");
  EXPECT_NE(Found().find("profile 'work' has a role_arn, which this program does not use"), std::string::npos)
      << Found();
}

TEST_F(CredentialChainTest, TakesWhatTheProcessOfAProfilePrints) {
  const auto prints = [&](const std::string& key) {
    Write("key", key);
    Write(".aws/config", "[profile work]\ncredential_process = cat '" + PathOf("key") + "'\n");
  };
  set_["AWS_PROFILE"] = "work";
  prints(R"({"Version":1,"AccessKeyId":"FIRST","SecretAccessKey":"s","SessionToken":"t",)"
         R"("Expiration":"2026-11-22T02:00:00+01:00"})");
  CredentialChain chain(environment(), clock_, transport_);
  EXPECT_EQ(Shown(chain.Current()), "FIRST s t");
  EXPECT_EQ(chain.Current()->expires, ParseTime("2026-11-22T01:00:00Z").value());
  prints(R"({"Version":1,"AccessKeyId":"NEXT","SecretAccessKey":"s"})");
  EXPECT_EQ(Shown(chain.Current()), "FIRST s t") << "it is good for an hour";
  clock_.Advance(std::chrono::minutes(56));
  EXPECT_EQ(Shown(chain.Current()), "NEXT s ");

  const std::string who = "no AWS credentials: credential_process of profile 'work' ";
  const std::string key = R"("AccessKeyId":"A","SecretAccessKey":")" + std::string(kSecret) + '"';
  for (const auto& [printed, said] : std::vector<std::pair<std::string, std::string>>{
           {"", "prints what is not a JSON object"},
           {std::string(kSecret), "prints what is not a JSON object"},
           {"{" + key + "}", "prints another Version than 1"},
           {R"({"Version":1,"AccessKeyId":"A"})", "prints no AccessKeyId and SecretAccessKey"},
           {R"({"Version":1,"Expiration":"soon",)" + key + "}", "prints an Expiration that is not a time"},
           {R"({"Version":1,"Expiration":"2026-11-22T02:00:00+1:00",)" + key + "}",
            "prints an Expiration that is not a time"},
           {std::string(70'000, ' '), "prints more than 65536 bytes"}}) {
    prints(printed);
    EXPECT_EQ(Found(), who + said);
  }
  for (const auto& [command, said] : std::vector<std::pair<std::string, std::string>>{
           {"echo " + std::string(kSecret) + "; exit 3", "ended with 3"},
           {"kill -9 $$", "was ended by signal 9"}}) {
    Write(".aws/config", "[profile work]\ncredential_process = " + command + "\n");
    EXPECT_EQ(Found(), who + said);
  }
  EXPECT_EQ(OutputOf("exec sleep 600", 1, std::chrono::milliseconds(20)).error().message,
            "says nothing for 20 ms");
  EXPECT_EQ(OutputOf("exec >&-; exec sleep 600", 1, std::chrono::milliseconds(20)).error().message,
            "does not end within 20 ms");
}

TEST_F(CredentialChainTest, NamesTheLineOfABadFileAndNotItsText) {
  Write(".aws/credentials", "[default]\naws_access_key_id = A\n" + std::string(kSecret) + "\n");
  CredentialChain chain(environment(), clock_, transport_);
  const auto found = chain.Current();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(found.error().message,
            PathOf(".aws/credentials") + ":3: this line is neither a heading nor name = value");
}

TEST_F(CredentialChainTest, AsksForTheRoleOfAContainer) {
  set_["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/1";
  services_["http://169.254.170.2/v2/credentials/1"] =
      Reply::Status(200, Role("ROLE", "2026-11-22T06:00:00Z"));
  EXPECT_EQ(Found(), "ROLE s t");
  set_.erase("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  set_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://169.254.170.23/v1/credentials";
  Write("token", "from a file\n");
  set_["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "plain";
  set_["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = PathOf("token");
  services_["http://169.254.170.23/v1/credentials"] = Reply::Status(200, Role("POD", "2026-11-22T06:00:00Z"));
  EXPECT_EQ(Found(), "POD s t");
  EXPECT_EQ(transport_.seen.back().headers, (std::vector<http::Header>{{"Authorization", "from a file"}}));
  services_["http://169.254.170.23/v1/credentials"] = Reply::Status(400, "no");
  EXPECT_EQ(Found(), "no AWS credentials: the container's role answers HTTP 400");
  set_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://example.org/steal";
  EXPECT_EQ(
      Found(),
      "no AWS credentials: AWS_CONTAINER_CREDENTIALS_FULL_URI names example.org, which is neither this machine nor "
      "asked over https");
}

TEST_F(CredentialChainTest, AsksForTheRoleOfAnInstanceWithASessionToken) {
  const std::string host = "http://169.254.169.254/latest/";
  services_[host + "api/token"] = Reply::Status(200, "SESSION");
  services_[host + "meta-data/iam/security-credentials/"] = Reply::Status(200, "my-role");
  services_[host + "meta-data/iam/security-credentials/my-role"] =
      Reply::Status(200, Role("INSTANCE", "2026-11-22T06:00:00Z"));
  EXPECT_EQ(Found(), "INSTANCE s t");
  ASSERT_EQ(transport_.seen.size(), 3u);
  EXPECT_EQ(transport_.seen[0].method, http::Method::kPut);
  EXPECT_EQ(transport_.seen[2].headers, (std::vector<http::Header>{{"x-aws-ec2-metadata-token", "SESSION"}}));
  services_[host + "meta-data/iam/security-credentials/"] = Reply::Status(404);
  EXPECT_NE(Found().find("(this instance has no role)"), std::string::npos);
  set_["AWS_EC2_METADATA_DISABLED"] = "true";
  const auto asked = transport_.seen.size();
  EXPECT_NE(Found().find("AWS_EC2_METADATA_DISABLED says so"), std::string::npos);
  EXPECT_EQ(transport_.seen.size(), asked);
}

std::string AssumedRole(const std::string& id, const std::string& expires) {
  return R"(<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">)"
         "<AssumeRoleWithWebIdentityResult><SubjectFromWebIdentityToken>repo:me/mine</SubjectFromWebIdentityToken>"
         "<Credentials><AccessKeyId>" + id + "</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t"
         "</SessionToken><Expiration>" + expires + "</Expiration></Credentials></AssumeRoleWithWebIdentityResult>"
         "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>";
}

TEST_F(CredentialChainTest, AsksStsForTheRoleOfAWebIdentity) {
  const std::string sts = "https://sts.eu-central-1.amazonaws.com/";
  Write("token", "eyJ.first+/\n");
  set_["AWS_WEB_IDENTITY_TOKEN_FILE"] = PathOf("token");
  EXPECT_EQ(Found(), "no AWS credentials: the token of a web identity is given, and no AWS_ROLE_ARN for it");
  set_["AWS_ROLE_ARN"] = "arn:aws:iam::123456789012:role/mirror";
  EXPECT_NE(Found().find("no AWS region is known"), std::string::npos) << Found();
  set_["AWS_REGION"] = "eu-central-1";
  services_[sts] = Reply::Status(200, AssumedRole("POD", "2026-11-22T01:00:00Z"));
  CredentialChain chain(environment(), clock_, transport_);
  EXPECT_EQ(Shown(chain.Current()), "POD s t");
  const http::Request& asked = transport_.seen.back();
  EXPECT_EQ(asked.method, http::Method::kPost);
  EXPECT_EQ(asked.headers, (std::vector<http::Header>{{"Content-Type", "application/x-www-form-urlencoded"}}))
      << "nobody signs it";
  EXPECT_EQ(posted_,
            "Action=AssumeRoleWithWebIdentity&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fmirror&"
            "RoleSessionName=tmdb-collector&Version=2011-06-15&WebIdentityToken=eyJ.first%2B%2F");

  // The cluster has renewed the token meanwhile.
  Write("token", "eyJ.second");
  clock_.Advance(std::chrono::minutes(56));
  services_[sts] = Reply::Status(200, AssumedRole("NEXT", "2026-11-22T02:00:00Z"));
  EXPECT_EQ(Shown(chain.Current()), "NEXT s t");
  EXPECT_TRUE(posted_.ends_with("&WebIdentityToken=eyJ.second")) << posted_;
}

TEST_F(CredentialChainTest, AProfileMayNameAWebIdentity) {
  Write("token", "eyJ");
  Write(".aws/config", "[profile pod]\nregion = us-east-1\nrole_arn = arn:aws:iam::1:role/r\nrole_session_name = me\n"
                       "web_identity_token_file = " + PathOf("token") + "\n");
  set_["AWS_PROFILE"] = "pod";
  set_["AWS_ENDPOINT_URL_STS"] = "http://127.0.0.1:1";
  services_["http://127.0.0.1:1/"] = Reply::Status(200, AssumedRole("A", "2026-11-22T01:00:00Z"));
  EXPECT_EQ(Found(), "A s t");
  EXPECT_NE(posted_.find("RoleSessionName=me"), std::string::npos) << posted_;
}

TEST_F(CredentialChainTest, SaysWhyStsRefusesAWebIdentityAndNeverItsToken) {
  const std::string sts = "https://sts.us-east-1.amazonaws.com/";
  set_["AWS_WEB_IDENTITY_TOKEN_FILE"] = PathOf("token");
  set_["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/r";
  set_["AWS_REGION"] = "us-east-1";
  EXPECT_NE(Found().find(PathOf("token")), std::string::npos) << Found();
  Write("token", "\n");
  EXPECT_NE(Found().find("is empty"), std::string::npos) << Found();
  Write("token", kSecret);
  const auto refused = [](const std::string& code, const std::string& message) {
    return Reply::Status(400, "<ErrorResponse><Error><Type>Sender</Type><Code>" + code + "</Code><Message>" + message +
                                  "</Message></Error></ErrorResponse>");
  };
  services_[sts] = refused("InvalidIdentityToken", std::string(kSecret));
  EXPECT_EQ(Found(), "no AWS credentials: the role of the web identity: STS answers HTTP 400, InvalidIdentityToken");
  services_[sts] = Reply::Status(200, "<AssumeRoleWithWebIdentityResponse/>");
  EXPECT_EQ(Found(), "no AWS credentials: the role of the web identity: STS answers without credentials");
  services_[sts] = Reply::Status(200, AssumedRole("", "2026-11-22T01:00:00Z"));
  EXPECT_EQ(Found(), "no AWS credentials: the role of the web identity: STS answers with half a key");
  const auto asked = transport_.seen.size();
  services_[sts] = refused("IDPCommunicationError", "m");
  EXPECT_EQ(Found(),
            "no AWS credentials: the role of the web identity: ask https://sts.us-east-1.amazonaws.com: HTTP 400");
  EXPECT_EQ(transport_.seen.size(), asked + 3) << "it may pass";
}

TEST_F(CredentialChainTest, RenewsARoleBeforeItExpiresAndUsesItUntilThen) {
  const std::string url = "http://127.0.0.1:1/role";
  set_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
  services_[url] = Reply::Status(200, Role("FIRST", "2026-11-22T01:00:00Z"));
  CredentialChain chain(environment(), clock_, transport_);
  EXPECT_TRUE(chain.due());
  EXPECT_EQ(Shown(chain.Current()), "FIRST s t");
  clock_.Advance(std::chrono::minutes(54));
  EXPECT_FALSE(chain.due());
  EXPECT_EQ(Shown(chain.Current()), "FIRST s t");
  EXPECT_EQ(transport_.seen.size(), 1u);

  clock_.Advance(std::chrono::minutes(2));
  services_[url] = Reply::Status(500);
  EXPECT_EQ(Shown(chain.Current()), "FIRST s t") << "it is still good";
  const auto asked = transport_.seen.size();
  EXPECT_EQ(Shown(chain.Current()), "FIRST s t");
  EXPECT_EQ(transport_.seen.size(), asked) << "not asked again at once";

  clock_.Advance(std::chrono::minutes(5));
  EXPECT_EQ(Shown(chain.Current()), "no AWS credentials: the container's role: HTTP 500");
  services_[url] = Reply::Status(200, Role("SECOND", "2026-11-22T02:00:00Z"));
  EXPECT_EQ(Shown(chain.Current()), "SECOND s t");
  services_[url] = Reply::Status(200, Role("THIRD", "2026-11-22T02:00:00Z"));
  EXPECT_EQ(Shown(chain.Current()), "SECOND s t");
  chain.Refused();
  EXPECT_EQ(Shown(chain.Current()), "THIRD s t");
}

TEST_F(CredentialChainTest, DoesNotAskForEachCallWhereARoleExpiresSoon) {
  const std::string url = "http://127.0.0.1:1/role";
  set_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
  services_[url] = Reply::Status(200, Role("SHORT", "2026-11-22T00:02:00Z"));
  CredentialChain chain(environment(), clock_, transport_);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Shown(chain.Current()), "SHORT s t");
  EXPECT_EQ(transport_.seen.size(), 1u);
  clock_.Advance(std::chrono::seconds(31));
  EXPECT_EQ(Shown(chain.Current()), "SHORT s t");
  EXPECT_EQ(transport_.seen.size(), 2u);
}

TEST_F(CredentialChainTest, RefusesWhatIsNoRole) {
  const std::string url = "http://localhost:1/role";
  set_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
  for (const auto& [body, why] : std::vector<std::pair<std::string, std::string>>{
           {"<html>", "answers what is not JSON"},
           {"[]", "answers without AccessKeyId and SecretAccessKey"},
           {R"({"AccessKeyId":"A"})", "answers without AccessKeyId and SecretAccessKey"},
           {R"({"Code":"AssumeRoleUnauthorizedAccess"})", "answers AssumeRoleUnauthorizedAccess"},
           {R"({"AccessKeyId":"A","SecretAccessKey":"B","Expiration":"soon"})",
            "with an Expiration that is not a time"}}) {
    services_[url] = Reply::Status(200, body);
    EXPECT_NE(Found().find(why), std::string::npos) << Found();
  }
}

}  // namespace
}  // namespace tmdbc::aws
