// SPDX-License-Identifier: MIT
#include "daemon/vmm/control.hpp"

#include <array>
#include <cerrno>

#include <poll.h>
#include <sys/socket.h>

#include "daemon/vmm/listener.hpp"

namespace hv::vmm {
namespace {

constexpr std::size_t most_clients = 8;
constexpr std::size_t longest_word = 256;

}

control::control(std::string const& where) {
    if (!where.empty()) listener_ = listen_at(where);
}

void control::add_watches(std::vector<watch>& to) {
    clients_.remove_if([](client const& each) { return !each.socket; });
    if (listener_) to.push_back({listener_.get(), POLLIN, [this](short) { accept(); }});
    for (auto& each : clients_) {
        to.push_back({each.socket.get(), POLLIN, [&](short) { read(each); }});
    }
}

void control::accept() {
    auto made = accept_at(listener_);
    if (made && clients_.size() < most_clients) clients_.push_back({std::move(made), {}});
}

void control::read(client& from) {
    std::array<char, longest_word> buffer{};
    auto const got = recv(from.socket.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (got <= 0 || from.input.size() > longest_word) {
        from.socket = descriptor{};
        return;
    }
    from.input.append(buffer.data(), static_cast<std::size_t>(got));
    for (auto end = from.input.find('\n'); from.socket && end != from.input.npos;
         end = from.input.find('\n')) {
        auto const word = from.input.substr(0, end);
        from.input.erase(0, end + 1);
        answer(from, word);
    }
}

/// A client that does not take an answer of one line is given up.
void control::answer(client& to, std::string const& word) {
    auto const line = commands_(word) + "\n";
    auto const sent = send(to.socket.get(), line.data(), line.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(line.size())) to.socket = descriptor{};
}

}
