// SPDX-License-Identifier: MIT
// What rules have by name beside themselves: markers, and users of VMs.
#include <algorithm>

#include "daemon/policy/rule_book.hpp"

namespace hv {
namespace {

std::uint64_t markers_of(compiled_policy const& policy) {
    std::uint64_t markers = 0;
    for (auto const& each : policy.rules) {
        markers |= 1ull << marker_of(each.rule);
    }
    return markers;
}

}

std::uint64_t rule_book::markers_in_use(compiled_policy const& more) const {
    auto markers = reached_ | markers_of(more);
    for (auto const& each : policies_) {
        markers |= markers_of(each);
    }
    return markers;
}

/// A name keeps its number as long as no other needs it.
std::uint32_t rule_book::number_of_marker(std::string const& name, compiled_policy const& in) {
    for (auto const& [number, known] : markers_) {
        if (known == name) return number;
    }
    auto const used = markers_in_use(in);
    for (std::uint32_t number = HV_MARKER_SEAL + 1; number < HV_MARKERS; ++number) {
        if ((used >> number & 1) != 0) continue;
        markers_[number] = name;
        return number;
    }
    throw policy_error{"there are " + std::to_string(HV_MARKERS - HV_MARKER_SEAL - 1) +
                       " markers that rules wait for or that were reached, as many as the core "
                       "knows: no number is left for the marker \"" +
                       name + "\""};
}

void rule_book::number_markers(compiled_policy& policy) {
    for (auto& each : policy.rules) {
        if (each.marker.empty()) continue;
        each.rule.flags &= ~std::uint32_t{HV_RULE_MARKER_MASK};
        each.rule.flags |= number_of_marker(each.marker, policy) << HV_RULE_MARKER_SHIFT;
    }
}

std::vector<std::string> rule_book::waited_for() const {
    std::uint64_t markers = 0;
    for (auto const& each : policies_) {
        markers |= markers_of(each);
    }
    return marker_texts(markers & ~reached_, markers_);
}

std::optional<std::uint32_t> rule_book::marker_called(std::string const& name) const {
    auto const used = markers_in_use({});
    auto const at = std::find_if(markers_.begin(), markers_.end(), [&](auto const& each) {
        return each.second == name && (used >> each.first & 1) != 0;
    });
    if (at == markers_.end()) return std::nullopt;
    return at->first;
}

std::string rule_book::marker_name(std::uint32_t number) const {
    auto const at = markers_.find(number);
    return at == markers_.end() ? std::string{} : at->second;
}

std::map<std::string, std::uint32_t> rule_book::vm_users() const {
    std::map<std::string, std::uint32_t> out;
    for (auto const& policy : policies_) {
        for (auto const& each : policy.rules) {
            if (!each.vm.empty()) out[each.vm] = users_of(each.rule).first;
        }
    }
    return out;
}

}
