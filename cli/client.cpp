// SPDX-License-Identifier: MIT
#include "cli/client.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/context.hpp"

namespace hv::cli {

using nlohmann::ordered_json;

std::unique_ptr<client> client::connect(std::string const& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) throw refusal{path + ": too long for a socket"};
    std::memcpy(address.sun_path, path.data(), path.size());
    int const made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (made < 0) throw refusal{std::string{"no socket: "} + std::strerror(errno)};
    auto out = std::make_unique<client>(made);
    if (::connect(made, reinterpret_cast<sockaddr const*>(&address), sizeof(address)) == 0) {
        return out;
    }
    if (errno == EACCES || errno == EPERM) {
        throw refusal{"not permitted to talk to hvd: run as root, or be in the group hv"};
    }
    if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) return nullptr;
    throw refusal{"cannot reach hvd at " + path + ": " + std::strerror(errno)};
}

client::~client() { close(socket_); }

void client::send(std::string const& line) {
    for (std::size_t sent = 0; sent < line.size();) {
        auto const got = ::send(socket_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) throw refusal{"hvd ended the connection: see its log"};
        sent += static_cast<std::size_t>(got);
    }
}

ordered_json client::read_line() {
    std::array<char, 16384> buffer{};
    auto end = input_.find('\n');
    while (end == input_.npos) {
        auto const got = recv(socket_, buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return nullptr;
        auto const from = input_.size();
        input_.append(buffer.data(), static_cast<std::size_t>(got));
        end = input_.find('\n', from);
    }
    auto out = ordered_json::parse(std::string_view{input_}.substr(0, end), nullptr, false);
    input_.erase(0, end + 1);
    if (!out.is_object()) throw refusal{"hvd sent something that is not JSON-RPC"};
    return out;
}

ordered_json client::call(std::string const& method, ordered_json params) {
    auto const id = ++last_id_;
    ordered_json const request{
        {"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}};
    send(request.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
    auto answer = read_line();
    while (answer.is_object() && answer.contains("method")) {
        answer = read_line();
    }
    if (answer.is_null()) throw refusal{"hvd ended the connection: see its log"};
    if (answer.contains("error")) {
        throw refusal{answer["error"].value("message", "hvd refused without a word")};
    }
    return std::move(answer["result"]);
}

ordered_json client::next_notification() { return read_line(); }

}
