// SPDX-License-Identifier: MIT
// What an exit on RDMSR or WRMSR comes to: for every MSR, whatever the rules say.
#include "prove.hpp"
#include "root/msr_event.hpp"
#include "svm/cpu.hpp"
#include "vmx/cpu.hpp"

// turns 70 in read_vmx read_svm written_vmx written_svm
// instead rules in read_vmx read_svm written_vmx written_svm: the_rules
// That the index of rules answers as the rules say is policy.cpp's.
// instead _ZNK2hv6policy8rule_set6decide in read_vmx read_svm written_vmx written_svm: a_rule_says
// instead write_guarded in written_vmx written_svm: a_guard_says
// instead append in read_vmx read_svm written_vmx written_svm: a_record
// instead _ZNK2hv3vmx3cpu8read_msr in read_vmx: the_cpu_reads
// instead _ZNK2hv3svm3cpu8read_msr in read_svm: the_cpu_reads
// instead _ZNK2hv3vmx3cpu8read_msr in written_vmx: the_cpu_tells
// instead _ZNK2hv3svm3cpu8read_msr in written_svm: the_cpu_tells
// instead _ZNK2hv3vmx3cpu9write_msr in written_vmx: the_cpu_writes
// instead _ZN2hv3svm3cpu9write_msr in written_svm: the_cpu_writes

namespace asked {
inline constinit hv::verdict rule{};
inline constinit bool guard{}, cpu{};
inline constinit unsigned records{};
}    // namespace asked
extern "C" hv::verdict a_rule_says(void const* /*rules*/, hv::event const& e) {
    asked::rule = {static_cast<hv::action>(prove_any_u8()), prove_any_u32()};
    prove_assume(asked::rule.action <= hv::action::deny);
    // policy::check(): only writes are kept from what they write.
    prove_assume(asked::rule.action != hv::action::keep || e.access == HV_ACCESS_WRITE);
    return asked::rule;
}
extern "C" hv::guarded a_guard_says(void* /*machine*/, void* /*cpu*/, std::uint32_t /*index*/,
                                    std::uint64_t /*value*/) {
    asked::guard = true;
    return prove_any_bool() ? hv::guarded::write : hv::guarded::fault;
}

extern "C" bool a_record(void* /*recorder*/, hv_record const& /*r*/) {
    ++asked::records;
    return prove_any_bool();    // the ring may be full
}
extern "C" bool the_cpu_reads(void* /*cpu*/, std::uint32_t /*index*/, std::uint64_t& value) {
    asked::cpu = true;
    value = prove_any_u64();
    return prove_any_bool();
}
/// What an MSR held before.
extern "C" bool the_cpu_tells(void* /*cpu*/, std::uint32_t /*index*/, std::uint64_t& value) {
    value = prove_any_u64();
    return prove_any_bool();
}
extern "C" bool the_cpu_writes(void* /*cpu*/, std::uint32_t /*index*/, std::uint64_t /*value*/) {
    asked::cpu = true;
    return prove_any_bool();
}

using namespace hv;
extern vmx::cpu any_vmx_cpu;
extern vmx::root_machine any_vmx_machine;
extern svm::cpu any_svm_cpu;
extern svm::root_machine any_svm_machine;
extern svm::vmcb any_vmcb;
extern policy::rule_set any_rules;
extern "C" policy::rule_set* the_rules(void* /*machine*/) { return &any_rules; }

namespace {

/// An exit on an MSR, with any registers, rules and control block.
template <typename Cpu, typename Machine> general_registers an_exit(Cpu& c, Machine& m) {
    c.owner = &m;
    c.base.gpr.rcx = HV_INPUT("index");
    c.base.gpr.rax = HV_INPUT("rax");
    c.base.gpr.rdx = HV_INPUT("rdx");
    return c.base.gpr;
}

/// What an exit on RDMSR comes to: a rule that denies does, else the list decides.
template <typename Map, typename Cpu, typename Machine> void read(Cpu& c, Machine& m) {
    auto const before = an_exit(c, m);
    bool const taken = read_msr(c);
    auto const built_in = decide_msr(Map::list(), static_cast<std::uint32_t>(before.rcx), false);
    if (built_in == msr_decision::deny) prove_check(!taken, "a read that the list denies");
    if (asked::rule.action == action::deny) prove_check(!taken, "a read that a rule denies");
    if (built_in == msr_decision::ignore && taken)
        prove_check(c.base.gpr.rax == 0 && !asked::cpu, "a read that is to say nothing");
    auto const& now = c.base.gpr;
    if (!taken)
        prove_check(now.rax == before.rax && now.rdx == before.rdx,
                    "a read that faults and changes a register");
    if (taken) prove_check((now.rax | now.rdx) >> 32 == 0, "more than half a value");
    if (asked::rule.action != action::allow)
        prove_check(asked::records != 0, "a rule that applies and leaves no record");
    taken ? prove_reach("a read that is taken") : prove_reach("a read that faults");
}

/// And on WRMSR: what is denied or ignored reaches neither the CPU nor a control block.
template <typename Map, typename Cpu, typename Machine> void written(Cpu& c, Machine& m) {
    auto const index = static_cast<std::uint32_t>(an_exit(c, m).rcx);
    bool const taken = write_msr(c);
    auto const built_in = decide_msr(Map::list(), index, true);
    bool const kept = asked::rule.action == action::keep;
    if (kept) prove_check(taken && !asked::cpu && !asked::guard, "a write that is not kept out");
    if (asked::rule.action == action::deny || (built_in == msr_decision::deny && !kept))
        prove_check(!taken && !asked::cpu && !asked::guard,
                    "a write that is denied and reaches it");
    if (built_in == msr_decision::ignore)
        prove_check(!asked::cpu && !asked::guard, "a write that is to do nothing");
    if (built_in == msr_decision::guard)
        prove_check(!asked::cpu, "a write past the check of its value");
    if (asked::rule.action != action::allow || built_in == msr_decision::deny)
        prove_check(asked::records != 0, "a denial that leaves no record");
    if (kept) prove_reach("a write without effect");
    taken ? prove_reach("a write that is taken") : prove_reach("a write that faults");
}

}    // namespace

extern "C" void read_vmx() { read<vmx::msr_bitmap>(any_vmx_cpu, any_vmx_machine); }
extern "C" void written_vmx() { written<vmx::msr_bitmap>(any_vmx_cpu, any_vmx_machine); }
extern "C" void read_svm() {
    any_svm_cpu.block = &any_vmcb;
    read<svm::msr_permissions>(any_svm_cpu, any_svm_machine);
}
extern "C" void written_svm() {
    any_svm_cpu.block = &any_vmcb;
    written<svm::msr_permissions>(any_svm_cpu, any_svm_machine);
}
