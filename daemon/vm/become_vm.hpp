// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <unistd.h>

#include "daemon/vm/launch.hpp"

namespace hv {

class owned_file {
public:
    owned_file() = default;
    explicit owned_file(int number) : number_{number} {}
    owned_file(owned_file&& other) noexcept : number_{std::exchange(other.number_, -1)} {}
    owned_file& operator=(owned_file&& other) noexcept {
        if (number_ >= 0) close(number_);
        number_ = std::exchange(other.number_, -1);
        return *this;
    }
    ~owned_file() {
        if (number_ >= 0) close(number_);
    }
    int number() const { return number_; }

private:
    int number_ = -1;
};

struct vm_files {
    owned_file kernel;
    owned_file initrd;
    owned_file node;
    owned_file console;
    owned_file control;
    owned_file report;
};

/// In the child: keeps these files alone, gives every right up, and becomes hv-vmm.
/// go        what is waited for;  failure   gets errno where it does not come to that
[[noreturn]] void become_vm(launch_request const& request, vm_files const& files, int go,
                            int failure);

}
