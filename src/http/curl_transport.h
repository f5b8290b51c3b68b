// SPDX-License-Identifier: MIT
// CurlTransport: HttpTransport over libcurl's multi interface, HTTP/1.1 with connections kept alive, over TLS
// or plain.
//
// Two promises that libcurl does not make by itself:
//
// A peer never sees more than max_connections connections at once, both hosts of TMDB counted together
// (connection_places.h). The gate is where sockets are made: a request for which there is no place waits
// inside (kReset and the others never come from that).
//
// A request goes on the wire at most once. libcurl would silently send it again when a reused connection
// breaks before the first byte of the answer; the rate limiter would not know, and the server may well have
// counted the first. Here that is kReset with Outcome::stale_connection, and the caller decides. After a few
// of these, idle connections are used for less long (keep_alive.h).
//
// Why HTTP/1.1 only, and why libcurl is loaded late: docs/decisions/http-client.md.
//
// One thread, except Wake(). The callbacks of a request (on_send, sink, pull) must not call the transport.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/http.h"
#include "http/proxy.h"

namespace tmdbc::http {

struct CurlOptions {
  int max_connections = 20;
  std::chrono::milliseconds connect_timeout{10'000};
  // A transfer that brings less than 1 B/s for so long is given up (kTimeout).
  std::chrono::seconds stall_timeout{20};
  // The authorities whose certificates are trusted: one PEM file, and a folder of them under the names of
  // their hashes (openssl rehash). Empty: the system's.
  std::string ca_file, ca_folder;
  ProxySettings proxies;

  // What the environment says: SSL_CERT_FILE, SSL_CERT_DIR and the variables of proxy.h.
  static CurlOptions FromEnvironment();
};

class CurlTransport : public HttpTransport {
 public:
  // `clock` outlives the transport and is a real one: sockets know no other. Loads libcurl: kUnavailable when
  // it is not there. The end of the transport ends what is in flight, without outcomes.
  static Result<std::unique_ptr<CurlTransport>> Create(const Clock& clock,
                                                       CurlOptions options = CurlOptions::FromEnvironment());

  // What HttpTransport leaves open. Start() adds "Accept-Encoding: gzip" unless the request has an
  // Accept-Encoding; the body stays as it came. Redirects are not followed: a 3xx is a response. Wait() also
  // returns, maybe with nothing, when a signal came, when Room() rose from 0, and now and then for no reason.

  // When the next request may go, where a deadline of just then means that one is to follow: a caller that waits for
  // that does not mind whether an answer is handed over at once or then. Empty: every answer is handed over at once.
  std::function<MonoTime()> next_slot;

  // Makes a Wait() under way, or else the next one, return at once. Any thread.
  virtual void Wake() = 0;
};

}  // namespace tmdbc::http
