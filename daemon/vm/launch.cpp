// SPDX-License-Identifier: MIT
#include "daemon/vm/launch.hpp"

#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

namespace hv {

using nlohmann::ordered_json;

ordered_json launch_json(launch_request const& request) {
    return {{"vm", vm_json(request.vm)},
            {"program", request.program},
            {"node", request.node},
            {"folder", request.folder},
            {"uid", request.uid}};
}

launch_request read_launch(ordered_json const& from) {
    return {.vm = read_vm("", from.at("vm").dump()),
            .program = from.at("program").get<std::string>(),
            .node = from.at("node").get<std::string>(),
            .folder = from.at("folder").get<std::string>(),
            .uid = from.at("uid").get<uid_t>()};
}

process_mark mark_of(pid_t pid) {
    constexpr int fields_between = 19;    // from the state, the first after the name, to starttime
    std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
    std::stringstream text;
    text << file.rdbuf();
    // The name may hold anything, also spaces and parentheses.
    auto const line = text.str();
    auto const name_end = line.rfind(')');
    if (name_end == line.npos) return {pid, 0};
    std::istringstream rest{line.substr(name_end + 1)};
    std::string skipped;
    for (int i = 0; i < fields_between; ++i) {
        rest >> skipped;
    }
    process_mark out{pid, 0};
    rest >> out.started;
    // A dead child that nobody waited for yet is as good as gone.
    bool const dead = line.compare(name_end, 3, ") Z") == 0;
    return dead ? process_mark{pid, 0} : out;
}

}
