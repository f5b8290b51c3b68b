// SPDX-License-Identifier: MIT
// What tools/lambda_zip packs, run as Lambda runs it: unpacked into a folder, started in an empty environment, its
// events from a host on loopback. Around it a bucket, a parameter store and tmdb-sim, on loopback too.
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "aws/lambda_world_test.h"
#include "base/json_writer.h"
#include "cloud/bundle.h"
#include "http/server.h"
#include "lambda_zip.h"
#include "program.h"

namespace tmdbc::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr std::string_view kKey = "0123456789abcdef0123456789abcdef";

// A bucket and a parameter store, as far as a collector uses them.
class FakeAws {
 public:
  FakeAws() {
    server_ = http::Server::Listen({.max_request_body = 64 << 20}, clock_, [this](const http::ServerRequest& request) {
      const std::lock_guard lock(mutex_);
      return Handle(request);
    }).value();
    thread_ = std::thread([this] { server_->Run(); });
  }
  ~FakeAws() {
    server_->Stop();
    thread_.join();
  }
  std::string url() const { return fmt::format("http://127.0.0.1:{}", server_->port()); }
  std::map<std::string, std::string> objects() {
    const std::lock_guard lock(mutex_);
    return objects_;
  }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  static http::Answer Body(std::string body) {
    return {.body = std::make_shared<const std::string>(std::move(body))};
  }
  http::Answer Handle(const http::ServerRequest& request) {
    EXPECT_TRUE(request.header("Authorization").starts_with("AWS4-HMAC-SHA256 ")) << request.target;
    EXPECT_EQ(request.header("X-Amz-Security-Token"), "session") << request.target;
    EXPECT_EQ(request.body.find(kKey), std::string::npos) << "the key is in nobody's request";
    requests_.push_back(request.method + " " + request.target);
    if (request.header("X-Amz-Target") == "AmazonSSM.GetParameter") {
      EXPECT_NE(request.body.find("/tmdb-data-collector/test/tmdb-api-key"), std::string::npos) << request.body;
      return Body(fmt::format(R"({{"Parameter":{{"Name":"x","Type":"SecureString","Value":"{}"}}}})", kKey));
    }
    if (request.method == "PUT") {
      if (!objects_.emplace(request.target, request.body).second) return {.status = 412};
      http::Answer made;
      made.headers.emplace_back("ETag", "\"1\"");
      return made;
    }
    const auto found = objects_.find(request.target);
    if (found == objects_.end()) return {.status = 404};
    http::Answer there;
    there.headers.emplace_back("ETag", "\"1\"");
    there.headers.emplace_back("Content-Length", std::to_string(found->second.size()));
    return there;
  }

  SystemClock clock_;
  std::unique_ptr<http::Server> server_;
  std::thread thread_;
  std::mutex mutex_;
  std::map<std::string, std::string> objects_;
  std::vector<std::string> requests_;
};

std::string SqsEvent(std::string_view body) {
  JsonWriter event;
  event.BeginObject().Key("Records").BeginArray().BeginObject().Field("eventSource", "aws:sqs").Field("body", body);
  return event.EndObject().EndArray().EndObject().text();
}

class LambdaPackageTest : public ::testing::Test {
 protected:
  static const fs::path& Unpacked() { return UnpackedZip(); }

  // Starts it as Lambda does: nothing of this machine's environment is there.
  void Start(const std::vector<std::string>& program, const Environment& more = {}) {
    Environment environment = {
        {"AWS_LAMBDA_RUNTIME_API", lambda_.Start()},
        {"_HANDLER", "collector"},
        {"LD_LIBRARY_PATH", "/var/lang/lib:/lib64:/usr/lib64:/lib/x86_64-linux-gnu"},
        {"AWS_REGION", "us-east-1"},
        {"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"},
        {"AWS_SECRET_ACCESS_KEY", "secret"},
        {"AWS_SESSION_TOKEN", "session"},
        {"AWS_ENDPOINT_URL", aws_.url()},
        {"STAGE", "test"},
        {"LOG_FORMAT", "json"},
        {"S3_BUCKET_NAME", "mirror"},
        {"TMDB_API_KEY_PARAMETER", "/tmdb-data-collector/test/tmdb-api-key"},
        {"TMDB_API_BASE_URL", sim_.url() + "/3"},
    };
    for (const auto& [name, value] : more) environment[name] = value;
    std::vector<std::string> command = {"/usr/bin/env", "-i"};
    for (const auto& [name, value] : environment) command.push_back(name + "=" + value);
    command.insert(command.end(), program.begin(), program.end());
    program_.emplace(command, Environment{}, folder_.path());
  }

  // Files that the process has mapped: the program and every library.
  std::set<std::string> Mapped() {
    std::set<std::string> files;
    std::istringstream maps(ReadFile(fmt::format("/proc/{}/maps", program_->pid())));
    for (std::string line; std::getline(maps, line);) {
      if (const std::size_t path = line.find('/'); path != std::string::npos) files.insert(line.substr(path));
    }
    return files;
  }

  void CheckFiles();

  FakeLambda lambda_;
  FakeAws aws_;
  Sim sim_{{"--movies=30", "--shows=2", "--people=5"}};
  const TempDir folder_;
  std::optional<Program> program_;
};

// All that it needs is there, and anybody may read it.
void LambdaPackageTest::CheckFiles() {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(Unpacked())) {
    struct stat status{};
    ASSERT_EQ(::lstat(entry.path().c_str(), &status), 0);
    EXPECT_FALSE(entry.is_symlink()) << entry.path();
    EXPECT_TRUE(status.st_mode & S_IROTH) << entry.path();
    names.insert(fs::relative(entry.path(), Unpacked()).string());
  }
  for (const char* name : {"bootstrap", "tmdb-collector", "ca-certificates.crt", "lib/ld-linux-x86-64.so.2",
                           "lib/libc.so.6", "lib/libcurl.so.4", "lib/libstdc++.so.6", "lib/libnss_dns.so.2"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
  // By the loader's own word: every library of the program and of libcurl comes from lib/.
  for (const char* name : {"tmdb-collector", "lib/libcurl.so.4"}) {
    const Finished listed = RunToEnd({(Unpacked() / "lib/ld-linux-x86-64.so.2").string(), "--inhibit-cache",
                                      "--library-path", (Unpacked() / "lib").string(), "--list",
                                      (Unpacked() / name).string()},
                                     {}, folder_.path());
    ASSERT_EQ(listed.code, 0) << listed.err;
    EXPECT_NE(listed.out.find("libc.so.6 => " + (Unpacked() / "lib").string()), std::string::npos) << listed.out;
    std::istringstream lines(listed.out);
    for (std::string line; std::getline(lines, line);) {
      const bool inside = line.find(Unpacked().string()) != std::string::npos;
      EXPECT_TRUE(inside || line.find("linux-vdso") != std::string::npos) << line;
    }
  }
}

TEST_F(LambdaPackageTest, CollectsInAnEmptyEnvironmentWithoutALibraryOfTheSystem) {
  CheckFiles();
  const IdBatch batch{.name = "000000123-0007",
                      .lane = 0,
                      .rate = 40,
                      .items = {{{MediaType::kMovie, 1}},
                                {{MediaType::kMovie, 2}},
                                {{MediaType::kMovie, 999'999'999}}}};
  lambda_.Add("{}");
  lambda_.Add(SqsEvent(FormatIdBatch(batch)));
  lambda_.Add(SqsEvent(FormatIdBatch(batch)));
  lambda_.freeze = seconds(1);
  Start({(Unpacked() / "bootstrap").string()}, {{"LAMBDA_TASK_ROOT", Unpacked().string()}});
  ASSERT_TRUE(lambda_.WaitFor(2)) << program_->err();
  const std::set<std::string> mapped = Mapped();
  EXPECT_TRUE(mapped.contains((Unpacked() / "lib/libcurl.so.4").string())) << "it has been opened by now";
  for (const std::string& file : mapped) EXPECT_TRUE(file.starts_with(Unpacked().string())) << file;
  ASSERT_TRUE(lambda_.WaitFor(3)) << program_->err();
  EXPECT_EQ(program_->Wait(seconds(10)), 3) << "the host is gone: the process ends at once";

  const auto answers = lambda_.answers();
  EXPECT_TRUE(answers[0].failed) << "an event that is not a message is never done";
  EXPECT_EQ(answers[0].error_type, "Collector.Invalid");
  EXPECT_FALSE(answers[1].failed) << answers[1].body;
  EXPECT_NE(answers[2].body.find(R"("repeated":true)"), std::string::npos) << answers[2].body;

  const auto objects = aws_.objects();
  ASSERT_EQ(objects.size(), 1u);
  EXPECT_EQ(objects.begin()->first, "/mirror/inbox/bundle/000000123-0007.jsonl.zst");
  std::map<MediaId, BundleEntry::Kind> kinds;
  const auto summary = ReadBundle(objects.begin()->second, batch.name, [&](BundleEntry entry) -> Result<void> {
    kinds[entry.id] = entry.kind;
    return {};
  });
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->requests, 3);
  EXPECT_EQ(kinds[batch.items[2].id], BundleEntry::Kind::kGone);
  EXPECT_EQ(std::ranges::count(aws_.requests(), "POST /"), 1) << "the key is read once";
  EXPECT_EQ(aws_.requests().size(), 4u) << "a HEAD and a PUT; then a HEAD";

  EXPECT_NE(program_->out().find(R"("Requests":3)"), std::string::npos) << program_->out();
  EXPECT_NE(program_->out().find(R"("Stage":"test")"), std::string::npos);
  for (const std::string& text : {program_->out(), program_->err(), objects.begin()->second}) {
    EXPECT_EQ(text.find(kKey), std::string::npos) << "the key is told to nobody";
  }
}

TEST_F(LambdaPackageTest, IsRunByTheRuntimeEmulatorOfAws) {
  const RuntimeEmulator emulator;
  Start(emulator.Command("collector"), RuntimeEmulator::Settings("collector"));
  const IdBatch batch{.name = "000000123-0008", .lane = 0, .rate = 40, .items = {{{MediaType::kMovie, 1}}}};
  EXPECT_EQ(emulator.Invoke(SqsEvent(FormatIdBatch(batch))),
            R"({"batch":"000000123-0008","repeated":false,"fetched":1,"gone":0,"failed":0,"left":0})")
      << program_->out() << program_->err();
  EXPECT_NE(emulator.Invoke(SqsEvent(FormatIdBatch(batch))).find(R"("repeated":true)"), std::string::npos);
  EXPECT_NE(emulator.Invoke("{}").find(R"("errorType":"Collector.Invalid")"), std::string::npos);
  EXPECT_EQ(aws_.objects().size(), 1u);
}

TEST_F(LambdaPackageTest, TellsLambdaWhyItCannotBegin) {
  Start({CollectorPath(), "lambda"}, {{"S3_BUCKET_NAME", ""}});
  EXPECT_EQ(program_->Wait(seconds(10)), 2);
  EXPECT_NE(lambda_.init_error().find("S3_BUCKET_NAME is not set"), std::string::npos) << lambda_.init_error();
  EXPECT_NE(program_->err().find("S3_BUCKET_NAME is not set"), std::string::npos) << program_->err();
}

}  // namespace
}  // namespace tmdbc::testing
