// SPDX-License-Identifier: MIT
#include "http/server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <optional>
#include <thread>

#include "http/server_test_client.h"

namespace tmdbc::http {
namespace {

std::shared_ptr<const std::string> Shared(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

// A server in a thread of its own, whose handler is the test's.
class Running {
 public:
  explicit Running(Server::Handler handler, ServerOptions options = {}) {
    auto made = Server::Listen(std::move(options), clock_, std::move(handler));
    EXPECT_TRUE(made.has_value());
    server_ = *std::move(made);
    thread_ = std::thread([this] { server_->Run(); });
  }
  ~Running() { Stop(); }
  void Stop() {
    if (!thread_.joinable()) return;
    server_->Stop();
    thread_.join();
  }
  std::uint16_t port() const { return server_->port(); }
  Server& server() { return *server_; }

 private:
  SystemClock clock_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

Server::Handler Always(const Answer& answer) {
  return [answer](const ServerRequest&) { return answer; };
}

TEST(Server, GivesTheHandlerWhatTheClientSent) {
  ServerRequest seen;
  Running running([&](const ServerRequest& request) {
    seen = request;
    return Answer{.body = Shared("ok")};
  });
  TestConnection client(running.port(), "127.0.0.3");
  client.Send("POST /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nX-Thing: one\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(client.Read().body, "ok");
  running.Stop();
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.target, "/a%20b?x=1");
  EXPECT_EQ(seen.header("x-thing"), "one");
  EXPECT_EQ(seen.header("absent"), "");
  EXPECT_EQ(seen.body, "hello");
  EXPECT_EQ(seen.peer_address, "127.0.0.3");
}

TEST(Server, AnswersManyRequestsOnOneConnection) {
  int count = 0;
  Running running([&](const ServerRequest&) { return Answer{.body = Shared(std::to_string(++count))}; });
  TestConnection client(running.port());
  for (int i = 1; i <= 100; ++i) EXPECT_EQ(client.Get("/").body, std::to_string(i));
  running.Stop();
  EXPECT_EQ(running.server().stats().connections, 1u);
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  Running running([](const ServerRequest& request) { return Answer{.body = Shared(request.target)}; });
  TestConnection client(running.port());
  client.Send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.Read().body, "/1");
  EXPECT_EQ(client.Read().body, "/2");
}

TEST(Server, TakesAHeadThatComesInPieces) {
  Running running([](const ServerRequest& request) { return Answer{.body = Shared(request.target)}; });
  TestConnection client(running.port());
  for (const char* piece : {"GE", "T /pie", "ce HTTP/1.1\r\nHo", "st: h\r\n\r", "\n"}) client.Send(piece);
  EXPECT_EQ(client.Read().body, "/piece");
}

TEST(Server, SendsALengthOrChunksOrEndsByClosing) {
  const std::string body(100'000, 'x');
  for (const auto framing :
       {Answer::Framing::kLength, Answer::Framing::kChunked, Answer::Framing::kUntilClose}) {
    Running running(Always({.headers = {{"X-A", "b"}}, .body = Shared(body), .framing = framing}));
    TestConnection client(running.port());
    const SeenAnswer answer = client.Get("/");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.at("x-a"), "b");
    EXPECT_EQ(answer.headers.contains("content-length"), framing == Answer::Framing::kLength);
    EXPECT_EQ(answer.headers.contains("transfer-encoding"), framing == Answer::Framing::kChunked);
    EXPECT_TRUE(answer.whole);
    EXPECT_EQ(answer.body, body);
  }
}

TEST(Server, SendsAnEmptyBodyInEitherFraming) {
  for (const auto framing : {Answer::Framing::kLength, Answer::Framing::kChunked}) {
    Running running(Always({.framing = framing}));
    TestConnection client(running.port());
    const SeenAnswer answer = client.Get("/");
    EXPECT_TRUE(answer.whole);
    EXPECT_EQ(answer.body, "");
  }
}

TEST(Server, AnswersHeadWithTheLengthAndNoBody) {
  Running running(Always({.body = Shared("twelve bytes")}));
  TestConnection client(running.port());
  EXPECT_EQ(client.Get("/", "", "HEAD").headers.at("content-length"), "12");
  EXPECT_EQ(client.Get("/").body, "twelve bytes");
}

TEST(Server, ClosesWhenTheClientAsksForIt) {
  Running running(Always({.body = Shared("ok")}));
  TestConnection client(running.port());
  EXPECT_EQ(client.Get("/", "Connection: close\r\n").headers.at("connection"), "close");
  EXPECT_TRUE(client.AtEnd());
}

TEST(Server, AnswersNonsenseAndOversizeWithAnErrorAndCloses) {
  struct Case {
    std::string request;
    int status;
  };
  const Case cases[] = {
      {"not http at all\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nX: " + std::string(20'000, 'h') + "\r\n\r\n", 431},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n", 413},
  };
  for (const Case& c : cases) {
    Running running(Always({}));
    TestConnection client(running.port());
    client.Send(c.request);
    EXPECT_EQ(client.Read().status, c.status);
  }
}

TEST(Server, HoldsAnAnswerBackAndServesOthersMeanwhile) {
  Running running([](const ServerRequest& request) {
    Answer answer{.body = Shared(request.target)};
    if (request.target == "/slow") answer.delay = std::chrono::milliseconds(50);
    return answer;
  });
  TestConnection slow(running.port()), quick(running.port());
  slow.Send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(quick.Get("/quick").body, "/quick");
  EXPECT_EQ(slow.Read().body, "/slow");
  EXPECT_EQ(slow.Get("/quick").body, "/quick");
}

TEST(Server, ResetsBeforeAnyByte) {
  Running running(Always({.body = Shared("never seen"), .ending = Answer::Ending::kReset, .silent = true}));
  TestConnection client(running.port());
  const SeenAnswer answer = client.Get("/");
  EXPECT_EQ(answer.status, 0);
  EXPECT_TRUE(answer.reset);
}

TEST(Server, ResetsInTheMiddleOfTheBody) {
  for (const auto framing : {Answer::Framing::kLength, Answer::Framing::kChunked}) {
    Running running(Always({.body = Shared(std::string(1000, 'b')),
                            .framing = framing,
                            .ending = Answer::Ending::kReset,
                            .cut_body_after = 300}));
    TestConnection client(running.port());
    const SeenAnswer answer = client.Get("/");
    EXPECT_FALSE(answer.whole);
    EXPECT_TRUE(answer.reset);
  }
}

TEST(Server, PromisesMoreThanItSends) {
  Running running(Always({.body = Shared("short"), .ending = Answer::Ending::kClose, .claimed_length = 500}));
  TestConnection client(running.port());
  const SeenAnswer answer = client.Get("/");
  EXPECT_EQ(answer.headers.at("content-length"), "500");
  EXPECT_EQ(answer.body, "short");
  EXPECT_FALSE(answer.whole);
  EXPECT_FALSE(answer.reset);
}

TEST(Server, HangsWithoutAnAnswerAndClosesInTheEnd) {
  Running running(
      Always({.ending = Answer::Ending::kHang, .hang = std::chrono::milliseconds(20), .silent = true}));
  TestConnection client(running.port());
  const SeenAnswer answer = client.Get("/");
  EXPECT_EQ(answer.status, 0);
  EXPECT_FALSE(answer.reset);
  EXPECT_TRUE(client.AtEnd());
}

TEST(Server, TricklesAWholeBody) {
  const std::string body(1003, 't');
  for (const auto framing : {Answer::Framing::kLength, Answer::Framing::kChunked}) {
    Running running(Always({.body = Shared(body),
                            .framing = framing,
                            .trickle_pieces = 10,
                            .trickle_pause = std::chrono::milliseconds(1)}));
    TestConnection client(running.port());
    const SeenAnswer answer = client.Get("/");
    EXPECT_TRUE(answer.whole);
    EXPECT_EQ(answer.body, body);
    EXPECT_EQ(client.Get("/").body, body);
  }
}

TEST(Server, SendsRawBytes) {
  Running running(
      Always({.ending = Answer::Ending::kClose, .raw = "HTTP/1.1 299 Odd\r\nContent-Length: 2\r\n\r\nab"}));
  TestConnection client(running.port());
  const SeenAnswer answer = client.Get("/");
  EXPECT_EQ(answer.status, 299);
  EXPECT_EQ(answer.body, "ab");
}

TEST(Server, TellsTheHandlerOfAConnectionAboveTheLimit) {
  Running running(
      [](const ServerRequest& request) {
        return Answer{.status = request.over_connection_limit ? 429 : 200};
      },
      {.connections_per_address = 2});
  TestConnection first(running.port()), second(running.port());
  EXPECT_EQ(first.Get("/").status, 200);
  EXPECT_EQ(second.Get("/").status, 200);
  TestConnection third(running.port());
  EXPECT_EQ(third.Get("/").status, 429);
  EXPECT_TRUE(third.AtEnd());
  TestConnection elsewhere(running.port(), "127.0.0.2");
  EXPECT_EQ(elsewhere.Get("/").status, 200);
  EXPECT_EQ(first.Get("/").status, 200);
  running.Stop();
  EXPECT_EQ(running.server().stats().excess_connections, 1u);
  EXPECT_EQ(running.server().stats().peak_per_address, 3);
  EXPECT_EQ(running.server().stats().peak_open, 4);
}

TEST(Server, ClosesAConnectionAboveTheLimitWhenToldTo) {
  Running running(Always({}), {.connections_per_address = 1, .close_excess = true});
  TestConnection first(running.port());
  EXPECT_EQ(first.Get("/").status, 200);
  TestConnection second(running.port());
  EXPECT_EQ(second.Get("/").status, 0);
  EXPECT_EQ(first.Get("/").status, 200);
}

TEST(Server, LetsANewConnectionInWhereOthersAreHeldOpenWithHalfARequest) {
  Running running(Always({}), {.connections_per_address = 3, .replace_oldest = true});
  TestConnection patient(running.port());
  EXPECT_EQ(patient.Get("/").status, 200);
  TestConnection held[2] = {TestConnection(running.port()), TestConnection(running.port())};
  for (TestConnection& connection : held) {
    EXPECT_EQ(connection.Get("/").status, 200);
    connection.Send("GET / HTTP/1.1\r\nHost: h\r\nX-Slow: ");
  }
  EXPECT_EQ(patient.Get("/").status, 200);
  TestConnection next(running.port());
  EXPECT_EQ(next.Get("/").status, 200);
  // What was used last stays.
  EXPECT_EQ(patient.Get("/").status, 200);
  held[0].Send("1\r\n\r\n");
  held[1].Send("1\r\n\r\n");
  EXPECT_EQ(held[0].Read().status, 0);
  EXPECT_EQ(held[1].Read().status, 200);
}

TEST(Server, EndsARequestThatDoesNotComeToItsEndHoweverItTrickles) {
  constexpr std::chrono::milliseconds kLimit(50);
  for (const char* begin :
       {"GET / HTTP/1.1\r\nX-Slow: ", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 900000\r\n\r\n"}) {
    Running running(Always({}), {.request_limit = kLimit});
    TestConnection slow(running.port()), other(running.port());
    slow.Send(begin);
    const SystemClock clock;
    // So long that the limit has passed when it is over; each round takes a moment.
    for (const MonoTime until = clock.Mono() + 4 * kLimit; clock.Mono() < until;) {
      slow.Send("x");
      EXPECT_EQ(other.Get("/").status, 200);
    }
    EXPECT_EQ(slow.Read().status, 408) << begin;
    EXPECT_TRUE(slow.AtEnd());
    EXPECT_EQ(other.Get("/").status, 200);
  }
}

TEST(Server, ClosesAConnectionOnWhichNothingComes) {
  Running running(Always({}), {.idle_limit = std::chrono::milliseconds(50)});
  TestConnection silent(running.port()), idle(running.port());
  EXPECT_EQ(idle.Get("/").status, 200);
  EXPECT_TRUE(idle.AtEnd());
  EXPECT_TRUE(silent.AtEnd());
}

TEST(Server, CountsNoTimeThatItTakesToAnswer) {
  Running running(
      [](const ServerRequest& request) {
        return Answer{.delay = std::chrono::milliseconds(request.target == "/slow" ? 400 : 0)};
      },
      {.idle_limit = std::chrono::milliseconds(100), .request_limit = std::chrono::milliseconds(100)});
  TestConnection client(running.port());
  EXPECT_EQ(client.Get("/slow").status, 200);
  EXPECT_TRUE(client.AtEnd());
}

TEST(Server, FreesThePlaceOfAConnectionThatTheClientLeftWhileItWaited) {
  Running running(
      [](const ServerRequest& request) {
        Answer answer{.status = request.over_connection_limit ? 429 : 200};
        if (request.target == "/stuck") answer.delay = std::chrono::hours(1);
        return answer;
      },
      {.connections_per_address = 1});
  {
    TestConnection gone(running.port());
    gone.Send("GET /stuck HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  EXPECT_EQ(TestConnection(running.port()).Get("/").status, 200);
}

// As after a kill: a program's connections end all at once with requests unread, and its successor connects
// before the loop has come to any of them.
TEST(Server, DoesNotCountConnectionsWhoseClientIsGoneAgainstTheNext) {
  std::promise<void> busy, released;
  Running running(
      [&](const ServerRequest& request) {
        Answer answer{.status = request.over_connection_limit ? 429 : 200};
        if (request.target == "/busy") {
          busy.set_value();
          released.get_future().wait();
        } else if (request.target == "/slow") {
          answer.delay = std::chrono::hours(1);
        }
        return answer;
      },
      {.connections_per_address = 3});
  TestConnection first(running.port());
  std::optional<TestConnection> killed[2];
  for (auto& connection : killed) {
    connection.emplace(running.port());
    EXPECT_EQ(connection->Get("/").status, 200);
  }
  first.Send("GET /busy HTTP/1.1\r\nHost: h\r\n\r\n");
  busy.get_future().wait();
  for (auto& connection : killed) connection->Send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  TestConnection next[2] = {TestConnection(running.port()), TestConnection(running.port())};
  for (auto& connection : killed) connection.reset();
  released.set_value();
  for (auto& connection : next) EXPECT_EQ(connection.Get("/").status, 200);
  running.Stop();
  EXPECT_EQ(running.server().stats().excess_connections, 0u);
  EXPECT_EQ(running.server().stats().peak_per_address, 3);
}

// Sends a request while the loop is stuck in the handler of another, and tells whether its stamp is from
// before the loop was let go.
bool StampedWhileTheLoopWasBusy() {
  SystemClock clock;
  std::promise<void> busy, released;
  MonoTime arrived{};
  Running running([&](const ServerRequest& request) {
    if (request.target == "/busy") {
      busy.set_value();
      released.get_future().wait();
    } else {
      arrived = request.received;
    }
    return Answer{};
  });
  TestConnection first(running.port()), second(running.port());
  EXPECT_EQ(second.Get("/").status, 200);
  first.Send("GET /busy HTTP/1.1\r\nHost: h\r\n\r\n");
  busy.get_future().wait();
  const MonoTime before = clock.Mono();
  second.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const MonoTime after = clock.Mono();
  released.set_value();
  EXPECT_EQ(second.Read().status, 200);
  running.Stop();
  // Two clocks are read one after the other, so a stamp may look older than it is.
  EXPECT_GE(arrived, before - std::chrono::seconds(1));
  return arrived <= after;
}

TEST(Server, TellsWhenARequestArrivedAndNotWhenItGotRoundToIt) {
  // The kernel stamps from a moment after the first socket that asks for it on: try until it does.
  bool stamped = false;
  for (int i = 0; i < 500 && !stamped; ++i) stamped = StampedWhileTheLoopWasBusy();
  EXPECT_TRUE(stamped);
}

TEST(Server, RefusesWhatIsNoRequestAndGoesOn) {
  std::vector<int> refused;
  Running running(
      [](const ServerRequest& request) { return Answer{.body = Shared(request.target)}; },
      {.refused = [&](int status, std::string_view, const std::string&) { refused.push_back(status); }});
  TestConnection patient(running.port());
  EXPECT_EQ(patient.Get("/").status, 200);
  TestConnection smuggler(running.port());
  smuggler.Send(
      "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
      "GET /admin HTTP/1.1\r\nHost: h\r\n\r\n");
  const SeenAnswer answer = smuggler.Read();
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body, "there are a Content-Length and a Transfer-Encoding\n");
  EXPECT_TRUE(smuggler.AtEnd());
  EXPECT_EQ(patient.Get("/").status, 200);
  running.Stop();
  EXPECT_EQ(refused, std::vector<int>{400});
}

TEST(Server, ReadsTheHostAndTheTargetOfAnAbsoluteUrl) {
  Running running(
      [](const ServerRequest& request) { return Answer{.body = Shared(request.host + request.target)}; });
  TestConnection client(running.port());
  EXPECT_EQ(client.Get("/a").body, "test/a");
  EXPECT_EQ(client.Get("http://other:1/b?c").body, "other:1/b?c");
}

TEST(Server, AnswersAnOldClientAndCloses) {
  Running running(Always({.body = Shared("ok")}));
  TestConnection client(running.port());
  client.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.Read().body, "ok");
  EXPECT_TRUE(client.AtEnd());
}

TEST(Server, AsksForTheBodyOfWhoWaitsToBeAsked) {
  Running running([](const ServerRequest& request) { return Answer{.body = Shared(request.body)}; });
  TestConnection client(running.port());
  client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  SeenAnswer answer = client.Read(true);
  EXPECT_EQ(answer.status, 100);
  client.Send("hello");
  EXPECT_EQ(client.Read().body, "hello");
  // Not for a body that is too long.
  client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000000\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.Read().status, 413);
}

TEST(Server, AnswersVeryManyPipelinedRequests) {
  int count = 0;
  Running running([&](const ServerRequest&) { return Answer{.body = Shared(std::to_string(++count))}; });
  TestConnection client(running.port()), other(running.port());
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  client.Send(requests);
  EXPECT_EQ(other.Get("/").status, 200);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(client.Read().status, 200) << i;
}

TEST(Server, CutsOffWhoDoesNotReadItsAnswer) {
  constexpr std::chrono::milliseconds kLimit(100);
  const auto large = Shared(std::string(64 << 20, 'x'));
  Running running(
      [&](const ServerRequest& request) {
        return Answer{.body = request.target == "/large" ? large : nullptr};
      },
      {.write_limit = kLimit});
  TestConnection sleeper(running.port()), reader(running.port());
  sleeper.Send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  const SystemClock clock;
  for (const MonoTime until = clock.Mono() + 3 * kLimit; clock.Mono() < until;)
    EXPECT_EQ(reader.Get("/").status, 200);
  EXPECT_FALSE(sleeper.Read().whole);
}

TEST(Server, HasABoundOnConnectionsOfAllAddresses) {
  Running running(Always({}), {.connections = 2});
  TestConnection first(running.port(), "127.0.0.2"), second(running.port(), "127.0.0.3");
  EXPECT_EQ(first.Get("/").status, 200);
  EXPECT_EQ(second.Get("/").status, 200);
  TestConnection third(running.port(), "127.0.0.4");
  EXPECT_EQ(third.Get("/").status, 200);
  EXPECT_EQ(second.Get("/").status, 200);
  EXPECT_EQ(first.Get("/").status, 0);  // it had been idle for longest
  running.Stop();
  EXPECT_EQ(running.server().stats().peak_open, 2);
}

TEST(Server, SendsAnAnswerThatComesLater) {
  Running* server = nullptr;
  std::uint64_t waiting = 0;
  Running running([&](const ServerRequest& request) {
    if (request.target == "/later") {
      waiting = request.ticket;
      return Answer{.status = 504, .delay = std::chrono::hours(1)};
    }
    server->server().Complete(waiting, Answer{.body = Shared("here")});
    server->server().Complete(waiting, Answer{.body = Shared("twice")});
    return Answer{};
  });
  server = &running;
  TestConnection patient(running.port()), other(running.port());
  patient.Send("GET /later HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(other.Get("/").status, 200);
  EXPECT_EQ(patient.Read().body, "here");
  EXPECT_EQ(patient.Read().status, 200);
}

TEST(Server, SaysWhichRequestsHadComeTogether) {
  std::vector<std::uint64_t> rounds;
  std::promise<void> busy, released;
  Running running([&](const ServerRequest& request) {
    if (request.target == "/busy") {
      busy.set_value();
      released.get_future().wait();
    } else {
      rounds.push_back(request.round);
    }
    return Answer{};
  });
  TestConnection first(running.port()), second(running.port()), third(running.port());
  for (TestConnection* one : {&second, &third}) EXPECT_EQ(one->Get("/").status, 200);
  EXPECT_TRUE(rounds[0] != rounds[1] || rounds[0] == 0);  // 0: of none
  rounds.clear();
  first.Send("GET /busy HTTP/1.1\r\nHost: h\r\n\r\n");
  busy.get_future().wait();
  // Both are there when the loop looks again; the one behind the other may have come later.
  second.Send("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  third.Send("GET /c HTTP/1.1\r\nHost: h\r\n\r\n");
  released.set_value();
  for (TestConnection* one : {&second, &second, &third}) EXPECT_EQ(one->Read().status, 200);
  running.Stop();
  std::ranges::sort(rounds);
  ASSERT_EQ(rounds.size(), 3u);
  EXPECT_EQ(rounds[0], 0u);
  EXPECT_NE(rounds[1], 0u);
  EXPECT_EQ(rounds[1], rounds[2]);
}

TEST(Server, RunsWhatOtherThreadsAskOfTheLoop) {
  Running running(Always({}));
  std::promise<std::thread::id> ran;
  running.server().Post([&] { ran.set_value(std::this_thread::get_id()); });
  EXPECT_NE(ran.get_future().get(), std::this_thread::get_id());
}

TEST(Server, EndsWhatIsUnderWayBeforeItEnds) {
  std::promise<void> asked;
  Running running([&](const ServerRequest&) {
    asked.set_value();
    return Answer{.body = Shared("whole"), .delay = std::chrono::milliseconds(100)};
  });
  TestConnection busy(running.port()), idle(running.port());
  busy.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n");
  asked.get_future().wait();
  running.server().Drain(std::chrono::minutes(1));
  EXPECT_TRUE(idle.AtEnd());
  EXPECT_FALSE(TestConnection(running.port()).connected());
  const SeenAnswer answer = busy.Read();
  EXPECT_EQ(answer.body, "whole");
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(busy.AtEnd());
}

TEST(Server, DoesNotWaitForEverForWhatIsUnderWay) {
  Running running(Always({.delay = std::chrono::hours(1)}));
  TestConnection busy(running.port());
  busy.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  running.server().Drain(std::chrono::milliseconds(20));
  EXPECT_EQ(busy.Read().status, 0);
}

TEST(Server, StopsWithRequestsUnderWay) {
  Running running(Always({.delay = std::chrono::hours(1)}));
  TestConnection client(running.port());
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  running.Stop();
  EXPECT_EQ(client.Read().status, 0);
}

TEST(Server, SaysWhyItCannotListen) {
  SystemClock clock;
  const auto first = Server::Listen({}, clock, Always({}));
  ASSERT_TRUE(first.has_value());
  const auto second = Server::Listen({.port = (*first)->port()}, clock, Always({}));
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kExists);
  const auto nowhere = Server::Listen({.address = "nowhere"}, clock, Always({}));
  ASSERT_FALSE(nowhere.has_value());
  EXPECT_EQ(nowhere.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(nowhere.error().message, "listen on nowhere:0: not an IP address");
  // Of the network that is kept for documents (RFC 5737): no machine's.
  const auto elsewhere = Server::Listen({.address = "192.0.2.1"}, clock, Always({}));
  ASSERT_FALSE(elsewhere.has_value());
  EXPECT_EQ(elsewhere.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(elsewhere.error().message, "listen on 192.0.2.1:0: not an address of this machine");
}

}  // namespace
}  // namespace tmdbc::http
