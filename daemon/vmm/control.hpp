// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <list>
#include <string>
#include <vector>

#include "daemon/vmm/descriptor.hpp"
#include "daemon/vmm/watch.hpp"

namespace hv::vmm {

/// The socket that takes commands: a word a line, each answered by a line "ok …" or "error …".
class control {
public:
    using commands = std::function<std::string(std::string const& word)>;

    /// where: as listen_at takes it; empty: none. Errors: failure.
    explicit control(std::string const& where);

    void connect(commands to) { commands_ = std::move(to); }
    void add_watches(std::vector<watch>& to);

private:
    struct client {
        descriptor socket;
        std::string input;
    };

    void accept();
    void read(client& from);
    void answer(client& to, std::string const& word);

    descriptor listener_;
    std::list<client> clients_;
    commands commands_;
};

}
