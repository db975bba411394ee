// SPDX-License-Identifier: MIT
#include "daemon/api/server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "service_fixture.hpp"

namespace hv {
namespace {

namespace asio = boost::asio;

class server_test : public service_fixture {
protected:
    server::options options() const {
        return {.path = folder_.path("run/hvd.sock"),
                .group = "no-such-group",
                .clients = 3,
                .clients_of_one_user = 2,
                .limits = {.line_bytes = 4096,
                           .queued_bytes = 4096,
                           .patience = std::chrono::seconds{30}}};
    }
    void SetUp() override {
        service_fixture::SetUp();
        open();
    }
    void TearDown() override {
        for (auto const each : clients_) {
            close(each);
        }
        shut();
    }
    void open() {
        server_ = std::make_unique<server>(loop_, *service_, options());
        server_->run();
        turn();
    }
    void shut() {
        if (server_) server_->close();
        turn();
        server_.reset();
    }
    void turn() {
        loop_.restart();
        loop_.poll();
    }
    int connect() {
        int const made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        options().path.copy(address.sun_path, sizeof(address.sun_path) - 1);
        EXPECT_EQ(::connect(made, reinterpret_cast<sockaddr const*>(&address), sizeof(address)), 0);
        clients_.push_back(made);
        turn();
        return made;
    }
    std::string ask(int client, std::string const& method) {
        auto const line = R"({"jsonrpc":"2.0","id":1,"method":")" + method + "\"}\n";
        // A client that was turned away finds its answer there already.
        send(client, line.data(), line.size(), MSG_NOSIGNAL);
        turn();
        std::string out(65536, '\0');
        auto const got = read(client, out.data(), out.size());
        out.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
        return out;
    }

    asio::io_context loop_;
    std::unique_ptr<server> server_;
    std::vector<int> clients_;
};

TEST_F(server_test, its_socket_is_for_the_owner_alone_without_the_group) {
    struct stat about{};
    ASSERT_EQ(stat(options().path.c_str(), &about), 0);
    EXPECT_TRUE(S_ISSOCK(about.st_mode));
    EXPECT_EQ(about.st_mode & 0777u, 0600u);
}

TEST_F(server_test, knows_who_asks) {
    auto const answer = ask(connect(), "policy.list");
    if (geteuid() == 0) {
        EXPECT_NE(answer.find("\"result\""), std::string::npos);
    } else {
        EXPECT_NE(answer.find("members of the group hv"), std::string::npos);
    }
}

TEST_F(server_test, serves_so_many_and_no_more) {
    for (int i = 0; i < 3; ++i) {
        connect();
    }
    EXPECT_EQ(server_->clients(), geteuid() == 0 ? 3u : 2u);
    auto const answer = ask(connect(), "version");
    EXPECT_NE(answer.find("as many clients"), std::string::npos) << answer;
    close(clients_.front());
    clients_.erase(clients_.begin());
    turn();
    EXPECT_NE(ask(connect(), "version").find("\"id\":1"), std::string::npos);
}

TEST_F(server_test, ten_thousand_clients_cost_nothing_that_lasts) {
    for (int i = 0; i < 10'000; ++i) {
        close(connect());
        clients_.pop_back();
    }
    turn();
    EXPECT_EQ(server_->clients(), 0u);
}

TEST_F(server_test, a_second_one_is_refused_and_a_dead_ones_socket_is_taken_over) {
    auto const said = refusal_of<std::system_error>(
        [&] { server second{loop_, *service_, options()}; });
    EXPECT_NE(said.find("another hvd is running"), std::string::npos) << said;
    shut();
    folder_.write("run/hvd.sock", "left behind");
    open();
    connect();
    EXPECT_EQ(server_->clients(), 1u);
}

TEST_F(server_test, takes_its_socket_away_when_it_ends) {
    shut();
    EXPECT_FALSE(std::filesystem::exists(options().path));
}

}
}
