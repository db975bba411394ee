// SPDX-License-Identifier: MIT
#include "daemon/vmm/failure.hpp"

#include <cerrno>
#include <cstring>

namespace hv::vmm {

failure system_failure(std::string const& what) {
    return failure{what + ": " + std::strerror(errno)};
}

}
