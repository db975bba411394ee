// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include <nlohmann/json.hpp>

namespace hv::cli {

/// A connection to hvd. Requests are answered in order, so one at a time is all it takes.
class client {
public:
    /// Nothing when nobody listens there. Errors: refusal, when this user may not connect.
    static std::unique_ptr<client> connect(std::string const& path);
    explicit client(int socket) : socket_{socket} {}
    ~client();
    client(client const&) = delete;
    client& operator=(client const&) = delete;

    /// The result. Errors: refusal with hvd's words.
    nlohmann::ordered_json call(std::string const& method,
                                nlohmann::ordered_json params = nlohmann::ordered_json::object());
    /// The next line that hvd sends by itself; null when it ends the connection.
    nlohmann::ordered_json next_notification();

private:
    nlohmann::ordered_json read_line();
    void send(std::string const& line);

    int socket_;
    std::string input_;
    unsigned last_id_ = 0;
};

}
