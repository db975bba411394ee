// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <termios.h>

#include "daemon/vmm/descriptor.hpp"
#include "daemon/vmm/watch.hpp"

namespace hv::vmm {

/// What is at the other end of the serial line: clients of a socket, who may come and go, or this
/// terminal. Who attaches sees the last of what was written before, too.
class console {
public:
    struct line {
        std::function<std::size_t()> room;                // for input
        std::function<void(std::string_view)> receive;    // what was typed
        std::function<void()> written;                    // wakes the loop
        std::function<void()> quit;                       // ctrl-] on this terminal
    };

    /// where: "-", or as listen_at takes it. Errors: failure.
    explicit console(std::string const& where);
    ~console();
    console(console const&) = delete;
    console& operator=(console const&) = delete;

    void connect(line to) { line_ = std::move(to); }
    /// The VM sent this. From a CPU's thread.
    void write(char what);

    // From the loop.
    void add_watches(std::vector<watch>& to);
    void deliver();
    /// Before the end: gives slow clients a moment.
    void flush();

private:
    struct client {
        descriptor owned;
        int in;
        int out;
        std::string pending;
        bool reads = true;
        bool gone = false;
    };

    void use_terminal();
    void accept();
    void read(client& from);
    void send(client& to);
    void append(client& to, std::string_view text);
    void take_input(std::string_view text);
    bool terminal(client const& which) const { return !which.owned; }

    descriptor listener_;
    std::list<client> clients_;
    std::optional<termios> saved_;
    line line_;
    std::string history_;
    std::mutex lock_;
    std::string fresh_;
};

}
