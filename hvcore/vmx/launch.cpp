// SPDX-License-Identifier: MIT
#include "vmx/launch.hpp"
#include "arch/trap.hpp"
#include "vmx/capabilities.hpp"
#include "vmx/entry.hpp"

namespace hv::vmx {

bool vendor_is_vmx() {
    using c1 = cpuid::leaf_1_ecx;
    return make<c1>(insn::cpuid(1, 0).ecx).get<c1::vmx>();
}

namespace {

status check_cpu(launch_progress& progress) {
    HV_TRY(progress.reach(HV_STEP_FEATURE_CONTROL));
    progress.detail = insn::rdmsr(msr::ia32_feature_control);
    auto const f = make<msr::feature_control>(progress.detail);
    if (!f.get<msr::feature_control::locked>() || !f.get<msr::feature_control::vmx_outside_smx>())
        return error{errc::no_device};
    HV_TRY(progress.reach(HV_STEP_IN_USE));
    progress.detail = insn::read_cr4();
    if (make<cr4>(progress.detail).get<cr4::vmxe>()) return error{errc::busy};
    return done;
}

unsigned max_phy_addr() { return insn::cpuid(0x80000008, 0).eax & 0xff; }

/// Everything that all CPUs share, on the first one.
status build_machine(root_machine& m, hv_launch const& a, image_sizes const& sizes, hva base,
                     stage_limits const& limits, launch_progress& progress) {
    if (auto const built = build_memory(m, a, sizes, base); !built) {
        progress.back_to(HV_STEP_ARGUMENTS);    // the chunks are not what the layout needs
        return built.error();
    }
    m.max_phy_addr = max_phy_addr();
    fill_idt(m.idt);
    HV_TRY(build_second_stage(m, a, limits, progress));
    m.ready = true;
    return done;
}

/// The CPU's ring and counters, which outlive a launch: a CPU that left and comes back goes on
/// counting.
void build_ring(cpu& c, root_machine const& m, hv_launch const& a, hva base) {
    auto const page = m.all.layout().shared_cpu_first() + std::uint64_t{shared_cpu_pages} * a.cpu;
    auto const shared = page_at(base, page).raw;
    c.base.shared = new (reinterpret_cast<void*>(shared)) hv_cpu_shared{};
    c.base.shared->version = HV_ABI_VERSION;
    c.base.shared->size = sizeof(hv_cpu_shared);
    c.base.shared->cpu = a.cpu;
    c.base.shared->cpu_id = a.cpu_id;
    c.base.records = recorder{*c.base.shared, reinterpret_cast<hv_record*>(shared + page_bytes)};
}

/// The CPU's own part of the core: its area, GDT, TSS, stacks, ring.
result<cpu*> build_cpu(root_machine& m, hv_launch const& a, cpu_area area, hva base) {
    static_assert(sizeof(cpu) <= 1024, "leaves less than 15 KiB of stack");
    auto* const at = reinterpret_cast<void*>(area.cpu_at().raw);
    auto& c = m.built[a.cpu] ? *static_cast<cpu*>(at) : *new (at) cpu;
    c.owner = &m;
    c.vmxon_at = HV_TRY(m.all.to_hpa(area.page(cpu_area::vmxon)));
    c.vmcs_at = HV_TRY(m.all.to_hpa(area.page(cpu_area::vmcs)));
    c.base.tss.ist[ist_double_fault - 1] = area.stack_top_of(cpu_area::double_fault).raw;
    c.base.tss.ist[ist_machine_check - 1] = area.stack_top_of(cpu_area::machine_check).raw;
    c.base.tss.ist[ist_nmi - 1] = area.stack_top_of(cpu_area::nmi).raw;
    c.base.gdt.set_task(hva{reinterpret_cast<std::uint64_t>(&c.base.tss)});
    c.base.apic_id = initial_apic_id();
    c.base.pending_work.store(0);
    c.base.synchronise_requested.store(0);
    c.base.nmi_waits = false;
    if (!m.built[a.cpu]) {
        build_ring(c, m, a, base);
        m.space.unmap(area.page(cpu_area::guard), page_bytes);
    }
    insn::invlpg(area.page(cpu_area::guard));
    m.built[a.cpu] = true;
    c.exits_before = c.exits();
    return &c;
}

}    // namespace

status enter_vmx(cpu& c, launch_progress& progress) {
    auto const revision = static_cast<std::uint32_t>(
        make<basic>(insn::rdmsr(msr::ia32_vmx_basic)).get<basic::revision>());
    for (auto at : {c.vmxon_at, c.vmcs_at})
        *reinterpret_cast<std::uint32_t*>(HV_TRY(c.owner->all.to_hva(at)).raw) = revision;
    HV_TRY(progress.reach(HV_STEP_VMXON));
    insn::write_cr4(make<cr4>(insn::read_cr4()).with<cr4::vmxe>(true).raw);
    if (!insn::vmxon(c.vmxon_at)) {
        insn::write_cr4(make<cr4>(insn::read_cr4()).with<cr4::vmxe>(false).raw);
        return error{errc::busy};
    }
    return done;
}

void leave_vmx(cpu& c) {
    static_cast<void>(insn::vmclear(c.vmcs_at));    // so that the CPU does not write to it later
    insn::vmxoff();
    insn::write_cr4(make<cr4>(insn::read_cr4()).with<cr4::vmxe>(false).raw);
}

namespace {

/// From VMXON to VMLAUNCH; the caller leaves VMX operation on any error.
status load_and_launch(cpu& c, hv_launch const& a, control_set const& controls,
                       launch_progress& progress) {
    HV_TRY(progress.reach(HV_STEP_VMCLEAR));
    if (!insn::vmclear(c.vmcs_at)) return error{errc::io};
    HV_TRY(progress.reach(HV_STEP_VMPTRLD));
    if (!insn::vmptrld(c.vmcs_at)) return error{errc::io};
    HV_TRY(progress.reach(HV_STEP_CONTROLS));
    write_controls(c, a.cpu, controls);
    write_host_state(c);
    HV_TRY(progress.reach(HV_STEP_GUEST_STATE));
    write_guest_state(c, a);
    c.load_masks();
    // Left over from a hoist before this one: same EPT pointer, same VPID.
    if (!insn::invept(invalidate_all_contexts, 0) || !insn::invvpid(invalidate_all_contexts, 0))
        return error{errc::io};
    HV_TRY(progress.reach(HV_STEP_VMLAUNCH));
    c.launch_cr3 = insn::read_cr3();
    c.base.state.store(cpu_state::running);
    c.base.shared->launched = 1;
    c.owner->cpus[a.cpu] = &c.base;
    c.base.records.append({.tsc = insn::rdtsc(), .kind = HV_RECORD_LAUNCHED});
    bool const spoil = !progress.reach(HV_STEP_ENTRY);
    if (spoil) c.vmcs.write<guest_rflags>(rflags{});    // a test wants the entry itself to fail
    auto const how = hv_vmx_launch(c);
    c.base.state.store(cpu_state::absent);
    c.base.shared->launched = 0;
    progress.root_state = how == launch_entry_failed;
    if (progress.root_state) {
        progress.detail = c.vmcs.read<exit_reason_field>();
        restore_linux_state(c);
    } else {
        progress.back_to(HV_STEP_VMLAUNCH);
        progress.detail = c.vmcs.read<instruction_error>();
    }
    return error{errc::io};
}

}    // namespace

status launch(hv_launch const& a, root_machine& m, cpu_area area, image_sizes const& sizes,
              hva base, launch_progress& progress) {
    HV_TRY(check_cpu(progress));
    HV_TRY(progress.reach(HV_STEP_CAPABILITIES));
    auto const controls = HV_TRY(choose_controls(progress.detail));
    // Only now: a CPU whose controls know neither EPT nor VPID has no MSR that tells of them.
    auto const limits = HV_TRY(ept_limits(max_phy_addr(), progress.detail));
    if (!m.ready) HV_TRY(build_machine(m, a, sizes, base, limits, progress));
    m.time_slices = controls.time_slices && (a.cpu == 0 || m.time_slices);
    HV_TRY(progress.reach(HV_STEP_HOST_STATE));
    auto& c = *HV_TRY(build_cpu(m, a, area, base));
    HV_TRY(enter_vmx(c, progress));
    auto const failed = load_and_launch(c, a, controls, progress);
    leave_vmx(c);
    return failed;
}

}    // namespace hv::vmx
