// SPDX-License-Identifier: MIT
#include <cerrno>
#include <csignal>

#include <cap-ng.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "daemon/vm/launcher.hpp"
#include "daemon/vm/line_socket.hpp"
#include "daemon/vm/spawn.hpp"
#include "daemon/vm/vm_error.hpp"

namespace hv {
namespace {

using nlohmann::ordered_json;

/// To be other users, to kill what runs as them, to read what root may read, and to make a group
/// in a folder that is closed to all but root.
void keep_needed_rights() {
    if (geteuid() != 0) return;
    capng_clear(CAPNG_SELECT_BOTH);
    auto const kept = static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED);
    capng_updatev(CAPNG_ADD, kept, CAP_SETUID, CAP_SETGID, CAP_KILL, CAP_DAC_OVERRIDE, -1);
    capng_apply(CAPNG_SELECT_CAPS);
}

ordered_json answer(ordered_json const& request) {
    auto const what = request.at("do").get<std::string>();
    if (what == "launch") {
        auto const made = spawn_vm(read_launch(request.at("what")));
        return {
            {"pid", made.process.pid}, {"started", made.process.started}, {"group", made.group}};
    }
    if (what == "kill") {
        kill_vm({request.at("pid").get<pid_t>(), request.at("started").get<std::uint64_t>()});
        return ordered_json::object();
    }
    auto const end = release_vm(request.at("folder").get<std::string>(),
                                request.at("group").get<std::string>());
    return {{"out_of_memory", end.out_of_memory}, {"busy", end.busy}};
}

std::string answer_line(std::string const& line) {
    ordered_json out;
    try {
        out = answer(ordered_json::parse(line));
    } catch (vm_error const& error) {
        out = {{"error", error.what()}, {"errno", error.number()}};
    } catch (std::exception const& error) {
        out = {{"error", error.what()}, {"errno", EIO}};
    }
    return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}

void serve_launches(int socket) {
    // The signals that end hvd reach its whole group: this ends when hvd's end of the line does.
    for (int const each : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) {
        std::signal(each, SIG_IGN);
    }
    std::signal(SIGCHLD, SIG_IGN);    // nobody waits: the kernel may forget them at once
    keep_needed_rights();
    std::string input;
    while (auto const line = receive_line(socket, input)) {
        if (!send_all(socket, answer_line(*line))) return;
    }
}

}
