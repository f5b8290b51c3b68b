// SPDX-License-Identifier: MIT
#include "http/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509err.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/text_file.h"

namespace tmdbc::http {
namespace {

std::string WhatOpenSslSays() {
  std::array<char, 256> text{};
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  if (const char* reason = ERR_reason_error_string(code)) return reason;
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

// OpenSSL waits at a pipe, asks for a passphrase at the terminal, and has "PEM lib" and "system lib" for the rest.
Result<void> CheckPem(const char* what, const std::string& path, std::string_view block) {
  constexpr std::size_t kMostBytes = 1 << 20;
  const auto refuse = [&](const char* why) { return Fail(ErrorCode::kInvalid, "read the {} {}: {}", what, path, why); };
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0 || ::access(path.c_str(), R_OK) != 0) return refuse(std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return refuse("it is not a regular file");
  TRY_ASSIGN(const std::string text, ReadTextFile(path, kMostBytes));
  if (!text.contains(block)) return refuse("it holds none in PEM form");
  if (text.contains("ENCRYPTED")) return refuse("it is encrypted: store it without a passphrase");
  return {};
}

int ChooseHttp11(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered,
                 unsigned int offered_length, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* match = nullptr;
  if (SSL_select_next_proto(&match, length, kHttp11, sizeof kHttp11 - 1, offered, offered_length) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *chosen = match;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

TlsContext::TlsContext(std::string certificate_path, std::string key_path)
    : certificate_path_(std::move(certificate_path)), key_path_(std::move(key_path)) {}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

Result<std::shared_ptr<TlsContext>> TlsContext::Load(std::string certificate_path, std::string key_path) {
  std::shared_ptr<TlsContext> made(new TlsContext(std::move(certificate_path), std::move(key_path)));
  made->stamp_ = made->Stamp();
  TRY_ASSIGN(made->context_, made->Make());
  return made;
}

Result<SSL_CTX*> TlsContext::Make() const {
  ERR_clear_error();
  const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return Fail(ErrorCode::kInternal, "make a TLS context: {}", WhatOpenSslSays());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);  // tickets do it without memory
  SSL_CTX_set_alpn_select_cb(context.get(), ChooseHttp11, nullptr);
  TRY(CheckPem("certificate", certificate_path_, "CERTIFICATE-----"));
  TRY(CheckPem("key", key_path_, "PRIVATE KEY-----"));
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_path_.c_str()) != 1)
    return Fail(ErrorCode::kInvalid, "read the certificate {}: {}", certificate_path_, WhatOpenSslSays());
  const auto not_its_key = [this] {
    return Fail(ErrorCode::kInvalid, "the key {} is not that of the certificate {}", key_path_,
                certificate_path_);
  };
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_path_.c_str(), SSL_FILETYPE_PEM) != 1) {
    if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH) return not_its_key();
    return Fail(ErrorCode::kInvalid, "read the key {}: {}", key_path_, WhatOpenSslSays());
  }
  if (SSL_CTX_check_private_key(context.get()) != 1) return not_its_key();
  SSL_CTX_up_ref(context.get());
  return context.get();
}

std::string TlsContext::Stamp() const {
  std::string stamp;
  for (const std::string& path : {certificate_path_, key_path_}) {
    struct stat file{};
    if (::stat(path.c_str(), &file) != 0) continue;
    stamp += std::to_string(file.st_ino) + ' ' + std::to_string(file.st_size) + ' ' +
             std::to_string(file.st_mtim.tv_sec) + ' ' + std::to_string(file.st_mtim.tv_nsec) + ' ';
  }
  return stamp;
}

Result<bool> TlsContext::ReloadIfChanged() {
  std::string stamp = Stamp();
  if (stamp == stamp_) return false;
  // A pair with one new half fails, and is tried again when the other has come: its stamp is another then.
  stamp_ = std::move(stamp);
  TRY_ASSIGN(SSL_CTX* const fresh, Make());
  SSL_CTX_free(std::exchange(context_, fresh));
  return true;
}

SSL* TlsContext::Open(int socket) const {
  SSL* const connection = SSL_new(context_);
  if (connection == nullptr || SSL_set_fd(connection, socket) != 1) {
    SSL_free(connection);
    return nullptr;
  }
  SSL_set_accept_state(connection);
  return connection;
}

}  // namespace tmdbc::http
