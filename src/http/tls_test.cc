// SPDX-License-Identifier: MIT
// CurlTransport against a TLS server with certificates made here: which of them it believes, and what it
// says of the others.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "http/curl_transport.h"

namespace tmdbc::http {
namespace {

using namespace std::chrono_literals;

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<&EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<&X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Freer<&SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Freer<&SSL_free>>;

Key MakeKey() {
  return Key(EVP_EC_gen("P-256"));
}

void AddExtension(X509* certificate, int nid, const char* value) {
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// For `subject_key`, signed with `issuer_key`; valid from an hour before now to `days` after it.
Certificate MakeCertificate(const char* subject, EVP_PKEY* subject_key, const char* issuer,
                            EVP_PKEY* issuer_key, const char* alternative_name, int days) {
  Certificate certificate(X509_new());
  X509* const x = certificate.get();
  X509_set_version(x, 2);
  static long serial = 0;
  ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(x), days > 0 ? -3600 : -86400L * 30);
  X509_gmtime_adj(X509_getm_notAfter(x), 86400L * days);
  const auto set_name = [](X509_NAME* name, const char* text) {
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text), -1,
                               -1, 0);
  };
  set_name(X509_get_subject_name(x), subject);
  set_name(X509_get_issuer_name(x), issuer);
  X509_set_pubkey(x, subject_key);
  if (alternative_name != nullptr) {
    AddExtension(x, NID_subject_alt_name, alternative_name);
  } else {
    AddExtension(x, NID_basic_constraints, "critical,CA:TRUE");
    AddExtension(x, NID_key_usage, "critical,keyCertSign,cRLSign");
  }
  X509_sign(x, issuer_key, EVP_sha256());
  return certificate;
}

// Answers one request a connection with "hello".
class TlsServer {
 public:
  TlsServer(X509* certificate, EVP_PKEY* key) : context_(SSL_CTX_new(TLS_server_method())) {
    SSL_CTX_use_certificate(context_.get(), certificate);
    SSL_CTX_use_PrivateKey(context_.get(), key);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(listener_, plain, length) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, plain, &length) != 0) {
      std::abort();
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { Serve(); });
  }
  ~TlsServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  std::string url() const { return fmt::format("https://127.0.0.1:{}", port_); }

 private:
  void Serve() {
    sigset_t pipe;  // a client that has gone is no reason to end
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0; ::close(fd)) {
      const Session session(SSL_new(context_.get()));
      SSL_set_fd(session.get(), fd);
      if (SSL_accept(session.get()) != 1) continue;
      std::string head;
      char buffer[1024];
      for (int n;
           head.find("\r\n\r\n") == head.npos && (n = SSL_read(session.get(), buffer, sizeof buffer)) > 0;)
        head.append(buffer, static_cast<std::size_t>(n));
      constexpr char kAnswer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
      SSL_write(session.get(), kAnswer, sizeof kAnswer - 1);
      SSL_shutdown(session.get());
    }
  }

  const Context context_;
  int listener_ = -1;
  int port_ = 0;
  std::jthread thread_;
};

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    std::FILE* const file = std::fopen(ca_file_.c_str(), "w");
    PEM_write_X509(file, ca_.get());
    std::fclose(file);
  }
  ~TlsTest() override { std::remove(ca_file_.c_str()); }

  // What a GET brings from a server whose certificate our CA has signed.
  Outcome Get(const char* alternative_name, int days, std::string trusted) {
    return Get(alternative_name, days,
               CurlOptions{.ca_file = std::move(trusted), .ca_folder = "", .proxies = {}});
  }
  Outcome Get(const char* alternative_name, int days, CurlOptions options) {
    const Certificate certificate = MakeCertificate("the server", server_key_.get(), "the test's CA",
                                                    ca_key_.get(), alternative_name, days);
    const TlsServer server(certificate.get(), server_key_.get());
    const auto transport = *CurlTransport::Create(clock_, std::move(options));
    Request request;
    request.url = server.url() + "/3/movie/550";
    transport->Start(std::move(request), [this] { ++sends_; });
    for (;;) {
      auto outcomes = transport->Wait(clock_.Mono() + 1min);
      if (!outcomes.empty()) return std::move(outcomes[0]);
    }
  }

  void ExpectRefused(const Outcome& outcome, std::string_view why) {
    EXPECT_EQ(outcome.failure, TransportFailure::kUntrusted);
    EXPECT_EQ(outcome.failure_hint, Hint::kCertificate);
    EXPECT_TRUE(outcome.failure_text.starts_with("connect to 127.0.0.1:")) << outcome.failure_text;
    EXPECT_NE(outcome.failure_text.find(why), std::string::npos) << outcome.failure_text;
    EXPECT_EQ(sends_, 0) << "nothing may be sent to a server that nobody vouches for: the key is in it";
  }

  const SystemClock clock_;
  const Key ca_key_ = MakeKey(), server_key_ = MakeKey();
  const Certificate ca_ =
      MakeCertificate("the test's CA", ca_key_.get(), "the test's CA", ca_key_.get(), nullptr, 1);
  const std::string ca_file_ = fmt::format("{}tmdbc-ca-{}.pem", ::testing::TempDir(), ::getpid());
  int sends_ = 0;
};

TEST_F(TlsTest, BelievesACertificateOfATrustedCaForThatHost) {
  const Outcome outcome = Get("IP:127.0.0.1", 1, ca_file_);
  ASSERT_TRUE(outcome.response) << outcome.failure_text;
  EXPECT_EQ(outcome.response->body, "hello");
  EXPECT_EQ(sends_, 1);
}

TEST_F(TlsTest, RefusesACertificateOfAnotherHost) {
  ExpectRefused(Get("DNS:api.themoviedb.org,IP:127.0.0.2", 1, ca_file_), "matches target host name");
}

TEST_F(TlsTest, RefusesACertificateThatHasExpired) {
  ExpectRefused(Get("IP:127.0.0.1", -1, ca_file_), "certificate has expired");
}

TEST_F(TlsTest, RefusesACertificateOfAnUnknownCa) {
  ExpectRefused(Get("IP:127.0.0.1", 1, ""), "unable to get local issuer certificate");
}

TEST_F(TlsTest, SaysWhichCaFileCannotBeRead) {
  ExpectRefused(Get("IP:127.0.0.1", 1, "/no/such/ca.pem"), "/no/such/ca.pem");
}

TEST_F(TlsTest, WaitsAtNoPipeForAuthorities) {
  const std::string pipe = fmt::format("{}tmdbc-ca-pipe-{}", ::testing::TempDir(), ::getpid());
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const SystemClock clock;
  const auto made = CurlTransport::Create(clock, CurlOptions{.ca_file = pipe, .ca_folder = "", .proxies = {}});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message, "read the certificates of authorities " + pipe + ": it is a pipe, not a file");
  std::filesystem::remove(pipe);
}

TEST_F(TlsTest, BelievesTheAuthoritiesThatTheEnvironmentNames) {
  ::setenv("SSL_CERT_FILE", ca_file_.c_str(), 1);
  const CurlOptions by_file = CurlOptions::FromEnvironment();
  ::unsetenv("SSL_CERT_FILE");
  EXPECT_TRUE(Get("IP:127.0.0.1", 1, by_file).response);

  const std::string folder = fmt::format("{}tmdbc-cas-{}", ::testing::TempDir(), ::getpid());
  std::filesystem::create_directory(folder);
  std::filesystem::copy_file(ca_file_, fmt::format("{}/{:08x}.0", folder, X509_subject_name_hash(ca_.get())));
  ::setenv("SSL_CERT_DIR", folder.c_str(), 1);
  const CurlOptions by_folder = CurlOptions::FromEnvironment();
  ::unsetenv("SSL_CERT_DIR");
  EXPECT_TRUE(Get("IP:127.0.0.1", 1, by_folder).response);
  std::filesystem::remove_all(folder);
}

TEST_F(TlsTest, TakesAServerThatSpeaksNoTlsForOneThatCannotBeReached) {
  // A listener that hangs up at once.
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  std::jthread server([listener] {
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    constexpr char kPlain[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    (void)!::write(fd, kPlain, sizeof kPlain - 1);
    ::close(fd);
  });
  const auto transport =
      *CurlTransport::Create(clock_, {.ca_file = ca_file_, .ca_folder = "", .proxies = {}});
  Request request;
  request.url = fmt::format("https://127.0.0.1:{}/3/movie/550", ntohs(address.sin_port));
  transport->Start(std::move(request), [this] { ++sends_; });
  std::vector<Outcome> outcomes;
  while (outcomes.empty()) outcomes = transport->Wait(clock_.Mono() + 1min);
  EXPECT_EQ(outcomes[0].failure, TransportFailure::kConnect) << outcomes[0].failure_text;
  EXPECT_EQ(sends_, 0);
  server.join();
  ::close(listener);
}

}  // namespace
}  // namespace tmdbc::http
