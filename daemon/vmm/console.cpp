// SPDX-License-Identifier: MIT
#include "daemon/vmm/console.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "daemon/vmm/listener.hpp"

namespace hv::vmm {
namespace {

constexpr std::size_t history_bytes = 64u << 10;
constexpr std::size_t most_pending = 256u << 10;
constexpr std::size_t most_clients = 8;
constexpr char leave = 0x1d;    // ctrl-]
constexpr int last_moment_ms = 200;
constexpr std::string_view skipped = "\r\n[output left out: this reader was too slow]\r\n";

}

console::console(std::string const& where) {
    if (where == "-") {
        use_terminal();
    } else {
        listener_ = listen_at(where);
    }
}

console::~console() {
    if (saved_) tcsetattr(STDIN_FILENO, TCSANOW, &*saved_);
}

void console::use_terminal() {
    clients_.push_back({descriptor{}, STDIN_FILENO, STDOUT_FILENO, {}, true, false});
    termios now{};
    if (isatty(STDIN_FILENO) == 0 || tcgetattr(STDIN_FILENO, &now) != 0) return;
    saved_ = now;
    cfmakeraw(&now);
    tcsetattr(STDIN_FILENO, TCSANOW, &now);
}

void console::write(char what) {
    bool first = false;
    {
        std::lock_guard const guard{lock_};
        first = fresh_.empty();
        fresh_ += what;
    }
    if (first) line_.written();
}

void console::deliver() {
    std::string text;
    {
        std::lock_guard const guard{lock_};
        text.swap(fresh_);
    }
    if (text.empty()) return;
    history_ += text;
    if (history_.size() > 2 * history_bytes) history_.erase(0, history_.size() - history_bytes);
    for (auto& each : clients_) {
        append(each, text);
    }
}

void console::append(client& to, std::string_view text) {
    if (to.pending.size() + text.size() > most_pending) to.pending = skipped;
    to.pending += text;
    send(to);
}

void console::add_watches(std::vector<watch>& to) {
    clients_.remove_if([](client const& each) { return each.gone; });
    if (listener_) to.push_back({listener_.get(), POLLIN, [this](short) { accept(); }});
    bool const room = line_.room() != 0;
    for (auto& each : clients_) {
        if (each.reads && room) to.push_back({each.in, POLLIN, [&](short) { read(each); }});
        if (!each.pending.empty()) to.push_back({each.out, POLLOUT, [&](short) { send(each); }});
    }
}

void console::accept() {
    auto made = accept_at(listener_);
    if (!made || clients_.size() >= most_clients) return;
    int const number = made.get();
    auto& fresh = clients_.emplace_back(client{std::move(made), number, number, {}, true, false});
    append(fresh, std::string_view{history_}.substr(history_.size() -
                                                    std::min(history_.size(), history_bytes)));
}

void console::read(client& from) {
    std::array<char, 1024> buffer{};
    auto const most = std::min(buffer.size(), line_.room());
    if (most == 0) return;
    auto const got = ::read(from.in, buffer.data(), most);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (got <= 0) {
        from.reads = false;
        from.gone = !terminal(from);
        return;
    }
    std::string_view const text{buffer.data(), static_cast<std::size_t>(got)};
    if (saved_ && terminal(from) && text.find(leave) != text.npos) return line_.quit();
    line_.receive(text);
}

void console::send(client& to) {
    if (to.pending.empty() || to.gone) return;
    auto const got = terminal(to)
                         ? ::write(to.out, to.pending.data(), to.pending.size())
                         : ::send(to.out, to.pending.data(), to.pending.size(), MSG_NOSIGNAL);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (got < 0) {
        to.pending.clear();
        to.gone = true;
        return;
    }
    to.pending.erase(0, static_cast<std::size_t>(got));
}

void console::flush() {
    deliver();
    for (auto& each : clients_) {
        pollfd ready{each.out, POLLOUT, 0};
        while (!each.pending.empty() && !each.gone && poll(&ready, 1, last_moment_ms) > 0) {
            send(each);
        }
    }
}

}
