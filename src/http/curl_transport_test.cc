// SPDX-License-Identifier: MIT
#include "http/curl_transport.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <future>
#include <map>

#include "base/compression.h"
#include "http/body.h"
#include "testing/raw_server.h"

namespace tmdbc::http {
namespace {

using namespace std::chrono_literals;
using testing::ClosedPort;
using testing::ConnectionCount;
using testing::RawServer;
using Connection = RawServer::Connection;

constexpr std::string_view kDetails =
    R"({"adult":false,"id":550,"original_title":"Fight Club","popularity":73.4})";

// Answers every request of a connection with the movie.
void Polite(Connection& connection) {
  while (connection.ReadRequest())
    connection.Answer(kDetails, "Content-Type: application/json;charset=utf-8\r\n");
}

class CurlTransportTest : public ::testing::Test {
 protected:
  void SetUp() override { Make({}); }

  void Make(const CurlOptions& options) {
    auto made = CurlTransport::Create(clock_, options);
    ASSERT_TRUE(made) << made.error().message;
    transport_ = *std::move(made);
  }

  RequestId Start(std::string url, const std::function<void(Request&)>& change = {}) {
    Request request;
    request.url = std::move(url);
    if (change) change(request);
    return transport_->Start(std::move(request), [this] { ++sends_; });
  }
  // Waits for the outcome of the only request under way.
  Outcome Finish() {
    for (;;) {
      auto outcomes = transport_->Wait(clock_.Mono() + 1min);
      EXPECT_LE(outcomes.size(), 1u);
      if (!outcomes.empty()) return std::move(outcomes[0]);
    }
  }
  Outcome Get(std::string url, std::function<void(Request&)> change = {}) {
    const RequestId id = Start(std::move(url), std::move(change));
    Outcome outcome = Finish();
    EXPECT_EQ(outcome.id, id);
    EXPECT_NE(outcome.response.has_value(), outcome.failure.has_value());
    return outcome;
  }

  SystemClock clock_;
  std::unique_ptr<CurlTransport> transport_;
  int sends_ = 0;
};

TEST_F(CurlTransportTest, GivesStatusHeadersAndTheBodyAsItCame) {
  const std::string gzip = Gzip(kDetails);
  std::string head;
  RawServer server([&](Connection& connection) {
    head = connection.ReadRequest().value_or("");
    connection.Answer(gzip, "Content-Encoding: gzip\r\nETag:  W/\"abc\"  \r\nX-Empty:\r\n");
    connection.WaitForClose();
  });
  const Outcome outcome = Get(server.url() + "/3/movie/550?append_to_response=credits", [](Request& request) {
    request.headers = {{"Accept", "application/json"}, {"User-Agent", "test/1"}};
  });
  ASSERT_TRUE(outcome.response) << outcome.failure_text;
  EXPECT_EQ(outcome.response->status, 200);
  EXPECT_EQ(outcome.response->header("etag"), "W/\"abc\"");
  EXPECT_EQ(outcome.response->header("Content-Encoding"), "gzip");
  EXPECT_EQ(outcome.response->header("x-empty"), "");
  EXPECT_EQ(outcome.response->body, gzip);
  EXPECT_EQ(DecodeBody(*outcome.response).value_or(""), kDetails);
  EXPECT_GT(outcome.bytes_received, gzip.size());
  EXPECT_LE(outcome.started, outcome.finished);
  EXPECT_TRUE(head.starts_with("GET /3/movie/550?append_to_response=credits HTTP/1.1\r\n")) << head;
  EXPECT_NE(head.find("\r\nAccept-Encoding: gzip\r\n"), std::string::npos) << head;
  EXPECT_NE(head.find("\r\nAccept: application/json\r\n"), std::string::npos) << head;
  EXPECT_NE(head.find("\r\nUser-Agent: test/1\r\n"), std::string::npos) << head;
}

TEST_F(CurlTransportTest, SendsTheSecretOnTheWireAndShowsItNowhere) {
  const std::string secret = "api_key=0123456789abcdef0123456789abcdef";
  std::vector<std::string> heads;
  RawServer server([&](Connection& connection) {
    while (auto head = connection.ReadRequest()) {
      heads.push_back(*head);
      connection.Answer("{}");
    }
  });
  const auto with_secret = [&](Request& request) { request.secret_query = secret; };
  Get(server.url() + "/3/movie/550", with_secret);
  Get(server.url() + "/3/movie/550?page=2", with_secret);
  EXPECT_TRUE(heads.at(0).starts_with("GET /3/movie/550?" + secret + " HTTP")) << heads[0];
  EXPECT_TRUE(heads.at(1).starts_with("GET /3/movie/550?page=2&" + secret + " HTTP")) << heads[1];
  for (const std::string& url :
       {"http://127.0.0.1:" + std::to_string(ClosedPort()) + "/3/movie/1", std::string("gopher://x/"),
        std::string("http://no-such-host.invalid/3/movie/1"), std::string("http://[bad/")}) {
    const Outcome outcome = Get(url, with_secret);
    EXPECT_EQ(outcome.failure, TransportFailure::kConnect) << url;
    EXPECT_EQ(outcome.failure_text.find("0123456789abcdef"), std::string::npos) << outcome.failure_text;
    EXPECT_FALSE(outcome.failure_text.empty());
  }
}

TEST_F(CurlTransportTest, UsesOneConnectionForOneRequestAfterTheOther) {
  RawServer server(Polite);
  for (int i = 0; i < 50; ++i) {
    const Outcome outcome = Get(server.url() + "/3/movie/550");
    ASSERT_TRUE(outcome.response) << outcome.failure_text;
    EXPECT_EQ(outcome.response->body, kDetails);
  }
  EXPECT_EQ(server.accepted(), 1);
  EXPECT_EQ(sends_, 50) << "also told of each request on a connection that was open already";
  EXPECT_EQ(transport_->Room(), 20);
}

TEST_F(CurlTransportTest, TellsARefusedConnectionFromABrokenOne) {
  const std::string url = "http://127.0.0.1:" + std::to_string(ClosedPort());
  const Outcome outcome = Get(url + "/3/movie/550");
  EXPECT_EQ(outcome.failure, TransportFailure::kConnect);
  EXPECT_EQ(outcome.failure_text, "connect to " + url.substr(7) + ": Connection refused");
  EXPECT_EQ(sends_, 0) << "nothing was sent";
  EXPECT_EQ(transport_->Room(), 20) << "nobody counts a connection that never was";
}

TEST_F(CurlTransportTest, NamesEveryWayAnAnswerCanFail) {
  const struct {
    std::string name;
    RawServer::Script script;
    TransportFailure expected;
  } cases[] = {
      {"reset before the answer", [](Connection& c) { c.ReadRequest(), c.Reset(); },
       TransportFailure::kReset},
      {"closed before the answer", [](Connection& c) { c.ReadRequest(); }, TransportFailure::kReset},
      {"reset in the headers",
       [](Connection& c) { c.ReadRequest(), c.Send("HTTP/1.1 200 OK\r\nContent-Le"), c.Reset(); },
       TransportFailure::kReset},
      {"shorter than its Content-Length",
       [](Connection& c) {
         c.ReadRequest(), c.Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":");
       },
       TransportFailure::kReset},
      {"reset in the body",
       [](Connection& c) {
         c.ReadRequest();
         c.Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":");
         c.Reset();
       },
       TransportFailure::kReset},
      {"chunks cut short",
       [](Connection& c) {
         c.ReadRequest();
         c.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n");
       },
       TransportFailure::kReset},
      {"chunks that are none",
       [](Connection& c) {
         c.ReadRequest();
         c.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n{\"id\"\r\n");
         c.WaitForClose();
       },
       TransportFailure::kReset},
      {"no HTTP at all",
       [](Connection& c) { c.ReadRequest(), c.Send("SSH-2.0-OpenSSH_9.2\r\n"), c.WaitForClose(); },
       TransportFailure::kReset},
      {"headers without end",
       [](Connection& c) {
         c.ReadRequest();
         c.Send("HTTP/1.1 200 OK\r\n");
         for (int i = 0; i < 100; ++i) c.Send("X-Padding: " + std::string(1000, 'x') + "\r\n");
         c.WaitForClose();
       },
       TransportFailure::kReset},
      {"never an answer", [](Connection& c) { c.ReadRequest(), c.WaitForClose(); },
       TransportFailure::kTimeout},
      {"half a body and then nothing",
       [](Connection& c) {
         c.ReadRequest();
         c.Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":");
         c.WaitForClose();
       },
       TransportFailure::kTimeout},
      {"a Content-Length beyond the bound",
       [](Connection& c) {
         c.ReadRequest();
         c.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n{");
         c.WaitForClose();
       },
       TransportFailure::kTooLarge},
      {"chunks beyond the bound",
       [](Connection& c) {
         c.ReadRequest();
         c.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
         for (int i = 0; i < 3; ++i) c.Send("1000\r\n" + std::string(0x1000, 'x') + "\r\n");
         c.WaitForClose();
       },
       TransportFailure::kTooLarge},
  };
  int expected_sends = 0;
  for (const auto& c : cases) {
    RawServer server(c.script);
    const Outcome outcome = Get(server.url() + "/3/movie/550", [](Request& request) {
      request.max_body = 10'000;
      request.timeout = 300ms;
    });
    EXPECT_EQ(outcome.failure, c.expected) << c.name << ": " << outcome.failure_text;
    EXPECT_FALSE(outcome.failure_text.empty()) << c.name;
    EXPECT_EQ(server.accepted(), 1) << c.name;
    EXPECT_EQ(sends_, ++expected_sends) << c.name;
  }
}

TEST_F(CurlTransportTest, TakesAConnectionThatIsNeverMadeForNoTimeoutOfTheAnswer) {
  // A server whose queue of connections is full: the kernel drops what comes.
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::listen(listener, 0), 0);
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  ::getsockname(listener, plain, &length);
  std::vector<int> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    (void)::connect(clients.back(), plain, length);
  }
  const std::string url = fmt::format("http://127.0.0.1:{}/3/movie/1", ntohs(address.sin_port));
  const Outcome by_the_request = Get(url, [](Request& request) { request.timeout = 200ms; });
  EXPECT_EQ(by_the_request.failure, TransportFailure::kConnect) << by_the_request.failure_text;
  CurlOptions options;
  options.connect_timeout = 200ms;
  Make(options);
  const Outcome by_the_option = Get(url);
  EXPECT_EQ(by_the_option.failure, TransportFailure::kConnect) << by_the_option.failure_text;
  EXPECT_EQ(sends_, 0);
  for (const int client : clients) ::close(client);
  ::close(listener);
}

TEST_F(CurlTransportTest, GivesUpATransferThatStalls) {
  CurlOptions options;
  options.stall_timeout = 1s;
  Make(options);
  RawServer server([](Connection& c) { c.ReadRequest(), c.WaitForClose(); });
  EXPECT_EQ(Get(server.url() + "/3/movie/550").failure, TransportFailure::kTimeout);
}

TEST_F(CurlTransportTest, TakesRedirectsAndErrorsAsValues) {
  RawServer server([](Connection& c) {
    c.ReadRequest();
    c.Answer("moved", "Location: http://127.0.0.1:1/elsewhere\r\n", "301 Moved Permanently");
    c.ReadRequest();
    c.Answer(R"({"status_code":25})", "Retry-After: 3\r\n", "429 Too Many Requests");
    c.ReadRequest();
    c.Send(
        "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 503 Service Unavailable\r\nContent-Length: "
        "0\r\n\r\n");
    c.WaitForClose();
  });
  const Outcome moved = Get(server.url() + "/3/movie/1");
  EXPECT_EQ(moved.response.value().status, 301);
  EXPECT_EQ(moved.response->body, "moved");
  const Outcome limited = Get(server.url() + "/3/movie/2");
  EXPECT_EQ(limited.response.value().status, 429);
  EXPECT_EQ(limited.response->header("retry-after"), "3");
  EXPECT_EQ(limited.response->header("location"), "") << "of the answer before";
  const Outcome down = Get(server.url() + "/3/movie/3");
  EXPECT_EQ(down.response.value().status, 503);
  EXPECT_EQ(down.response->header("link"), "") << "of the 103";
  EXPECT_EQ(server.accepted(), 1);
}

// A url goes on the wire as it is; one that cannot is refused and never becomes two lines of a head.
TEST_F(CurlTransportTest, SendsAUrlAsItIsOrNotAtAll) {
  std::vector<std::string> heads;
  RawServer server([&](Connection& c) {
    heads.push_back(c.ReadRequest().value_or(""));
    c.Answer(kDetails);
    c.WaitForClose();
  });
  const auto asked = [&](const std::string& rest) {
    heads.clear();
    const Outcome outcome =
        Get(server.url() + rest, [](Request& request) { request.fresh_connection = true; });
    if (!outcome.response || heads.size() != 1) return std::string("refused");
    return heads[0].substr(0, heads[0].find("\r\n"));
  };
  EXPECT_EQ(asked("/3/movie/1?append_to_response=watch/providers,images&x=%C3%BC"),
            "GET /3/movie/1?append_to_response=watch/providers,images&x=%C3%BC HTTP/1.1");
  EXPECT_EQ(asked(""), "GET / HTTP/1.1");
  EXPECT_EQ(asked("?a=1"), "GET /?a=1 HTTP/1.1");
  EXPECT_EQ(asked("/a?b#c"), "GET /a?b HTTP/1.1");
  EXPECT_EQ(asked("/a HTTP/1.1\r\nX-Smuggled: 1\r\n"), "refused");
  EXPECT_EQ(asked("/a"), "GET /a HTTP/1.1");  // the handle that was refused serves again
}

TEST_F(CurlTransportTest, SpeaksNothingButHttp) {
  EXPECT_EQ(Get("file:///etc/hostname").failure, TransportFailure::kConnect);
  EXPECT_EQ(Get("ftp://127.0.0.1/x").failure, TransportFailure::kConnect);
}

TEST_F(CurlTransportTest, PoursTheBodyOfA200IntoTheSink) {
  const std::string body(3 << 20, 'x');
  RawServer server([&](Connection& c) {
    c.ReadRequest();
    c.Answer(body);
    c.ReadRequest();
    c.Answer("no such file", "", "403 Forbidden");
    c.ReadRequest();
    c.Answer(body);
    c.WaitForClose();
  });
  std::string poured;
  const auto pour = [&](Request& request) {
    request.sink = [&](std::string_view bytes) {
      poured += bytes;
      return true;
    };
  };
  const Outcome whole = Get(server.url() + "/movie_ids.json.gz", pour);
  EXPECT_EQ(whole.response.value().body, "");
  EXPECT_TRUE(poured == body);

  poured.clear();
  EXPECT_EQ(Get(server.url() + "/movie_ids.json.gz", pour).response.value().body, "no such file");
  EXPECT_EQ(poured, "");

  const Outcome ended = Get(server.url() + "/movie_ids.json.gz",
                            [](Request& request) { request.sink = [](std::string_view) { return false; }; });
  EXPECT_EQ(ended.failure, TransportFailure::kAborted);
}

TEST_F(CurlTransportTest, SendsARequestOnceEvenWhenAnIdleConnectionBreaksUnderIt) {
  std::atomic<int> requests{0};
  RawServer server([&](Connection& c) {
    c.ReadRequest();
    ++requests;
    c.Answer(kDetails);
    // The second one on a connection is read, maybe counted, and never answered.
    if (c.ReadRequest()) ++requests;
    c.Reset();
  });
  EXPECT_TRUE(Get(server.url() + "/3/movie/1").response);
  const Outcome second = Get(server.url() + "/3/movie/2");
  EXPECT_EQ(second.failure, TransportFailure::kReset) << second.failure_text;
  EXPECT_TRUE(second.stale_connection);
  EXPECT_EQ(second.failure_text, "the connection broke before the answer began");
  EXPECT_EQ(requests, 2) << "libcurl on its own would have sent it again";
  EXPECT_EQ(sends_, 2);
}

TEST_F(CurlTransportTest, BlamesAConnectionOnlyWhenItWasUsedBeforeAndNothingOfTheAnswerCame) {
  RawServer fresh([](Connection& c) { c.ReadRequest(), c.Reset(); });
  const Outcome first = Get(fresh.url() + "/3/movie/1");
  EXPECT_EQ(first.failure, TransportFailure::kReset);
  EXPECT_FALSE(first.stale_connection) << "the first on its connection";

  RawServer begun([](Connection& c) {
    c.ReadRequest();
    c.Answer(kDetails);
    c.ReadRequest();
    c.Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
    c.Reset();
  });
  EXPECT_TRUE(Get(begun.url() + "/3/movie/1").response);
  const Outcome cut = Get(begun.url() + "/3/movie/2");
  EXPECT_EQ(cut.failure, TransportFailure::kReset);
  EXPECT_FALSE(cut.stale_connection) << "the answer had begun";

  RawServer closed([](Connection& c) {
    c.ReadRequest();
    c.Answer(kDetails);
    c.ReadRequest();  // and closes in good order
  });
  EXPECT_TRUE(Get(closed.url() + "/3/movie/1").response);
  EXPECT_TRUE(Get(closed.url() + "/3/movie/2").stale_connection);
}

TEST_F(CurlTransportTest, OpensAConnectionForARequestThatWantsAFreshOne) {
  RawServer server(Polite);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Get(server.url() + "/3/movie/1").response);
  EXPECT_EQ(server.accepted(), 1);
  EXPECT_TRUE(
      Get(server.url() + "/3/movie/1", [](Request& request) { request.fresh_connection = true; }).response);
  EXPECT_EQ(server.accepted(), 2);
  EXPECT_TRUE(Get(server.url() + "/3/movie/1").response);
  EXPECT_EQ(server.accepted(), 2) << "of this request alone";
}

// A server that closes every connection under its second request.
TEST_F(CurlTransportTest, DoesNotGoOnUsingConnectionsThatAreClosedUnderIt) {
  RawServer server([](Connection& c) {
    c.ReadRequest();
    c.Answer(kDetails);
    c.ReadRequest();
    c.Reset();
  });
  constexpr int kIds = 40;
  int answered = 0, stale = 0;
  for (int id = 0; id < kIds; ++id) {
    Outcome outcome = Get(server.url() + "/3/movie/1");
    if (outcome.stale_connection) {
      ++stale;
      outcome = Get(server.url() + "/3/movie/1", [](Request& request) { request.fresh_connection = true; });
    }
    answered += outcome.response ? 1 : 0;
  }
  EXPECT_EQ(answered, kIds);
  EXPECT_LE(stale, 9) << "three for each step: 118 s, 10 s, 1 s, not at all";
  EXPECT_EQ(sends_, kIds + stale);
}

TEST_F(CurlTransportTest, SendsEveryMethodWithItsBody) {
  std::vector<std::string> heads;
  std::string put, pulled;
  RawServer server([&](Connection& c) {
    const auto next = [&] { heads.push_back(c.ReadRequest().value_or("")); };
    next();
    put = c.ReadBody(11);
    c.Answer("", "ETag: \"1\"\r\n");
    next();
    pulled = c.ReadBody(3'000'000);
    c.Answer("done");
    next();
    c.Send("HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n");
    next();
    c.Send("HTTP/1.1 204 No Content\r\n\r\n");
    next();
    c.Answer("", "", "400 Bad Request");
    next();
    c.Answer(kDetails);
    c.WaitForClose();
  });
  const Outcome first = Get(server.url() + "/bucket/a/../b", [](Request& request) {
    request.method = Method::kPut;
    request.headers = {{"If-None-Match", "*"}, {"x-empty", ""}};
    request.upload.bytes = std::string_view("hello\0world", 11);
  });
  EXPECT_EQ(first.response.value().header("etag"), "\"1\"");
  std::uint64_t at = 0;
  const Outcome second = Get(server.url() + "/bucket/large", [&](Request& request) {
    request.method = Method::kPost;
    request.upload.length = 3'000'000;
    request.upload.pull = [&](std::span<char> room) {
      const std::size_t some = std::min<std::size_t>(room.size(), 7'777);
      std::fill_n(room.begin(), some, char('a' + at % 26));
      at += some;
      return some;
    };
  });
  EXPECT_EQ(second.response.value().body, "done");
  const Outcome head =
      Get(server.url() + "/bucket/a", [](Request& request) { request.method = Method::kHead; });
  EXPECT_EQ(head.response.value().header("content-length"), "12345");
  EXPECT_EQ(head.response->body, "");
  EXPECT_EQ(Get(server.url() + "/bucket/a", [](Request& request) { request.method = Method::kDelete; })
                .response.value()
                .status,
            204);
  EXPECT_EQ(Get(server.url() + "/bucket/a", [](Request& request) { request.method = Method::kPost; })
                .response.value()
                .status,
            400);
  EXPECT_EQ(Get(server.url() + "/3/movie/550").response.value().body, kDetails);
  EXPECT_EQ(server.accepted(), 1);

  ASSERT_EQ(heads.size(), 6u);
  const char* const lines[] = {"PUT /bucket/a/../b HTTP/1.1\r\n", "POST /bucket/large HTTP/1.1\r\n",
                               "HEAD /bucket/a HTTP/1.1\r\n",     "DELETE /bucket/a HTTP/1.1\r\n",
                               "POST /bucket/a HTTP/1.1\r\n",     "GET /3/movie/550 HTTP/1.1\r\n"};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_TRUE(heads[i].starts_with(lines[i])) << heads[i];
  const auto has = [&](std::size_t i, std::string_view text) {
    return heads[i].find(text) != std::string::npos;
  };
  EXPECT_TRUE(has(0, "\r\nContent-Length: 11\r\n") && has(0, "\r\nIf-None-Match: *\r\n")) << heads[0];
  EXPECT_TRUE(has(0, "\r\nx-empty:\r\n")) << heads[0];
  EXPECT_TRUE(has(1, "\r\nContent-Length: 3000000\r\n")) << heads[1];
  EXPECT_FALSE(has(1, "Expect")) << heads[1];
  EXPECT_TRUE(has(4, "\r\nContent-Length: 0\r\n")) << heads[4];
  EXPECT_FALSE(has(5, "Content-Length") || has(5, "Expect") || has(5, "Transfer-Encoding")) << heads[5];
  EXPECT_EQ(put.size(), 11u);
  EXPECT_EQ(pulled.size(), 3'000'000u);
  EXPECT_EQ(pulled[7'777], char('a' + 7'777 % 26));
}

TEST_F(CurlTransportTest, EndsAnUploadWhoseSenderHasNothingMore) {
  RawServer server([](Connection& c) { c.ReadRequest(), c.WaitForClose(); });
  const Outcome outcome = Get(server.url() + "/bucket/a", [](Request& request) {
    request.method = Method::kPut;
    request.upload.length = 10;
    request.upload.pull = [](std::span<char>) { return std::size_t(0); };
  });
  EXPECT_EQ(outcome.failure, TransportFailure::kAborted) << outcome.failure_text;
}

TEST_F(CurlTransportTest, AsksThisMachineDirectlyWhateverTheProxy) {
  CurlOptions options;
  const std::string nowhere = "http://127.0.0.1:" + std::to_string(ClosedPort());
  options.proxies = {.http = nowhere, .https = nowhere, .all = nowhere, .no_proxy = ""};
  Make(options);
  RawServer server(Polite);
  const Outcome outcome = Get(server.url() + "/3/movie/550");
  EXPECT_TRUE(outcome.response) << outcome.failure_text;
}

TEST_F(CurlTransportTest, AsksThroughTheProxyAndNamesItWhenThatFails) {
  std::string asked;
  std::atomic<bool> wants_login = false;
  RawServer proxy([&](Connection& c) {
    const std::string head = c.ReadRequest().value_or("");
    if (head.starts_with("CONNECT ") || wants_login) {
      c.Send("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    } else {
      asked = head;
      c.Answer(kDetails);
    }
    c.WaitForClose();
  });
  CurlOptions options;
  options.proxies.http = "http://me:secret@" + proxy.url().substr(7);
  options.proxies.https = options.proxies.http;
  Make(options);
  EXPECT_TRUE(Get("http://tmdb.test/3/movie/550").response);
  EXPECT_TRUE(asked.starts_with("GET http://tmdb.test/3/movie/550 HTTP/1.1\r\n")) << asked;

  const Outcome refused = Get("https://tmdb.test/3/movie/550");
  EXPECT_EQ(refused.failure, TransportFailure::kConnect);
  EXPECT_TRUE(refused.failure_text.starts_with("connect to tmdb.test through the proxy " +
                                               proxy.url().substr(7) + ": "))
      << refused.failure_text;
  EXPECT_NE(refused.failure_text.find("407"), std::string::npos) << refused.failure_text;
  EXPECT_EQ(refused.failure_text.find("secret"), std::string::npos) << refused.failure_text;
  EXPECT_EQ(refused.failure_hint, Hint::kProxy);

  // An answer to http comes from the proxy itself: it is no answer of that host.
  wants_login = true;
  Make(options);  // on a connection of its own
  const Outcome asked_to_log_in = Get("http://tmdb.test/3/movie/550");
  EXPECT_EQ(asked_to_log_in.failure, TransportFailure::kConnect);
  EXPECT_EQ(asked_to_log_in.failure_text, "connect to tmdb.test through the proxy " + proxy.url().substr(7) +
                                              ": HTTP 407, it wants a name and a password");
  EXPECT_EQ(asked_to_log_in.failure_hint, Hint::kProxy);

  const std::string nowhere = "127.0.0.1:" + std::to_string(ClosedPort());
  options.proxies.https = nowhere;
  Make(options);
  const Outcome down = Get("https://tmdb.test/3/movie/550");
  EXPECT_EQ(down.failure_text, "connect to tmdb.test through the proxy " + nowhere + ": Connection refused");
  EXPECT_EQ(down.failure_hint, Hint::kProxy);
}

TEST_F(CurlTransportTest, OpensANewConnectionWhenTheServerClosedTheIdleOne) {
  RawServer server([](Connection& c) {
    c.ReadRequest();
    c.Answer(kDetails, "Connection: close\r\n");
  });
  for (int i = 0; i < 3; ++i) {
    const Outcome outcome = Get(server.url() + "/3/movie/1");
    EXPECT_TRUE(outcome.response) << outcome.failure_text;
  }
  EXPECT_EQ(server.accepted(), 3);
}

TEST_F(CurlTransportTest, CancelsWhatIsUnderWay) {
  RawServer server([](Connection& c) { c.ReadRequest(), c.WaitForClose(); });
  const RequestId first = Start(server.url() + "/3/movie/1");
  const RequestId second = Start(server.url() + "/3/movie/2");
  while (sends_ < 2) transport_->Wait(clock_.Mono() + 10ms);
  transport_->Cancel(first);
  EXPECT_EQ(transport_->InFlight(), 2) << "until its outcome was fetched";
  const Outcome outcome = Finish();
  EXPECT_EQ(outcome.id, first);
  EXPECT_EQ(outcome.failure, TransportFailure::kAborted);
  EXPECT_EQ(transport_->InFlight(), 1);
  transport_->Cancel(first);
  transport_->Cancel(second);
  EXPECT_EQ(Finish().id, second);
  EXPECT_EQ(transport_->InFlight(), 0);
}

TEST_F(CurlTransportTest, KeepsThePlaceOfABrokenConnectionForASecond) {
  CurlOptions options;
  options.max_connections = 2;
  Make(options);
  RawServer server([](Connection& c) { c.ReadRequest(), c.Reset(); });
  Start(server.url() + "/3/movie/1");
  Start(server.url() + "/3/movie/2");
  std::vector<MonoTime> broken;
  while (broken.size() < 2) {
    for (const Outcome& outcome : transport_->Wait(clock_.Mono() + 1min)) {
      EXPECT_EQ(outcome.failure, TransportFailure::kReset);
      broken.push_back(outcome.finished);
    }
  }
  EXPECT_EQ(transport_->InFlight(), 0);
  EXPECT_EQ(transport_->Room(), 0);
  // A loop that wants to start something is woken when it may.
  while (transport_->Room() == 0) EXPECT_TRUE(transport_->Wait(clock_.Mono() + 1h).empty());
  EXPECT_GE(clock_.Mono() - broken[0], 1s);
}

TEST_F(CurlTransportTest, GivesThePlaceOfAWellClosedConnectionBackSoon) {
  RawServer server([](Connection& c) {
    c.ReadRequest();
    c.Answer(kDetails, "Connection: close\r\n");
  });
  const Outcome outcome = Get(server.url() + "/3/movie/1");
  EXPECT_TRUE(outcome.response);
  // While the peer may not have closed yet it counts.
  while (transport_->Room() < 20) transport_->Wait(clock_.Mono() + 5ms);
  EXPECT_LT(clock_.Mono() - outcome.finished, 1s) << "not as long as a broken one";
}

// What a peer with a connection limit sees when everything goes wrong: it must never count one too many.
TEST_F(CurlTransportTest, NeverHoldsMoreConnectionsThanAllowedWhateverBreaks) {
  constexpr int kLimit = 6, kRequests = 100;
  ConnectionCount count;
  std::atomic<int> turn{0};
  // The server counts a connection for a while after it has gone: less than the second that a broken one is
  // given, less than the 50 ms of one that was closed in good order.
  const auto count_late = [](std::chrono::milliseconds late) { std::this_thread::sleep_for(late); };
  const RawServer::Script rude = [&](Connection& c) {
    while (c.ReadRequest()) {
      switch (++turn % 10) {
        case 0:
          return c.Reset(), count_late(400ms);
        case 1:
          return c.WaitForClose(), c.Close(), count_late(400ms);  // never answers; the client gives up
        case 2:
          return c.Answer(kDetails, "Connection: close\r\n"), c.Close(), count_late(10ms);
        case 3:
          return c.Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":"), c.Close(),
                 count_late(400ms);
        case 4:
          return c.Close(), count_late(400ms);
        default:
          c.Answer(kDetails);
      }
    }
  };
  RawServer api(rude, &count), files(rude, &count);
  CurlOptions options;
  options.max_connections = kLimit;
  Make(options);
  std::map<RequestId, int> outcomes;
  int started = 0, answered = 0;
  while (int(outcomes.size()) < kRequests) {
    while (started < kRequests && transport_->Room() > 0) {
      Start((++started % 3 == 0 ? files : api).url() + "/3/movie/1",
            [](Request& request) { request.timeout = 2s; });
      EXPECT_LE(transport_->InFlight(), kLimit);
    }
    for (const Outcome& outcome : transport_->Wait(clock_.Mono() + 1s)) {
      EXPECT_EQ(++outcomes[outcome.id], 1);
      answered += outcome.response ? 1 : 0;
      EXPECT_NE(outcome.failure, TransportFailure::kConnect) << outcome.failure_text;
    }
  }
  EXPECT_LE(count.peak, kLimit);
  EXPECT_GT(count.peak, 1);
  EXPECT_GT(answered, kRequests / 3);
}

TEST_F(CurlTransportTest, CountsIdleConnectionsToAnotherHostAsWell) {
  constexpr int kLimit = 4;
  ConnectionCount count;
  std::atomic<int> met{0};
  // Answers only when all have arrived, so that each needs a connection of its own.
  const RawServer::Script together = [&](Connection& c) {
    while (c.ReadRequest()) {
      const int round = met++ / kLimit;
      while (met < (round + 1) * kLimit) std::this_thread::yield();
      c.Answer(kDetails);
    }
  };
  RawServer api(together, &count), files(together, &count);
  CurlOptions options;
  options.max_connections = kLimit;
  Make(options);
  for (RawServer* server : {&api, &files, &api}) {
    ASSERT_EQ(transport_->Room(), kLimit) << "idle connections can be used or closed";
    for (int i = 0; i < kLimit; ++i) Start(server->url() + "/3/movie/1");
    for (int finished = 0; finished < kLimit;) {
      for (const Outcome& outcome : transport_->Wait(clock_.Mono() + 1min)) {
        EXPECT_TRUE(outcome.response) << outcome.failure_text;
        ++finished;
      }
    }
  }
  EXPECT_EQ(count.peak, kLimit);
  EXPECT_EQ(files.accepted(), kLimit);
}

TEST_F(CurlTransportTest, SleepsUntilTheDeadlineWhenNothingIsUnderWay) {
  for (const Duration nap : {Duration(300us), Duration(2500us), Duration(20ms)}) {
    const MonoTime deadline = clock_.Mono() + nap;
    EXPECT_TRUE(transport_->Wait(deadline).empty());
    EXPECT_GE(clock_.Mono(), deadline);
  }
}

TEST_F(CurlTransportTest, HandsAnAnswerOverWithTheNextSlotWhereThatIsNear) {
  RawServer server(Polite);
  ASSERT_TRUE(Get(server.url() + "/1").response);
  do Start(server.url() + "/2");
  while (!transport_->Wait(clock_.Mono()).empty());  // until one is on the wire and not answered at once
  const MonoTime slot = clock_.Mono() + 40ms;
  transport_->next_slot = [slot] { return slot; };
  auto outcomes = transport_->Wait(slot);
  EXPECT_GE(clock_.Mono(), slot);
  if (outcomes.empty()) outcomes.push_back(Finish());  // a busy machine
  EXPECT_EQ(outcomes[0].response->body, kDetails);
}

TEST_F(CurlTransportTest, WakesWhenItIsAskedTo) {
  transport_->Wake();
  EXPECT_TRUE(transport_->Wait(clock_.Mono() + 1h).empty());
  const std::jthread waker([&] { transport_->Wake(); });
  EXPECT_TRUE(transport_->Wait(clock_.Mono() + 1h).empty());
}

TEST_F(CurlTransportTest, WakesWhenASignalComes) {
  struct sigaction action{}, before{};
  action.sa_handler = [](int) {};
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  const pthread_t waiting = ::pthread_self();
  std::atomic<bool> returned{false};
  // One signal may come before the wait has begun: they come until it ends.
  std::jthread other([&] {
    while (!returned) {
      ::pthread_kill(waiting, SIGUSR1);
      std::this_thread::yield();
    }
  });
  EXPECT_TRUE(transport_->Wait(clock_.Mono() + 1h).empty());
  returned = true;
  other.join();
  ::sigaction(SIGUSR1, &before, nullptr);
}

}  // namespace
}  // namespace tmdbc::http
