// SPDX-License-Identifier: MIT
#pragma once

#include "daemon/api/coroutines.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/api/peer.hpp"
#include "daemon/api/service.hpp"

namespace hv {

using local_socket = boost::asio::local::stream_protocol::socket;

struct session_limits {
    std::size_t line_bytes;      // a longer request ends the session
    std::size_t queued_bytes;    // what waits for a slow follower; more is left out, and counted
    std::chrono::seconds patience;    // how long a client may leave an answer unread
};

/// One client: reads requests, one a line, and answers each before it reads the next.
class session : public std::enable_shared_from_this<session> {
public:
    session(local_socket socket, service& on, peer const& who, session_limits const& limits);

    peer const& who() const { return who_; }
    void run(std::function<void()> ended);
    /// A new line of the log, for those who follow it.
    void log_line(std::string const& line);
    void close();

private:
    boost::asio::awaitable<void> read();
    boost::asio::awaitable<void> write();
    boost::asio::awaitable<void> drained();
    boost::asio::awaitable<void> serve();
    std::string answer(std::string line);
    std::string too_long() const;
    void send(std::string text);
    void report_skipped();

    local_socket socket_;
    service& service_;
    peer who_;
    session_limits limits_;
    std::function<void()> ended_;
    boost::asio::steady_timer wake_writer_;
    boost::asio::steady_timer wake_reader_;
    boost::asio::steady_timer deadline_;
    std::string input_;
    std::deque<std::string> queue_;
    std::size_t queued_{};
    std::size_t skipped_{};
    bool follows_ = false;
    log_filter only_;    // of what it follows
    bool closing_ = false;
};

}
