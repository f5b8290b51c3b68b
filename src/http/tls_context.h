// SPDX-License-Identifier: MIT
// TlsContext: a server's certificate and key (PEM files), and the rules of its TLS: 1.2 or later, HTTP/1.1 by ALPN.
// Connections keep what was in force when they opened. One thread, but for Reload() of a context that no loop runs on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;

namespace tmdbc::http {

class TlsContext {
 public:
  // kInvalid with a sentence: a file that is not there or holds something else, a key of another certificate.
  static Result<std::shared_ptr<TlsContext>> Load(std::string certificate_path, std::string key_path);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // Takes the files again when they have changed: true when it did. After an error the old ones stay in force.
  Result<bool> ReloadIfChanged();

  // A connection over an open socket; SSL_free() is the caller's. Null when there is no memory.
  SSL* Open(int socket) const;

 private:
  TlsContext(std::string certificate_path, std::string key_path);
  Result<SSL_CTX*> Make() const;
  // Of both files: size, time and inode.
  std::string Stamp() const;

  const std::string certificate_path_, key_path_;
  std::string stamp_;
  SSL_CTX* context_ = nullptr;
};

}  // namespace tmdbc::http
