// SPDX-License-Identifier: MIT
#pragma once

#include <stdexcept>
#include <string>

namespace hv::vmm {

/// What keeps a VM from starting or going on, as one line for its owner.
class failure : public std::runtime_error {
public:
    using runtime_error::runtime_error;
};

/// "WHAT: what errno says".
failure system_failure(std::string const& what);

}
