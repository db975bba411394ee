// SPDX-License-Identifier: MIT
#pragma once

#include <stdexcept>
#include <string>

namespace hv {

/// What keeps a VM from doing what was asked for: one line, and Linux's number for it.
class vm_error : public std::runtime_error {
public:
    vm_error(int number, std::string const& text) : std::runtime_error{text}, number_{number} {}
    int number() const { return number_; }

private:
    int number_;
};

}
