// SPDX-License-Identifier: MIT
// CurlTransfer: one request after the other on one of libcurl's easy handles, and all that libcurl calls back on
// its behalf. A part of CurlTransport (curl_transport.cc), which gives it to libcurl's multi interface and takes
// it back. One thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/connection_places.h"
#include "http/curl_library.h"
#include "http/curl_transport.h"
#include "http/http.h"

namespace tmdbc::http {

class CurlTransfer {
 public:
  // All outlive the transfer.
  CurlTransfer(const CurlLibrary& curl, const CurlOptions& options, ConnectionPlaces& places);
  ~CurlTransfer();
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  // A new request; the one before is finished.
  void Begin(RequestId id, Request request, std::function<void()> on_send, MonoTime now);
  // Makes the handle ready to be performed, now or once more when it was given no socket. `keep_idle`: no
  // connection that has been idle for longer is used; 0: none at all, and this one is not kept.
  void Prepare(MonoTime now, std::chrono::seconds keep_idle);
  // Why it ended, when that was our decision.
  void End(TransportFailure why, std::string text);
  // The handle is done, as libcurl says with `code`.
  Outcome Finish(CURLcode code, MonoTime now);

  CURL* easy() const { return easy_; }
  RequestId id() const { return id_; }
  MonoTime deadline() const { return started_ + request_.timeout; }
  // All of it is on the wire, and nothing of its answer has come.
  bool awaits_answer() const { return sent_ && header_bytes_ == 0 && uploaded_ == request_.upload.size(); }
  // It ended because there was no place for its connection: it may be prepared again.
  bool lacks_place(CURLcode code) const { return code == CURLE_COULDNT_CONNECT && no_place_ && !sent_; }

 private:
  // What libcurl calls.
  static curl_socket_t OnOpenSocket(void* self, curlsocktype, curl_sockaddr* address) noexcept;
  static int OnCloseSocket(void* places, curl_socket_t fd) noexcept;
  static int OnSend(void* self, char*, char*, int, int) noexcept;
  static std::size_t OnUpload(char* room, std::size_t, std::size_t size, void* self) noexcept;
  static std::size_t OnHeader(char* line, std::size_t, std::size_t size, void* self) noexcept;
  static std::size_t OnBody(char* bytes, std::size_t, std::size_t size, void* self) noexcept;

  template <class T>
  void Set(CURLoption option, T value) {
    static_assert(std::is_same_v<T, long> || std::is_pointer_v<T>,
                  "libcurl reads its options as variadic arguments");
    curl_.easy_setopt(easy_, option, value);
  }
  template <class T>
  T Info(CURLINFO what) const {
    T value{};
    curl_.easy_getinfo(easy_, what, &value);
    return value;
  }
  void SetOnce();
  void SetUrl();
  void SetMethod();
  void SetHeaders();
  void SetProxy();
  bool Ended(TransportFailure why, std::string text) {
    End(why, std::move(text));
    return false;
  }
  bool MayConnectAgain();
  void BeginBody();
  bool TakeHeader(std::string_view line);
  bool TakeBody(std::string_view bytes);
  TransportFailure FailureOf(CURLcode code) const;
  void Describe(CURLcode code, Outcome& outcome) const;

  // Constant after construction.
  const CurlLibrary& curl_;
  const CurlOptions& options_;
  ConnectionPlaces& places_;
  CURL* const easy_;
  char error_[CURL_ERROR_SIZE] = {};

  // How the handle is set, kept from request to request.
  Method set_method_ = Method::kGet;
  std::vector<Header> set_headers_;
  curl_slist* header_list_ = nullptr;
  bool set_upload_ = false;
  std::string set_proxy_;
  std::string set_origin_;  // "https://api.themoviedb.org"; empty: the whole url is set
  long set_keep_idle_ = -1;
  bool set_fresh_ = false;

  // The request under way.
  RequestId id_ = 0;
  Request request_;
  std::function<void()> on_send_;
  MonoTime started_{};
  Response response_;
  std::uint64_t header_bytes_ = 0, body_bytes_ = 0, uploaded_ = 0;
  bool sent_ = false;    // on the wire
  bool reused_ = false;  // on a connection that had carried another
  bool body_began_ = false;
  bool to_sink_ = false;
  bool no_place_ = false;
  int no_socket_ = 0;  // why the system gave none, errno
  std::optional<TransportFailure> verdict_;
  std::string verdict_text_;
};

}  // namespace tmdbc::http
