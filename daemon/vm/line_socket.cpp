// SPDX-License-Identifier: MIT
#include "daemon/vm/line_socket.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace hv {
namespace {

constexpr std::size_t longest = 1u << 20;
constexpr std::chrono::milliseconds patience_with_vm{500};

class open_socket {
public:
    open_socket() : number_{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)} {}
    ~open_socket() {
        if (number_ >= 0) close(number_);
    }
    open_socket(open_socket const&) = delete;
    open_socket& operator=(open_socket const&) = delete;
    int number() const { return number_; }

private:
    int number_;
};

}

void set_patience(int socket, std::chrono::milliseconds most) {
    timeval const limit{most.count() / 1000, most.count() % 1000 * 1000};
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

bool send_all(int socket, std::string const& text) {
    for (std::size_t sent = 0; sent < text.size();) {
        auto const got = send(socket, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        sent += static_cast<std::size_t>(got);
    }
    return true;
}

std::optional<std::string> receive_line(int socket, std::string& rest) {
    std::array<char, 4096> buffer{};
    auto end = rest.find('\n');
    while (end == rest.npos && rest.size() < longest) {
        auto const got = recv(socket, buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return std::nullopt;
        auto const from = rest.size();
        rest.append(buffer.data(), static_cast<std::size_t>(got));
        end = rest.find('\n', from);
    }
    if (end == rest.npos) return std::nullopt;
    auto line = rest.substr(0, end);
    rest.erase(0, end + 1);
    return line;
}

std::optional<std::string> ask_vm(std::string const& path, std::string const& word) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) return std::nullopt;
    std::memcpy(address.sun_path, path.data(), path.size());
    open_socket const to;
    set_patience(to.number(), patience_with_vm);
    auto const* const raw = reinterpret_cast<sockaddr const*>(&address);
    if (connect(to.number(), raw, sizeof(address)) != 0) return std::nullopt;
    std::string rest;
    return send_all(to.number(), word + "\n") ? receive_line(to.number(), rest) : std::nullopt;
}

}
