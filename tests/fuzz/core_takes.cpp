// SPDX-License-Identifier: MIT
// What the core says of a rule by itself.
// In a file of its own: core and daemon have names in common.
#include "vcpu/msr_table.hpp"

bool core_takes(hv_rule const& rule);
bool core_takes(hv_rule const& rule) {
    return bool{hv::policy::check(rule, std::uint64_t{1} << 52)} && !hv::misses_guest_msr(rule);
}
