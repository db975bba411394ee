// SPDX-License-Identifier: MIT
#pragma once

#include "daemon/api/coroutines.hpp"

#include <list>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "daemon/api/session.hpp"

namespace hv {

/// hvd's socket: one session for each client, within bounds.
class server {
public:
    struct options {
        std::string path;
        std::string group;
        unsigned clients;
        unsigned clients_of_one_user;    // root has no bound of its own
        session_limits limits;
    };

    /// Errors: std::system_error, such as EADDRINUSE when another hvd serves this socket.
    server(boost::asio::io_context& loop, service& on, options config);
    ~server();

    void run();
    void close();
    void log_line(std::string const& line);
    std::size_t clients() const { return sessions_.size(); }

private:
    boost::asio::awaitable<void> accept();
    void take(local_socket socket);
    std::string refusal(peer const& who) const;
    void bind();

    boost::asio::io_context& loop_;
    service& service_;
    options options_;
    std::optional<gid_t> readers_;
    boost::asio::local::stream_protocol::acceptor acceptor_;
    std::list<std::shared_ptr<session>> sessions_;
    int lock_ = -1;
};

}
