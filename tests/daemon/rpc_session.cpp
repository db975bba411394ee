// SPDX-License-Identifier: MIT
#include "daemon/api/session.hpp"

#include <boost/asio/io_context.hpp>
#include <sys/socket.h>

#include "service_fixture.hpp"

namespace hv {
namespace {

namespace asio = boost::asio;

/// A session at one end of a socket pair; the test at the other.
class session_test : public service_fixture {
protected:
    void SetUp() override {
        service_fixture::SetUp();
        std::array<int, 2> ends{};
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()),
                  0);
        client_ = ends[0];
        local_socket socket{loop_, asio::local::stream_protocol{}, ends[1]};
        session_ = std::make_shared<session>(std::move(socket), *service_, who_, limits_);
        session_->run([this] { ended_ = true; });
        service_->listen([this](std::string const& line) { session_->log_line(line); });
        turn();
    }
    void TearDown() override {
        session_->close();
        turn();
        session_.reset();
        close(client_);
    }
    void turn() {
        loop_.restart();
        loop_.poll();
    }
    void send(std::string const& text) {
        ASSERT_EQ(write(client_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
        turn();
    }
    void send_request(std::string const& method, std::string const& more = "") {
        send(R"({"jsonrpc":"2.0","id":1,"method":")" + method + "\"" + more + "}\n");
    }
    std::string receive() {
        std::string out;
        for (std::array<char, 65536> buffer{};;) {
            turn();
            auto const got = read(client_, buffer.data(), buffer.size());
            if (got <= 0) return out;
            out.append(buffer.data(), static_cast<std::size_t>(got));
        }
    }
    std::string ask(std::string const& line) {
        send(line + "\n");
        return receive();
    }
    int error_of(std::string const& line) {
        auto const answer = nlohmann::json::parse(ask(line), nullptr, false);
        if (!answer.is_object() || !answer.contains("error")) return 0;
        return answer["error"]["code"];
    }

    session_limits limits_{
        .line_bytes = 4096, .queued_bytes = 4096, .patience = std::chrono::seconds{30}};
    asio::io_context loop_;
    std::shared_ptr<session> session_;
    int client_ = -1;
    bool ended_ = false;
};

TEST_F(session_test, answers_with_the_requests_id) {
    EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":"x-7","method":"policy.list"})"),
              "{\"jsonrpc\":\"2.0\",\"id\":\"x-7\",\"result\":{\"policies\":[],\"locked\":false,"
              "\"sealed\":false,\"markers\":[],\"waited_for\":[]}}\n");
    EXPECT_NE(ask(R"({"jsonrpc":"2.0","id":12,"method":"version","params":{}})").find("\"id\":12"),
              std::string::npos);
}

TEST_F(session_test, keeps_the_order_of_requests_sent_at_once) {
    auto const all = ask("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version\"}\n\n  \n"
                         "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"version\"}");
    EXPECT_LT(all.find("\"id\":1"), all.find("\"id\":2"));
    EXPECT_NE(all.find("\"id\":2"), std::string::npos);
}

TEST_F(session_test, reads_a_request_that_comes_byte_by_byte) {
    for (char const each : std::string{R"({"jsonrpc":"2.0","id":1,"method":"version"})"}) {
        send(std::string{each});
    }
    EXPECT_NE(ask("").find("\"result\""), std::string::npos);
}

TEST_F(session_test, a_notification_gets_no_answer) {
    EXPECT_EQ(ask(R"({"jsonrpc":"2.0","method":"version"})"), "");
    EXPECT_FALSE(ended_);
}

TEST_F(session_test, refuses_what_is_not_json_rpc) {
    EXPECT_EQ(error_of("{oops"), -32700);
    EXPECT_EQ(error_of("\xff\xfe"), -32700);
    EXPECT_EQ(error_of("[]"), -32600);
    EXPECT_EQ(error_of("1"), -32600);
    EXPECT_EQ(error_of("{}"), -32600);
    EXPECT_EQ(error_of(R"({"jsonrpc":"1.0","id":1,"method":"version"})"), -32600);
    EXPECT_EQ(error_of(R"({"jsonrpc":"2.0","id":{},"method":"version"})"), -32600);
    EXPECT_EQ(error_of(R"({"jsonrpc":"2.0","id":1,"method":5})"), -32600);
    EXPECT_EQ(error_of(R"({"jsonrpc":"2.0","id":1,"method":"version","params":[]})"), -32600);
    EXPECT_EQ(error_of(R"({"jsonrpc":"2.0","id":1,"method":"version","more":1})"), -32600);
    EXPECT_EQ(error_of(R"({"jsonrpc":"2.0","id":1,"id":2,"method":"version"})"), -32700);
    EXPECT_EQ(error_of(R"({"jsonrpc":"2.0","id":1,"method":"none"})"), -32601);
    EXPECT_EQ(error_of(R"({"jsonrpc":"2.0","id":1,"method":"version","params":{"a":1}})"), -32602);
    EXPECT_EQ(error_of(R"({"jsonrpc":"2.0","id":1,"method":"x\u001b[31m"})"), -32601);
    EXPECT_FALSE(ended_) << "a client may make mistakes";
}

TEST_F(session_test, an_endless_line_ends_the_session_with_a_word) {
    std::string const much(5000, 'x');
    EXPECT_NE(ask(much).find("at most 4096 bytes"), std::string::npos);
    EXPECT_TRUE(ended_);
}

TEST_F(session_test, ends_when_the_client_goes) {
    shutdown(client_, SHUT_RDWR);
    turn();
    EXPECT_TRUE(ended_);
}

TEST_F(session_test, answers_a_client_that_has_stopped_sending) {
    std::string const line = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version\"}\n";
    ASSERT_GT(write(client_, line.data(), line.size()), 0);
    shutdown(client_, SHUT_WR);
    EXPECT_NE(receive().find("\"result\""), std::string::npos);
    EXPECT_TRUE(ended_);
}

TEST_F(session_test, a_follower_gets_new_lines_and_no_others) {
    session_->log_line("{\"kind\":\"before\"}");
    send_request("logs.follow");
    session_->log_line("{\"kind\":\"after\"}");
    auto const all = receive();
    EXPECT_EQ(all.find("before"), std::string::npos);
    EXPECT_TRUE(all.ends_with(
        "{\"jsonrpc\":\"2.0\",\"method\":\"log\",\"params\":{\"kind\":\"after\"}}\n"));
}

TEST_F(session_test, a_slow_follower_loses_lines_is_told_how_many_and_costs_no_memory) {
    send_request("logs.follow");
    receive();
    std::string const line = "{\"text\":\"" + std::string(1000, 'x') + "\"}";
    constexpr unsigned sent = 2000;
    for (unsigned i = 0; i < sent; ++i) {
        session_->log_line(line);
        turn();
    }
    std::istringstream all{receive()};
    unsigned lines = 0;
    unsigned skipped = 0;
    for (std::string each; std::getline(all, each);) {
        auto const json = nlohmann::json::parse(each);
        if (json["method"] == "log") ++lines;
        if (json["method"] == "log.skipped") skipped += json["params"]["count"].get<unsigned>();
    }
    EXPECT_GT(skipped, 0u);
    EXPECT_EQ(lines + skipped, sent);
}

TEST_F(session_test, a_client_that_reads_no_answers_is_not_read_from) {
    std::string requests;
    for (int i = 0; i < 50; ++i) {
        requests += "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}\n";
    }
    // Until the kernel's buffers are full on both ways.
    unsigned rounds = 0;
    while (write(client_, requests.data(), requests.size()) > 0 && rounds < 10'000) {
        turn();
        ++rounds;
    }
    EXPECT_LT(rounds, 10'000u);
    EXPECT_FALSE(ended_);
}

}
}
