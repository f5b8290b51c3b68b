// SPDX-License-Identifier: MIT
// The served API against clients that mean no good, over a real socket: none of their requests succeeds, none keeps the
// next client from its answer, and each bound is reached.
#include <gtest/gtest.h>

#include <thread>

#include "http/server.h"
#include "http/server_test_client.h"
#include "read_api/read_api_world_test.h"
#include "serve/front.h"

namespace tmdbc::serve {
namespace {

using http::TestConnection;

class UnchangingMark : public StoreMark {
 public:
  Result<std::uint64_t> Now(std::uint64_t) override { return 1; }
  std::uint64_t IndexState() override { return 0; }
};

class HostileTest : public ::testing::Test {
 protected:
  HostileTest() {
    world.Put({MediaType::kMovie, 550}, R"({"id":550,"title":"Fight Club"})");
    http::ServerOptions options;
    options.head = {.bytes = 16 << 10, .target = 8 << 10, .fields = 100};
    options.max_request_body = 64 << 10;
    options.connections_per_address = 8;
    options.replace_oldest = true;
    options.request_limit = std::chrono::milliseconds(500);
    options.refused = [this](int status, std::string_view why, const std::string& peer) {
      front.Refused(status, why, peer);
    };
    server = http::Server::Listen(options, clock, [this](const http::ServerRequest& request) {
               return front(request);
             }).value();
    thread = std::thread([this] { server->Run(); });
  }
  ~HostileTest() override {
    server->Stop();
    thread.join();
    std::fclose(file);
  }

  std::FILE* file = std::tmpfile();
  SystemClock clock;
  read_api::ReadApiWorld world;
  UnchangingMark mark;
  Log log{file, LogLevel::kInfo, LogFormat::kText, clock};
  ServeMetrics metrics;
  ApiHandler api{world.api, world.records, mark, clock, 1 << 20};
  Front front{api, {}, clock, log, RequestLog::kAll, metrics};
  std::unique_ptr<http::Server> server;
  std::thread thread;
};

struct Hostile {
  const char* name;
  std::string bytes;
  std::vector<int> statuses;  // 0: closed without an answer
};

std::vector<Hostile> HostileRequests() {
  const std::string line = "GET /3/movie/550 HTTP/1.1\r\n", host = "Host: localhost\r\n", end = "\r\n";
  const auto get = [&](const std::string& target) { return "GET " + target + " HTTP/1.1\r\n" + host + end; };
  const auto with = [&](const std::string& fields) { return line + host + fields + end; };
  const std::string hidden = get("/3/movie/550");
  std::string many_fields, many_pairs = "/3/movie/550?a=1";
  for (int i = 0; i < 200; ++i) many_fields += "X-" + std::to_string(i) + ": 1\r\n";
  for (int i = 0; i < 200; ++i) many_pairs += "&a=1";
  return {
      {"both lengths",
       with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n" + hidden,
       {400}},
      {"both lengths, reversed",
       with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") + "0\r\n\r\n" + hidden,
       {400}},
      {"two lengths", with("Content-Length: 0\r\nContent-Length: 60\r\n") + hidden, {400}},
      {"two equal lengths", with("Content-Length: 0\r\nContent-Length: 0\r\n"), {400}},
      {"a list of lengths", with("Content-Length: 0, 0\r\n"), {400}},
      {"a negative length", with("Content-Length: -1\r\n"), {400}},
      {"a length with a sign", with("Content-Length: +0\r\n"), {400}},
      {"a length in hex", with("Content-Length: 0x0\r\n"), {400}},
      {"a length beyond 64 bits", with("Content-Length: 18446744073709551616\r\n"), {400}},
      {"a huge length", with("Content-Length: 99999999999\r\n"), {413}},
      {"chunks on GET", with("Transfer-Encoding: chunked\r\n") + "0\r\n\r\n" + hidden, {400}},
      {"odd encoding", with("Transfer-Encoding: gzip, chunked\r\n"), {501}},
      {"hidden encoding",
       with("Transfer-Encoding: \x0b"
            "chunked\r\n"),
       {400}},
      {"encoding of an old version",
       "GET /3/movie/550 HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
       {400}},
      {"bare LF", "GET /3/movie/550 HTTP/1.1\nHost: localhost\n\n", {400}},
      {"one bare LF", line + "Host: localhost\n\r\n", {400}},
      {"bare CR", line + "Host: localhost\rX: y\r\n\r\n", {400}},
      {"a folded header", with("X: a\r\n b\r\n"), {400}},
      {"a blank before the colon", with("Content-Length : 0\r\n"), {400}},
      {"a header without a name", with(": x\r\n"), {400}},
      {"a header without a colon", with("nonsense\r\n"), {400}},
      {"NUL in a header", with(std::string("X: a\0b\r\n", 8)), {400}},
      {"escape in a header", with("X: \x1b[2J\r\n"), {400}},
      {"no Host", line + end, {400}},
      {"two Hosts", line + host + host + end, {400}},
      {"a Host that is none", line + "Host: a/../b\r\n" + end, {400}},
      {"an odd expectation", with("Expect: the-unexpected\r\n"), {417}},
      {"HTTP/0.9", "GET /3/movie/550\r\n\r\n", {400}},
      {"HTTP/2 by word", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {505}},
      {"HTTP/3 by word", "GET /3/movie/550 HTTP/3.0\r\n" + host + end, {505}},
      {"TLS to a plain port", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), {400}},
      {"nonsense", "hello?\r\n\r\n", {400}},
      {"a tunnel", "CONNECT evil.example:443 HTTP/1.1\r\n" + host + end, {400}},
      {"a proxy request of another scheme", get("gopher://localhost/3/movie/550"), {400}},
      {"a URL with a password", get("http://a:b@localhost/3/movie/550"), {400}},
      {"a path that is none", get("3/movie/550"), {400}},
      {"a fragment", get("/3/movie/550#x"), {400}},
      {"NUL in the path", get(std::string("/3/movie/550\0", 13)), {400}},
      {"a tab in the path", get("/3/movie\t/550"), {400}},
      {"NUL escaped", get("/3/movie/550%00"), {404}},
      {"CRLF escaped", get("/3/movie/550%0d%0aX:%20y"), {404}},
      {"bytes that are no UTF-8", get("/3/movie/%ff%fe"), {404}},
      {"an overlong slash", get("/3/movie/%c0%af550"), {404}},
      {"half a surrogate", get("/3/movie/%ed%a0%80"), {404}},
      {"out of the folder", get("/3/../../../../etc/passwd"), {404}},
      {"out of the folder, escaped", get("/3/%2e%2e/%2e%2e/etc/passwd"), {404}},
      {"an id beyond 64 bits", get("/3/movie/99999999999999999999999"), {404}},
      {"an id below zero", get("/3/movie/-1"), {404}},
      {"SQL for an id", get("/3/movie/1'%20OR%20'1'='1"), {404}},
      {"a very long target", get("/3/movie/550?q=" + std::string(9000, 'a')), {414}},
      {"a target without end", "GET /" + std::string(20'000, 'a'), {414}},
      {"a head without end", line + host + "X: " + std::string(20'000, 'a'), {431}},
      {"very many headers", with(many_fields), {431}},
      {"very many pairs", get(many_pairs), {422}},
      {"a method without end", std::string(20'000, 'G'), {414, 431}},
      {"another method", "DELETE /3/movie/550 HTTP/1.1\r\n" + host + end, {405}},
      {"a made-up method", "STEAL /3/movie/550 HTTP/1.1\r\n" + host + end, {405}},
      {"a trace", "TRACE /3/movie/550 HTTP/1.1\r\n" + host + "Cookie: secret\r\n" + end, {405}},
      {"a body without length",
       "POST /3/movie/550/rating HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n" + end,
       {411}},
      {"a request that stops in its head", line + "Host: loc", {408}},
      {"a request that stops in its body",
       "POST /3/x HTTP/1.1\r\n" + host + "Content-Length: 10\r\n\r\nhalf",
       {408}},
  };
}

TEST_F(HostileTest, NoneSucceedsAndTheNextClientIsServed) {
  const auto requests = HostileRequests();
  EXPECT_GE(requests.size(), 40u);
  TestConnection patient(server->port());
  for (const Hostile& hostile : requests) {
    TestConnection attacker(server->port(), "127.0.0.2");
    attacker.Send(hostile.bytes);
    const http::SeenAnswer answer = attacker.Read();
    EXPECT_NE(std::ranges::find(hostile.statuses, answer.status), hostile.statuses.end())
        << hostile.name << ": " << answer.status;
    EXPECT_FALSE(answer.body.contains("Fight Club")) << hostile.name;
    // What framing is in doubt ends the connection: what is hidden behind it is never read as a request.
    if (answer.status != 404 && answer.status != 405 && answer.status != 422) {
      EXPECT_TRUE(attacker.AtEnd()) << hostile.name;
    }
    const http::SeenAnswer next = patient.Get("/3/movie/550");
    ASSERT_EQ(next.status, 200) << hostile.name;
    ASSERT_TRUE(next.body.contains("Fight Club")) << hostile.name;
  }
}

// Fifty clients that send nothing, or half a request, from one address: the fifty-first is served, and so is another.
TEST_F(HostileTest, ConnectionsThatAreHeldOpenKeepNobodyOut) {
  std::vector<std::unique_ptr<TestConnection>> held;
  TestConnection patient(server->port(), "127.0.0.3");
  for (int i = 0; i < 50; ++i) {
    held.push_back(std::make_unique<TestConnection>(server->port(), "127.0.0.2"));
    held.back()->Send("GET /3/mov");
    EXPECT_EQ(patient.Get("/3/movie/550").status, 200);
  }
  TestConnection next(server->port(), "127.0.0.2");
  EXPECT_EQ(next.Get("/3/movie/550").status, 200);
}

// Whatever a client puts into its request, no line of the log ends in it, and no answer repeats it as a header.
TEST_F(HostileTest, NothingOfARequestIsTakenForALineOfTheLog) {
  TestConnection client(server->port());
  EXPECT_EQ(client.Get("/3/movie/1%0aforged%1b[31m?api_key=secret0123456789").status, 404);
  EXPECT_EQ(client.Get("/3/movie/1?language=\xe2\x80\xae\xff").status, 404);
  std::fflush(file);
  std::fseek(file, 0, SEEK_SET);
  std::string text(10'000, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  EXPECT_EQ(std::ranges::count(text, '\n'), 2) << text;
  EXPECT_FALSE(text.contains("secret0123456789")) << text;
  EXPECT_FALSE(text.contains('\x1b')) << text;
}

}  // namespace
}  // namespace tmdbc::serve
