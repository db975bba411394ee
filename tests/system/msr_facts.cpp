// SPDX-License-Identifier: MIT
// msr_facts vmx|svm: what that backend decides for each MSR of its bitmap, for the guest's shell:
// "range FIRST LAST", "reads NUMBER" that leave guest operation in these ranges, then
// "deny FIRST LAST" for each run of denied writes.
#include <cstdint>
#include <cstdio>
#include <string_view>

#include "svm/msr_list.hpp"
#include "vmx/msr_list.hpp"

namespace {

struct range {
    std::uint32_t first, last;
};

constexpr range both[] = {{0, 0x1fff}, {0xc0000000, 0xc0001fff}};
constexpr range amd = {0xc0010000, 0xc0011fff};

hv::msr_decision decide(bool svm, std::uint64_t index, bool write) {
    auto const number = static_cast<std::uint32_t>(index);
    return svm ? hv::decide_msr(hv::svm::msr_table, number, write)
               : hv::decide_msr(hv::vmx::msr_table, number, write);
}

bool denied(bool svm, std::uint64_t index) {
    return decide(svm, index, true) == hv::msr_decision::deny;
}

void print(char const* what, std::uint64_t first, std::uint64_t last) {
    std::printf("%s 0x%llx 0x%llx\n", what, static_cast<unsigned long long>(first),
                static_cast<unsigned long long>(last));
}

unsigned print_range(bool svm, range in) {
    unsigned exits = 0;
    print("range", in.first, in.last);
    for (std::uint64_t at = in.first; at <= in.last; ++at) {
        if (decide(svm, at, false) != hv::msr_decision::pass) ++exits;
    }
    for (std::uint64_t at = in.first; at <= in.last; ++at) {
        if (!denied(svm, at)) continue;
        auto const first = at;
        while (at <= in.last && denied(svm, at)) ++at;
        print("deny", first, at - 1);
    }
    return exits;
}

}

int main(int count, char** argument) {
    bool const svm = count > 1 && std::string_view{argument[1]} == "svm";
    unsigned exits = 0;
    for (auto const& each : both) exits += print_range(svm, each);
    if (svm) exits += print_range(svm, amd);
    std::printf("reads %u\n", exits);
}
