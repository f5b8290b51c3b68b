// SPDX-License-Identifier: MIT
#include "http/curl_transfer.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "http/proxy.h"

namespace tmdbc::http {
namespace {

namespace chrono = std::chrono;

// TMDB sends about 1.5 KB of headers.
constexpr std::size_t kMaxHeaderBytes = 64 << 10;
// TMDB sends some 20.
constexpr std::size_t kUsualHeaders = 24;
// A Content-Length is believed so far when room is made for the body; beyond, the body grows as it comes.
constexpr std::uint64_t kMaxReserve = 8 << 20;
constexpr long kReceiveBuffer = 64 << 10;
constexpr long kProxyWantsLogin = 407;  // only a proxy answers so (RFC 9110 section 15.5.8)
constexpr std::string_view kBroke = "the connection broke before the answer began";

// "api.themoviedb.org", "127.0.0.1:8080": for errors.
std::string_view HostOf(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const auto user = url.rfind('@'); user != std::string_view::npos) url.remove_prefix(user + 1);
  return url;
}

// What may stand in a request target as it is; the rest libcurl encodes or refuses.
bool IsOfTarget(char byte) {
  return byte > ' ' && byte < '\x7f' && byte != '#';
}

bool IsAboutTrust(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
         code == CURLE_SSL_ISSUER_ERROR;
}

}  // namespace

CurlTransfer::CurlTransfer(const CurlLibrary& curl, const CurlOptions& options, ConnectionPlaces& places)
    : curl_(curl), options_(options), places_(places), easy_(curl.easy_init()) {
  if (!easy_) throw std::bad_alloc();
  SetOnce();
}

CurlTransfer::~CurlTransfer() {
  curl_.easy_cleanup(easy_);
  curl_.slist_free_all(header_list_);
}

void CurlTransfer::SetOnce() {
  void* const self = this;
  Set(CURLOPT_PRIVATE, self);
  Set(CURLOPT_ERRORBUFFER, &error_[0]);
  Set(CURLOPT_NOSIGNAL, 1L);
  // A request that is given up while its name is still being resolved does not wait for the resolver's
  // thread.
  Set(CURLOPT_QUICK_EXIT, 1L);
  Set(CURLOPT_HTTP_VERSION, long(CURL_HTTP_VERSION_1_1));
  Set(CURLOPT_PROTOCOLS_STR, "http,https");
  Set(CURLOPT_PATH_AS_IS, 1L);
  Set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  Set(CURLOPT_TCP_NODELAY, 1L);
  Set(CURLOPT_BUFFERSIZE, kReceiveBuffer);
  Set(CURLOPT_CONNECTTIMEOUT_MS, long(options_.connect_timeout.count()));
  if (!options_.ca_file.empty()) Set(CURLOPT_CAINFO, options_.ca_file.c_str());
  if (!options_.ca_folder.empty()) Set(CURLOPT_CAPATH, options_.ca_folder.c_str());
  // Which proxy is ours to say (proxy.h).
  Set(CURLOPT_PROXY, "");
  Set(CURLOPT_NOPROXY, "");
  Set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  Set(CURLOPT_LOW_SPEED_TIME, long(options_.stall_timeout.count()));
  Set(CURLOPT_OPENSOCKETFUNCTION, &CurlTransfer::OnOpenSocket);
  Set(CURLOPT_OPENSOCKETDATA, self);
  // A connection outlives the transfer that opened it.
  Set(CURLOPT_CLOSESOCKETFUNCTION, &CurlTransfer::OnCloseSocket);
  Set(CURLOPT_CLOSESOCKETDATA, static_cast<void*>(&places_));
  Set(CURLOPT_PREREQFUNCTION, &CurlTransfer::OnSend);
  Set(CURLOPT_PREREQDATA, self);
  Set(CURLOPT_READFUNCTION, &CurlTransfer::OnUpload);
  Set(CURLOPT_READDATA, self);
  Set(CURLOPT_HEADERFUNCTION, &CurlTransfer::OnHeader);
  Set(CURLOPT_HEADERDATA, self);
  Set(CURLOPT_WRITEFUNCTION, &CurlTransfer::OnBody);
  Set(CURLOPT_WRITEDATA, self);
}

void CurlTransfer::Begin(RequestId id, Request request, std::function<void()> on_send, MonoTime now) {
  id_ = id;
  request_ = std::move(request);
  on_send_ = std::move(on_send);
  started_ = now;
  response_ = Response();
  header_bytes_ = body_bytes_ = uploaded_ = 0;
  sent_ = reused_ = body_began_ = to_sink_ = no_place_ = false;
  no_socket_ = 0;
  verdict_.reset();
}

void CurlTransfer::Prepare(MonoTime now, std::chrono::seconds keep_idle) {
  SetMethod();
  SetHeaders();
  SetProxy();
  SetUrl();
  if (const long seconds = keep_idle.count(); seconds != set_keep_idle_) {
    Set(CURLOPT_MAXAGE_CONN, seconds);
    Set(CURLOPT_FORBID_REUSE, long(seconds == 0));
    set_keep_idle_ = seconds;
  }
  if (const bool fresh = request_.fresh_connection || keep_idle.count() == 0; fresh != set_fresh_) {
    Set(CURLOPT_FRESH_CONNECT, long(fresh));
    set_fresh_ = fresh;
  }
  const auto left = chrono::ceil<chrono::milliseconds>(deadline() - now);
  Set(CURLOPT_TIMEOUT_MS, long(std::max<std::int64_t>(left.count(), 1)));
  error_[0] = '\0';
  no_place_ = false;
}

// libcurl copies a url's query again and again, and once byte by byte: slow for one that names all languages of videos
// (docs/decisions/http-client.md). A request target it takes as it is. Through a proxy it makes the target itself.
void CurlTransfer::SetUrl() {
  std::string url = request_.url;
  if (!request_.secret_query.empty()) {
    url += url.find('?') == std::string::npos ? '?' : '&';
    url += request_.secret_query;
  }
  const std::size_t scheme = url.find("://");
  const std::size_t target = scheme == std::string::npos ? url.size() : std::min(url.find('/', scheme + 3), url.size());
  if (!set_proxy_.empty() || target == url.size() || !std::ranges::all_of(url, IsOfTarget)) {
    Set(CURLOPT_URL, url.c_str());
    Set(CURLOPT_REQUEST_TARGET, static_cast<const char*>(nullptr));
    set_origin_.clear();
    return;
  }
  Set(CURLOPT_REQUEST_TARGET, url.c_str() + target);
  url.resize(target);
  if (url == set_origin_) return;
  set_origin_ = std::move(url);
  Set(CURLOPT_URL, set_origin_.c_str());
}

void CurlTransfer::SetMethod() {
  const Method method = request_.method;
  const bool uploads = method == Method::kPut || method == Method::kPost;
  if (method != set_method_) {
    set_method_ = method;
    Set(CURLOPT_HTTPGET, 1L);  // undoes the others
    if (uploads) Set(CURLOPT_UPLOAD, 1L);
    if (method == Method::kHead) Set(CURLOPT_NOBODY, 1L);
    const bool named = uploads || method == Method::kDelete;
    Set(CURLOPT_CUSTOMREQUEST, named ? NameOf(method).data() : nullptr);
  }
  if (uploads) Set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.upload.size()));
}

void CurlTransfer::SetHeaders() {
  const auto& headers = request_.headers;
  const bool uploads = request_.method == Method::kPut || request_.method == Method::kPost;
  if (header_list_ && headers == set_headers_ && uploads == set_upload_) return;
  curl_.slist_free_all(std::exchange(header_list_, nullptr));
  const auto append = [&](const std::string& line) {
    curl_slist* const longer = curl_.slist_append(header_list_, line.c_str());
    if (!longer) throw std::bad_alloc();
    header_list_ = longer;
  };
  bool accepts = false;
  for (const auto& [name, value] : headers) {
    // A header without a value is written so; with a colon libcurl would leave it out.
    append(value.empty() ? fmt::format("{};", name) : fmt::format("{}: {}", name, value));
    accepts |= name == "Accept-Encoding" || name == "accept-encoding";
  }
  if (!accepts) append("Accept-Encoding: gzip");
  if (uploads) append("Expect:");  // no "100-continue": it costs a round trip
  set_headers_ = headers;
  set_upload_ = uploads;
  Set(CURLOPT_HTTPHEADER, header_list_);
}

void CurlTransfer::SetProxy() {
  std::string proxy = options_.proxies.For(request_.url);
  if (proxy == set_proxy_) return;
  set_proxy_ = std::move(proxy);
  Set(CURLOPT_PROXY, set_proxy_.c_str());
}

void CurlTransfer::End(TransportFailure why, std::string text) {
  verdict_ = why;
  verdict_text_ = std::move(text);
}

// libcurl sends a request again by itself when a reused connection breaks before the first byte of its
// answer. The rate limiter would not know of it, and the server may well have counted the first.
bool CurlTransfer::MayConnectAgain() {
  return !sent_ || Ended(TransportFailure::kReset, std::string(kBroke));
}

curl_socket_t CurlTransfer::OnOpenSocket(void* data, curlsocktype, curl_sockaddr* address) noexcept {
  auto& self = *static_cast<CurlTransfer*>(data);
  if (!self.MayConnectAgain()) return CURL_SOCKET_BAD;
  if (!self.places_.HasFree()) {
    self.no_place_ = true;
    return CURL_SOCKET_BAD;
  }
  const int fd = self.places_.Open(address->family, address->socktype, address->protocol);
  if (fd < 0) self.no_socket_ = errno;
  return fd >= 0 ? fd : CURL_SOCKET_BAD;
}

int CurlTransfer::OnCloseSocket(void* places, curl_socket_t fd) noexcept {
  static_cast<ConnectionPlaces*>(places)->Close(fd);
  return 0;
}

int CurlTransfer::OnSend(void* data, char*, char*, int, int) noexcept {
  auto& self = *static_cast<CurlTransfer*>(data);
  if (!self.MayConnectAgain()) return CURL_PREREQFUNC_ABORT;
  self.sent_ = true;
  self.reused_ = self.Info<long>(CURLINFO_NUM_CONNECTS) == 0;
  if (self.on_send_) self.on_send_();
  return CURL_PREREQFUNC_OK;
}

std::size_t CurlTransfer::OnUpload(char* room, std::size_t, std::size_t size, void* data) noexcept {
  auto& self = *static_cast<CurlTransfer*>(data);
  const Upload& upload = self.request_.upload;
  const std::size_t wanted = std::min<std::uint64_t>(size, upload.size() - self.uploaded_);
  std::size_t given = wanted;
  if (upload.pull) {
    given = wanted == 0 ? 0 : std::min(upload.pull({room, wanted}), wanted);
    if (given == 0 && wanted > 0) {
      self.End(TransportFailure::kAborted, "its sender had nothing more to send");
      return CURL_READFUNC_ABORT;
    }
  } else {
    std::memcpy(room, upload.bytes.data() + self.uploaded_, wanted);
  }
  self.uploaded_ += given;
  return given;
}

std::size_t CurlTransfer::OnHeader(char* line, std::size_t, std::size_t size, void* data) noexcept {
  return static_cast<CurlTransfer*>(data)->TakeHeader(std::string_view(line, size)) ? size : 0;
}

bool CurlTransfer::TakeHeader(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kMaxHeaderBytes) {
    return Ended(TransportFailure::kReset,
                 fmt::format("the answer has more than {} bytes of headers", kMaxHeaderBytes));
  }
  if (body_began_) return true;  // a trailer
  auto& headers = response_.headers;
  if (line.starts_with("HTTP/")) {
    headers.clear();  // those before belonged to a 1xx
    return true;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return true;  // the empty line at the end
  if (headers.empty()) headers.reserve(kUsualHeaders);
  std::string_view value = line.substr(colon + 1);
  const auto first = value.find_first_not_of(" \t\r\n");
  value = first == std::string_view::npos
              ? ""
              : value.substr(first, value.find_last_not_of(" \t\r\n") - first + 1);
  headers.emplace_back(line.substr(0, colon), value);
  return true;
}

void CurlTransfer::BeginBody() {
  body_began_ = true;
  to_sink_ = request_.sink && Info<long>(CURLINFO_RESPONSE_CODE) == 200;
  const auto length = Info<curl_off_t>(CURLINFO_CONTENT_LENGTH_DOWNLOAD_T);
  if (length <= 0) return;
  if (std::uint64_t(length) > request_.max_body) {
    End(TransportFailure::kTooLarge,
        fmt::format("the answer has {} bytes, {} are allowed", length, request_.max_body));
  } else if (!to_sink_) {
    response_.body.reserve(std::min(std::uint64_t(length), kMaxReserve));
  }
}

std::size_t CurlTransfer::OnBody(char* bytes, std::size_t, std::size_t size, void* data) noexcept {
  return static_cast<CurlTransfer*>(data)->TakeBody(std::string_view(bytes, size)) ? size : 0;
}

bool CurlTransfer::TakeBody(std::string_view bytes) {
  if (!body_began_) BeginBody();
  if (verdict_) return false;
  body_bytes_ += bytes.size();
  if (body_bytes_ > request_.max_body) {
    return Ended(TransportFailure::kTooLarge,
                 fmt::format("the answer has more than the {} bytes allowed", request_.max_body));
  }
  if (!to_sink_) {
    response_.body += bytes;
  } else if (!request_.sink(bytes)) {
    return Ended(TransportFailure::kAborted, "given up by the receiver");
  }
  return true;
}

Outcome CurlTransfer::Finish(CURLcode code, MonoTime now) {
  Outcome outcome;
  outcome.id = id_;
  outcome.bytes_received = header_bytes_ + body_bytes_;
  outcome.started = started_;
  outcome.finished = now;
  const long status = code == CURLE_OK ? Info<long>(CURLINFO_RESPONSE_CODE) : 0;
  if (status == kProxyWantsLogin && !set_proxy_.empty()) {
    outcome.failure = TransportFailure::kConnect;
    outcome.failure_text = fmt::format("connect to {} through the proxy {}: HTTP 407, it wants a name and a password",
                                       HostOf(request_.url), ShownProxy(set_proxy_));
    outcome.failure_hint = Hint::kProxy;
  } else if (code == CURLE_OK) {
    response_.status = int(status);
    outcome.response = std::move(response_);
  } else {
    Describe(code, outcome);
  }
  on_send_ = nullptr;
  request_.sink = nullptr;
  request_.upload = {};
  return outcome;
}

TransportFailure CurlTransfer::FailureOf(CURLcode code) const {
  if (verdict_) return *verdict_;
  if (IsAboutTrust(code)) return TransportFailure::kUntrusted;
  if (!sent_) return TransportFailure::kConnect;
  return code == CURLE_OPERATION_TIMEDOUT ? TransportFailure::kTimeout : TransportFailure::kReset;
}

void CurlTransfer::Describe(CURLcode code, Outcome& outcome) const {
  outcome.failure = FailureOf(code);
  outcome.stale_connection =
      outcome.failure == TransportFailure::kReset && reused_ && outcome.bytes_received == 0;
  std::string text = error_[0] ? error_ : curl_.easy_strerror(code);
  if (outcome.stale_connection) text = kBroke;
  if (verdict_) text = verdict_text_;
  const bool proxied = !set_proxy_.empty();
  if (!sent_ && !verdict_) {
    const long os_error = Info<long>(CURLINFO_OS_ERRNO);
    if (code == CURLE_COULDNT_CONNECT && os_error != 0) text = std::strerror(int(os_error));
    const std::string way = proxied ? " through the proxy " + ShownProxy(set_proxy_) : "";
    if (no_socket_ != 0) text = std::strerror(no_socket_);
    text = fmt::format("connect to {}{}: {}", HostOf(request_.url), way, text);
    if (proxied) outcome.failure_hint = Hint::kProxy;
  } else if (proxied && (outcome.failure == TransportFailure::kReset || outcome.failure == TransportFailure::kTimeout)) {
    text += " (through the proxy " + ShownProxy(set_proxy_) + ")";
    outcome.failure_hint = Hint::kProxy;
  }
  if (outcome.failure == TransportFailure::kUntrusted) {
    // Whose clock it is that is wrong is not known; that of a machine just switched on is behind.
    outcome.failure_hint =
        text.find("not yet valid") != std::string::npos ? Hint::kClock : Hint::kCertificate;
  }
  // libcurl's texts hold no url today. Should a later one's, the key is not given away.
  if (const std::string& secret = request_.secret_query; !secret.empty()) {
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret))
      text.replace(at, secret.size(), "***");
  }
  outcome.failure_text = std::move(text);
}

}  // namespace tmdbc::http
