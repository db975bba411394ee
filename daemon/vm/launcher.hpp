// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "daemon/vm/launch.hpp"

namespace hv {

/// Does what only somebody with rights can: starts VMs as other users, within limits.
class launcher {
public:
    virtual ~launcher() = default;

    struct launched {
        process_mark process;
        std::string group;    // the folder of its control group; empty: it has none
    };
    /// Errors: vm_error: a file that cannot be opened, a limit that cannot be kept. Then nothing
    /// of the VM is left.
    virtual launched launch(launch_request const& request) = 0;
    virtual void kill(process_mark const& process) = 0;
    struct released {
        bool out_of_memory;    // the VM was killed for want of memory within its limit
        bool busy;             // something of it is still going down: ask again
    };
    /// After the end: takes away sockets and control group.
    virtual released release(std::string const& folder, std::string const& group) = 0;
};

/// What hvd's program is called when it is started as the launcher, and where its socket is then.
constexpr char const* launcher_name = "hvd-launcher";
constexpr int launcher_socket = 3;

/// The launcher as a process of its own, so that hvd itself may give its rights up. It ends with
/// hvd; the VMs that it started do not.
class launcher_process : public launcher {
public:
    /// Starts this program anew, under that name: to be made before rights are dropped.
    /// Errors: std::system_error.
    launcher_process();
    ~launcher_process() override;
    launcher_process(launcher_process const&) = delete;
    launcher_process& operator=(launcher_process const&) = delete;

    launched launch(launch_request const& request) override;
    void kill(process_mark const& process) override;
    released release(std::string const& folder, std::string const& group) override;

private:
    nlohmann::ordered_json ask(nlohmann::ordered_json const& request);

    int socket_ = -1;
    std::string input_;
};

/// What that process does: answers requests, one JSON object a line, until the other end closes.
void serve_launches(int socket);

}
