// SPDX-License-Identifier: MIT
#include "daemon/policy/guest_reader.hpp"

#include <algorithm>
#include <array>

#include "daemon/policy/names.hpp"
#include "daemon/policy/scope_reader.hpp"
#include "daemon/policy/user_reader.hpp"
#include "daemon/text/number.hpp"
#include "daemon/text/vm_name.hpp"

namespace hv {
namespace {

constexpr std::uint64_t no_limit = ~0ull;
constexpr std::uint64_t most_counted = 0xffffffff;
constexpr std::uint64_t most_memory = 1ull << 52;

struct msr_range {
    std::uint64_t first;
    std::uint64_t last;
};
/// Those that a guest has without an exit: SYSENTER's, SYSCALL's, the bases, PAT, EFER and the TSC.
constexpr std::array without_exit{msr_range{0x10, 0x10}, msr_range{0x174, 0x176},
                                  msr_range{0x277, 0x277}, msr_range{0xc0000080, 0xc0000084},
                                  msr_range{0xc0000100, 0xc0000102}};

/// The user is not known before somebody asks hvd.
void name_vm(value const& from, read_rule& into) {
    into.compiled.vm = read_vm_name(from);
    into.vm_path = from.path();
    set_users(into.compiled.rule, {});
}

/// Whose VMs: "users" or "vm" of `from`, one of the two.
void read_whose(value const& from, read_rule& into) {
    auto const users = from.find("users");
    auto const vm = from.find("vm");
    if (users.has_value() == vm.has_value()) from.fail("expected one of \"users\" and \"vm\"");
    if (vm) return name_vm(*vm, into);
    set_users(into.compiled.rule, read_users(*users));
}

std::uint64_t read_count(value const& entry, std::string_view key) {
    auto const given = entry.find(key);
    return given ? given->number_between(0, most_counted) : no_limit;
}

std::uint64_t read_pages(value const& entry) {
    auto const given = entry.find("memory");
    if (!given) return no_limit;
    auto const bytes = given->number("bytes of memory");
    if (bytes % HV_PAGE_BYTES != 0 || bytes > most_memory) {
        given->fail("expected whole pages, a multiple of 4096 and at most " + hex(most_memory) +
                    ", found " + std::to_string(bytes));
    }
    return bytes / HV_PAGE_BYTES;
}

}

void read_vm_rule(value const& entry, read_rule& into) {
    only_rule_keys(entry, {"users", "vm", "vms", "vcpus", "memory"});
    auto& rule = into.compiled.rule;
    rule.access = HV_ACCESS_EXECUTE;
    read_whose(entry, into);
    rule.mask = read_count(entry, "vms");
    rule.pass_last = read_count(entry, "vcpus");
    rule.pass_first = read_pages(entry);
    if (rule.mask == no_limit && rule.pass_last == no_limit && rule.pass_first == no_limit) {
        entry.fail("expected at least one of \"vms\", \"vcpus\" and \"memory\"");
    }
    auto const& vm = into.compiled.vm;
    into.compiled.object = vm.empty() ? object_text(rule) : "VM " + vm + ": " + limits_text(rule);
}

bool read_guests(value const& entry, read_rule& into) {
    auto const guests = entry.find("guests");
    if (!guests) return false;
    auto& compiled = into.compiled;
    if (auto const given = entry.find("value")) {
        given->fail("is about Linux: a rule with \"guests\" has none");
    }
    auto const object = object_text(compiled.rule);
    compiled.rule.flags |= HV_RULE_GUEST;
    if (guests->is(json_node::kind::object)) {
        guests->only({"users", "vm"});
        read_whose(*guests, into);
    } else {
        if (guests->text("\"all\", {\"users\": …} or {\"vm\": NAME}") != "all") {
            guests->fail("expected \"all\", {\"users\": …} or {\"vm\": NAME}");
        }
        set_users(compiled.rule, {0, last_user});
    }
    compiled.object = compiled.vm.empty() ? object_text(compiled.rule)
                                          : object + " of VM " + compiled.vm;
    return true;
}

void check_guest_msrs(value const& from, hv_rule const& rule) {
    for (auto const& each : without_exit) {
        if (rule.first > each.last || each.first > rule.last) continue;
        auto const first = std::max(rule.first, each.first);
        from.fail("guests have " + msr_text(first) + " (" + hex(first) +
                  ") without an exit, where no rule is asked: expected other MSRs");
    }
}

}
