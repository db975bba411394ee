// SPDX-License-Identifier: MIT
#include "daemon/views/backend_notes.hpp"

#include <array>

namespace hv {
namespace {

constexpr std::array<std::string_view, 2> vmx{
    "Intel VT-x: CPUID goes through the core, which shows no VMX and names itself at 0x40000000",
    "a CPU that goes offline waits in the core, where the CPU can hold an INIT",
};
constexpr std::array<std::string_view, 2> svm{
    "AMD SVM: CPUID is the CPU's own and costs no exit; SVM looks switched off by firmware",
    "a CPU leaves the core before it goes offline, and is hoisted again when it comes back",
};

}

std::span<std::string_view const> backend_notes(std::string_view backend) {
    if (backend == "vmx") return vmx;
    if (backend == "svm") return svm;
    return {};
}

}
