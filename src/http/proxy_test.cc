// SPDX-License-Identifier: MIT
#include "http/proxy.h"

#include <gtest/gtest.h>

#include <map>

namespace tmdbc::http {
namespace {

TEST(Proxy, FindsTheHostInAUrl) {
  EXPECT_EQ(HostNameOf("https://api.themoviedb.org/3/movie/550"), "api.themoviedb.org");
  EXPECT_EQ(HostNameOf("http://user:p@ss@files.tmdb.org:80/p/exports?x=@y"), "files.tmdb.org");
  EXPECT_EQ(HostNameOf("http://[::1]:8080/3"), "::1");
  EXPECT_EQ(HostNameOf("http://127.0.0.1:8080"), "127.0.0.1");
  EXPECT_EQ(HostNameOf("localhost"), "localhost");
  EXPECT_EQ(HostNameOf(""), "");
}

TEST(Proxy, KnowsThisMachine) {
  for (const char* host : {"localhost", "LocalHost", "localhost.", "tmdb.localhost", "127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"})
    EXPECT_TRUE(IsLoopback(host)) << host;
  for (const char* host : {"localhost.example", "128.0.0.1", "127.0.0.1.example", "::ffff:10.0.0.1", "mylocalhost", "::2", ""})
    EXPECT_FALSE(IsLoopback(host)) << host;
}

TEST(Proxy, DecidesByTheSchemeAndTheExceptions) {
  const ProxySettings web{.http = "http://h:1", .https = "http://s:2", .all = "http://a:3", .no_proxy = ""};
  const ProxySettings all{.http = "", .https = "", .all = "socks5h://a:3", .no_proxy = ""};
  const auto but = [&](const char* no_proxy) {
    ProxySettings settings = web;
    settings.no_proxy = no_proxy;
    return settings;
  };
  const struct {
    ProxySettings settings;
    const char* url;
    const char* expected;
  } cases[] = {
      {{}, "https://api.themoviedb.org/3", ""},
      {web, "https://api.themoviedb.org/3", "http://s:2"},
      {web, "http://api.themoviedb.org/3", "http://h:1"},
      {all, "https://api.themoviedb.org/3", "socks5h://a:3"},
      // This machine, whatever the exceptions say.
      {web, "http://127.0.0.1:8080/3", ""},
      {web, "http://localhost:8080/3", ""},
      {all, "http://[::1]:8080/3", ""},
      // Exceptions.
      {but("*"), "https://api.themoviedb.org/3", ""},
      {but("themoviedb.org"), "https://api.themoviedb.org/3", ""},
      {but(".themoviedb.org"), "https://api.themoviedb.org/3", ""},
      {but("THEMOVIEDB.ORG"), "https://API.themoviedb.org/3", ""},
      {but("intern, ,themoviedb.org,"), "https://themoviedb.org:443/3", ""},
      {but("moviedb.org"), "https://api.themoviedb.org/3", "http://s:2"},
      {but("api.themoviedb.org.example"), "https://api.themoviedb.org/3", "http://s:2"},
      {but("10.0.0.0/8 192.168.1.7"), "http://10.200.3.4/3", ""},
      {but("10.0.0.0/8 192.168.1.7"), "http://192.168.1.7/3", ""},
      {but("10.0.0.0/8 192.168.1.7"), "http://192.168.1.70/3", "http://h:1"},
      {but("10.0.0.0/8"), "http://11.0.0.1/3", "http://h:1"},
      {but("0.0.0.0/0"), "http://11.0.0.1/3", ""},
      {but("10.0.0.0/99 10.0.0.0/x ["), "http://10.0.0.1/3", "http://h:1"},
      {but("[2001:db8::1]"), "http://[2001:db8::1]:80/3", ""},
  };
  for (const auto& c : cases)
    EXPECT_EQ(c.settings.For(c.url), c.expected) << c.url << " but " << c.settings.no_proxy;
}

TEST(Proxy, ReadsTheEnvironment) {
  static std::map<std::string, const char*> environment;
  const auto get = [](const char* name) -> const char* {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second;
  };
  environment = {{"HTTP_PROXY", "http://from-a-client:1"},
                 {"HTTPS_PROXY", "http://s:2"},
                 {"https_proxy", ""},
                 {"NO_PROXY", "x"},
                 {"no_proxy", "y"}};
  const ProxySettings settings = ProxySettings::FromEnvironment(get);
  EXPECT_EQ(settings.http, "");
  EXPECT_EQ(settings.https, "http://s:2");
  EXPECT_EQ(settings.all, "");
  EXPECT_EQ(settings.no_proxy, "y");
}

TEST(Proxy, WhatIsNotAnAddressIsRefusedByTheNameOfItsVariable) {
  for (const char* good : {"", "proxy", "proxy.example:3128", "http://proxy.example:3128/", "HTTPS://10.0.0.1:443",
                           "socks5h://u:p w@[::1]:1080", "socks://127.0.0.1:1080", "[2001:db8::1]:80"}) {
    const ProxySettings settings{.http = good, .https = good, .all = good, .no_proxy = ""};
    EXPECT_TRUE(settings.Check()) << good;
  }
  for (const char* bad : {"not a proxy", "\"http://proxy:1\"", "http://", ":3128", "http://proxy:port", "proxy:0",
                          "proxy:65536", "ftp://proxy:21", "http://[::1", "http://user:secret@"}) {
    ProxySettings settings;
    settings.https = bad;
    const auto checked = settings.Check();
    ASSERT_FALSE(checked) << bad;
    EXPECT_EQ(checked.error().code, ErrorCode::kInvalid);
    EXPECT_TRUE(checked.error().message.starts_with("https_proxy is '")) << checked.error().message;
    EXPECT_FALSE(checked.error().message.contains("secret")) << checked.error().message;
  }
}

TEST(Proxy, IsShownWithoutItsPassword) {
  EXPECT_EQ(ShownProxy("http://user:secret@proxy.example:3128/"), "proxy.example:3128");
  EXPECT_EQ(ShownProxy("proxy.example:3128"), "proxy.example:3128");
}

}  // namespace
}  // namespace tmdbc::http
