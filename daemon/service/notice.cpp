// SPDX-License-Identifier: MIT
#include "daemon/service/notice.hpp"

#include <cstdio>
#include <string>

namespace hv {

void notice(std::string_view text) {
    auto const line = "hvd: " + std::string{text} + "\n";
    std::fputs(line.c_str(), stderr);
}

}
