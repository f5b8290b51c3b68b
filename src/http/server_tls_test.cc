// SPDX-License-Identifier: MIT
// Server over TLS, with certificates made here and OpenSSL's own client.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "http/server.h"
#include "http/server_test_client.h"
#include "http/tls_context.h"

namespace tmdbc::http {
namespace {

class PemFiles {
 public:
  PemFiles() {
    std::string path = (std::filesystem::temp_directory_path() / "server_tls_test.XXXXXX").string();
    folder_ = ::mkdtemp(path.data());
  }
  ~PemFiles() { std::filesystem::remove_all(folder_); }
  std::string certificate() const { return folder_ + "/cert.pem"; }
  std::string key() const { return folder_ + "/key.pem"; }

  // A new pair for `name`, signed by itself; with a passphrase the key is encrypted.
  void Make(const char* name, const char* passphrase = nullptr) const {
    EVP_PKEY* const pair = EVP_EC_gen("P-256");
    X509* const x = X509_new();
    X509_set_version(x, 2);
    static long serial = 0;
    ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_set_pubkey(x, pair);
    X509_sign(x, pair, EVP_sha256());
    Write(certificate(), [x](std::FILE* file) { PEM_write_X509(file, x); });
    Write(key(), [&](std::FILE* file) {
      PEM_write_PKCS8PrivateKey(file, pair, passphrase ? EVP_aes_256_cbc() : nullptr, passphrase,
                                passphrase ? int(std::strlen(passphrase)) : 0, nullptr, nullptr);
    });
    X509_free(x);
    EVP_PKEY_free(pair);
  }

 private:
  template <class Print>
  static void Write(const std::string& path, const Print& print) {
    std::FILE* const file = std::fopen((path + ".new").c_str(), "w");
    print(file);
    std::fclose(file);
    std::filesystem::rename(path + ".new", path);
  }

  std::string folder_;
};

// A blocking client that trusts everybody.
class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port, int most_version = TLS1_3_VERSION)
      : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_, most_version);
    SSL_CTX_set_cipher_list(context_, "DEFAULT@SECLEVEL=0");
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    const timeval patience{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, fd_);
    SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>("\x02h2\x08http/1.1"), 12);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                 SSL_connect(ssl_) == 1;
  }
  ~TlsClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    ::close(fd_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  bool connected() const { return connected_; }
  std::string protocol() const { return SSL_get_version(ssl_); }
  std::string alpn() const {
    const unsigned char* name = nullptr;
    unsigned int length = 0;
    SSL_get0_alpn_selected(ssl_, &name, &length);
    return {reinterpret_cast<const char*>(name), length};
  }
  // The name in the server's certificate.
  std::string server() const {
    char name[100] = "";
    X509* const x = SSL_get1_peer_certificate(ssl_);
    X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name, sizeof name);
    X509_free(x);
    return name;
  }
  // Everything that comes until `bytes` of body have, or the end.
  std::string Get(const std::string& target, std::size_t bytes) {
    const std::string request = "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n";
    SSL_write(ssl_, request.data(), int(request.size()));
    std::string text;
    while (true) {
      const std::size_t head = text.find("\r\n\r\n");
      if (head != std::string::npos && text.size() >= head + 4 + bytes) return text.substr(head + 4);
      char part[16384];
      const int n = SSL_read(ssl_, part, sizeof part);
      if (n <= 0) return "cut off: " + text;
      text.append(part, std::size_t(n));
    }
  }

 private:
  SSL_CTX* context_;
  SSL* ssl_;
  int fd_;
  bool connected_ = false;
};

class ServerTlsTest : public ::testing::Test {
 protected:
  void Run(std::string body, Duration request_limit = std::chrono::seconds(30)) {
    tls = TlsContext::Load(files.certificate(), files.key()).value();
    ServerOptions options;
    options.tls = tls;
    options.request_limit = request_limit;
    const auto shared = std::make_shared<const std::string>(std::move(body));
    server = Server::Listen(options, clock, [shared](const ServerRequest&) {
               return Answer{.body = shared};
             }).value();
    thread = std::thread([this] { server->Run(); });
  }
  void SetUp() override { files.Make("first"); }
  void TearDown() override {
    if (!thread.joinable()) return;
    server->Stop();
    thread.join();
  }

  PemFiles files;
  SystemClock clock;
  std::shared_ptr<TlsContext> tls;
  std::unique_ptr<Server> server;
  std::thread thread;
};

TEST_F(ServerTlsTest, AnswersManyRequestsOfAConnection) {
  Run("hello");
  TlsClient client(server->port());
  ASSERT_TRUE(client.connected());
  EXPECT_EQ(client.server(), "first");
  EXPECT_EQ(client.alpn(), "http/1.1");
  for (int i = 0; i < 100; ++i) ASSERT_EQ(client.Get("/", 5), "hello");
}

TEST_F(ServerTlsTest, SendsAnAnswerOfManyRecords) {
  std::string large(8 << 20, ' ');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = char('a' + i % 23);
  Run(large);
  TlsClient client(server->port());
  EXPECT_EQ(client.Get("/", large.size()), large);
  EXPECT_EQ(client.Get("/", large.size()), large);
}

TEST_F(ServerTlsTest, SpeaksNoOldVersion) {
  Run("hello");
  EXPECT_FALSE(TlsClient(server->port(), TLS1_1_VERSION).connected());
  TlsClient older(server->port(), TLS1_2_VERSION);
  EXPECT_EQ(older.protocol(), "TLSv1.2");
  EXPECT_EQ(older.Get("/", 5), "hello");
  EXPECT_EQ(TlsClient(server->port()).protocol(), "TLSv1.3");
}

TEST_F(ServerTlsTest, TellsWhoForgotTheS) {
  Run("hello");
  TestConnection plain(server->port());
  const SeenAnswer answer = plain.Get("/");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body, "this port speaks TLS: https\n");
  EXPECT_EQ(TlsClient(server->port()).Get("/", 5), "hello");
}

TEST_F(ServerTlsTest, WaitsForNoHandshakeForEver) {
  Run("hello", std::chrono::milliseconds(50));
  TestConnection silent(server->port()), half(server->port());
  half.Send(std::string("\x16\x03\x01\x02\x00\x01", 6));
  EXPECT_EQ(silent.Read().status, 0);
  EXPECT_EQ(half.Read().status, 0);
}

TEST_F(ServerTlsTest, TakesANewCertificateAndKeepsItWhenTheNextIsBroken) {
  Run("hello");
  TlsClient before(server->port());
  const auto reload = [&] {
    std::promise<Result<bool>> done;
    server->Post([&] { done.set_value(tls->ReloadIfChanged()); });
    return done.get_future().get();
  };
  EXPECT_FALSE(reload().value());
  files.Make("second");
  EXPECT_TRUE(reload().value());
  EXPECT_EQ(TlsClient(server->port()).server(), "second");
  EXPECT_EQ(before.Get("/", 5), "hello");
  std::ofstream(files.certificate()) << "nonsense";
  EXPECT_FALSE(reload().has_value());
  EXPECT_EQ(TlsClient(server->port()).server(), "second");
}

TEST_F(ServerTlsTest, SaysWhatIsWrongWithTheFiles) {
  const auto message = [](const std::string& certificate, const std::string& key) {
    const auto loaded = TlsContext::Load(certificate, key);
    return loaded ? "" : loaded.error().message;
  };
  EXPECT_EQ(message("/nowhere/c.pem", files.key()),
            "read the certificate /nowhere/c.pem: No such file or directory");
  EXPECT_EQ(message(files.certificate(), files.certificate()),
            "read the key " + files.certificate() + ": it holds none in PEM form");
  EXPECT_EQ(message(files.key(), files.key()), "read the certificate " + files.key() + ": it holds none in PEM form");
  // OpenSSL would wait at a pipe.
  const std::string pipe = files.key() + ".pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(message(files.certificate(), pipe), "read the key " + pipe + ": it is not a regular file");
  EXPECT_EQ(message(pipe, files.key()), "read the certificate " + pipe + ": it is not a regular file");
  EXPECT_EQ(message("/dev", files.key()), "read the certificate /dev: it is not a regular file");
  const PemFiles locked;
  locked.Make("locked", "a passphrase");
  EXPECT_EQ(message(locked.certificate(), locked.key()),
            "read the key " + locked.key() + ": it is encrypted: store it without a passphrase");
  const PemFiles others;
  others.Make("other");
  EXPECT_EQ(message(files.certificate(), others.key()),
            "the key " + others.key() + " is not that of the certificate " + files.certificate());
}

}  // namespace
}  // namespace tmdbc::http
