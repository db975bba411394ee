// SPDX-License-Identifier: MIT
#include "daemon/vm/launcher.hpp"

#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/vm/line_socket.hpp"
#include "daemon/vm/vm_error.hpp"

namespace hv {
namespace {

using nlohmann::ordered_json;

constexpr std::chrono::seconds patience{10};

}

launcher_process::launcher_process() {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw std::system_error{errno, std::generic_category(), "socketpair"};
    }
    auto const made = fork();
    if (made < 0) throw std::system_error{errno, std::generic_category(), "fork"};
    if (made == 0) {
        // When it has that number already, nothing is copied, and it would be closed by exec.
        if (ends[1] == launcher_socket) fcntl(launcher_socket, F_SETFD, 0);
        if (dup2(ends[1], launcher_socket) == launcher_socket) {
            execl("/proc/self/exe", launcher_name, nullptr);
        }
        _exit(127);
    }
    close(ends[1]);
    socket_ = ends[0];
    set_patience(socket_, patience);
}

launcher_process::~launcher_process() { close(socket_); }

ordered_json launcher_process::ask(ordered_json const& request) {
    using ordered = ordered_json;
    auto const line = request.dump(-1, ' ', false, ordered::error_handler_t::replace) + "\n";
    std::optional<std::string> answer;
    if (send_all(socket_, line)) answer = receive_line(socket_, input_);
    if (!answer) throw vm_error{EPIPE, "hvd's launcher is gone: restart hvd"};
    auto out = ordered::parse(*answer, nullptr, false);
    if (!out.is_object()) throw vm_error{EPROTO, "hvd's launcher answers nonsense: restart hvd"};
    if (out.contains("error")) {
        throw vm_error{out.value("errno", EIO), out["error"].get<std::string>()};
    }
    return out;
}

launcher::launched launcher_process::launch(launch_request const& request) {
    auto const answer = ask({{"do", "launch"}, {"what", launch_json(request)}});
    return {{answer.at("pid").get<pid_t>(), answer.at("started").get<std::uint64_t>()},
            answer.at("group").get<std::string>()};
}

void launcher_process::kill(process_mark const& process) {
    ask({{"do", "kill"}, {"pid", process.pid}, {"started", process.started}});
}

launcher::released launcher_process::release(std::string const& folder, std::string const& group) {
    auto const answer = ask({{"do", "release"}, {"folder", folder}, {"group", group}});
    return {answer.value("out_of_memory", false), answer.value("busy", false)};
}

}
