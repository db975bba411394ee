// SPDX-License-Identifier: MIT
#include "daemon/api/server.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <boost/asio/steady_timer.hpp>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/api/json_rpc.hpp"
#include "daemon/service/notice.hpp"

namespace hv {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using local = asio::local::stream_protocol;

[[noreturn]] void fail(int code, std::string const& what) {
    throw std::system_error{code, std::generic_category(), what};
}

/// Held for as long as the process lives, so a socket file left by a dead hvd is told from one
/// in use.
int take_lock(std::string const& path) {
    int const file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) fail(errno, "cannot open " + path);
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
        ::close(file);
        fail(EADDRINUSE, "another hvd is running (it holds " + path + ")");
    }
    return file;
}

}

server::server(asio::io_context& loop, service& on, options config)
    : loop_{loop},
      service_{on},
      options_{std::move(config)},
      readers_{group_number(options_.group)},
      acceptor_{loop} {
    std::filesystem::create_directories(std::filesystem::path{options_.path}.parent_path());
    lock_ = take_lock(options_.path + ".lock");
    bind();
}

server::~server() {
    if (acceptor_.is_open()) unlink(options_.path.c_str());
    if (lock_ >= 0) ::close(lock_);
}

void server::bind() {
    unlink(options_.path.c_str());
    acceptor_.open(local{});
    // Nobody may connect before the mode is right.
    auto const before = umask(0177);
    error_code error;
    acceptor_.bind(local::endpoint{options_.path}, error);
    umask(before);
    if (error) fail(error.value(), "cannot bind " + options_.path);
    if (readers_ && chown(options_.path.c_str(), static_cast<uid_t>(-1), *readers_) != 0) {
        notice("cannot give " + options_.path + " to the group " + options_.group +
               ": only root can use it");
        readers_.reset();
    }
    if (chmod(options_.path.c_str(), readers_ ? 0660 : 0600) != 0) {
        fail(errno, "cannot set the mode of " + options_.path);
    }
    acceptor_.listen();
}

void server::run() {
    asio::co_spawn(loop_, [this] { return accept(); }, asio::detached);
}

asio::awaitable<void> server::accept() {
    while (acceptor_.is_open()) {
        error_code error;
        local_socket socket{loop_};
        co_await acceptor_.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
        if (error == asio::error::operation_aborted) co_return;
        if (!error) {
            take(std::move(socket));
            continue;
        }
        // Out of descriptors, most likely: let some sessions end first.
        asio::steady_timer pause{loop_, std::chrono::milliseconds{100}};
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
}

std::string server::refusal(peer const& who) const {
    if (sessions_.size() >= options_.clients) return "hvd serves as many clients as it may";
    unsigned same = 0;
    for (auto const& each : sessions_) {
        if (each->who().uid == who.uid) ++same;
    }
    if (who.uid != 0 && same >= options_.clients_of_one_user) {
        return "hvd serves as many clients of this user as it may";
    }
    return {};
}

void server::take(local_socket socket) {
    try {
        auto const who = identify_peer(socket.native_handle(), readers_);
        if (auto const why = refusal(who); !why.empty()) {
            auto const line = encode_line(error_object(
                nullptr, rpc_error{rpc_code::refused, why + ": try again later", EBUSY}));
            socket.non_blocking(true);
            error_code ignored;
            socket.write_some(asio::buffer(line), ignored);
            return;
        }
        auto const at = sessions_.insert(
            sessions_.end(),
            std::make_shared<session>(std::move(socket), service_, who, options_.limits));
        (*at)->run([this, at] { sessions_.erase(at); });
    } catch (std::exception const& error) {
        notice(std::string{"a client was turned away: "} + error.what());
    }
}

void server::log_line(std::string const& line) {
    for (auto const& each : sessions_) {
        each->log_line(line);
    }
}

void server::close() {
    error_code ignored;
    acceptor_.close(ignored);
    unlink(options_.path.c_str());
    for (auto const& each : sessions_) {
        each->close();
    }
}

}
