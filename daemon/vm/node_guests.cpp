// SPDX-License-Identifier: MIT
#include "daemon/vm/node_guests.hpp"

#include <fstream>

namespace hv {

std::string guests_at(std::string const& node) {
    return "/sys/class/misc/" + node.substr(node.rfind('/') + 1) + "/guests";
}

std::vector<node_guest> guests_of_node(std::string const& path) {
    std::vector<node_guest> out;
    std::ifstream file{path};
    node_guest each{};
    while (file >> each.pid >> each.cpus >> each.memory_bytes) {
        std::ifstream name{"/proc/" + std::to_string(each.pid) + "/comm"};
        each.program.clear();
        std::getline(name, each.program);
        out.push_back(each);
    }
    return out;
}

}
