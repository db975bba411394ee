// SPDX-License-Identifier: MIT
// Prints what the core decides for each MSR of both bitmap ranges, as runs for the guest's shell:
// "reads NUMBER" that leave guest operation, then "deny FIRST LAST" for each run of denied writes.
#include <cstdint>
#include <cstdio>

#include "vcpu/msr_table.hpp"

namespace {

struct range {
    std::uint32_t first, last;
};

constexpr range bitmap[] = {{0, 0x1fff}, {0xc0000000, 0xc0001fff}};

bool denied(std::uint64_t index) {
    return hv::decide_msr(static_cast<std::uint32_t>(index), true) == hv::msr_decision::deny;
}

void print_denied(range in) {
    for (std::uint64_t at = in.first; at <= in.last; ++at) {
        if (!denied(at)) continue;
        auto const first = at;
        while (at <= in.last && denied(at)) ++at;
        std::printf("deny 0x%llx 0x%llx\n", static_cast<unsigned long long>(first),
                    static_cast<unsigned long long>(at - 1));
    }
}

}

int main() {
    unsigned exits = 0;
    for (auto const& each : bitmap) {
        for (std::uint64_t at = each.first; at <= each.last; ++at) {
            auto const how = hv::decide_msr(static_cast<std::uint32_t>(at), false);
            if (how != hv::msr_decision::pass) ++exits;
        }
    }
    std::printf("reads %u\n", exits);
    for (auto const& each : bitmap) print_denied(each);
}
