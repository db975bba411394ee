// SPDX-License-Identifier: MIT
#pragma once
// Hypercalls that make, fill and unmake guest VMs. Each holds the machine's lock.
#include "guest/registry.hpp"
#include "root/shoot_down.hpp"

namespace hv {

/// Guests leave the pool what it takes to hide the donation that refills it, whatever a call takes.
template <typename Machine> status leave_some(Machine const& m) {
    return m.pool.available() < 16 ? status{error{errc::no_memory}} : status{done};
}

/// A page of the pool with a T on it.
template <typename T, typename Machine, typename... Arguments>
result<T*> make_on_page(Machine& m, hpa& at, Arguments&&... arguments) {
    static_assert(sizeof(T) <= page_bytes);
    at = HV_TRY(m.pool.take());
    auto const where = m.all.to_private_hva(at);
    HV_ASSERT(where);
    return new (reinterpret_cast<void*>(where.value().raw)) T{arguments...};
}

/// Whether rules let the VMs of `user` have `more` of it.
/// Errors   perm: one of them does not, and has a record.
template <typename Machine, typename Cpu>
status may_have(Machine& m, Cpu& c, std::uint32_t user, hv_vm_limit what, std::uint64_t more) {
    bool denied = false;
    m.rules().each_about(HV_RULE_VM, user, user, [&](hv_rule const& r) {
        std::uint64_t sum = more;
        for (auto const* vm : m.guests.vms) {
            if (vm == nullptr || vm->user < r.first || vm->user > r.last) continue;
            sum += what == HV_VM_COUNT ? 1 : what == HV_VM_PAGES ? vm->pages : vm->vcpus;
        }
        auto const limit = what == HV_VM_COUNT   ? r.mask
                           : what == HV_VM_PAGES ? r.pass_first
                                                 : r.pass_last;
        if (sum <= limit) return;
        event const e{event_kind::vm, HV_ACCESS_EXECUTE, user, what, sum, c.rip().raw};
        record_verdict(c.common(), c.reason(), e, {policy::action_of(r), r.id});
        denied = denied || policy::action_of(r) == action::deny;
    });
    return denied ? status{error{errc::perm}} : status{done};
}

/// Errors   no_space: all slots are in use. no_memory: the pool is empty. perm: may_have(). Nothing
///          changed.
template <typename Machine, typename Cpu>
result<std::uint64_t> create_vm(Machine& m, Cpu& c, std::uint64_t number) {
    using vm = typename Machine::guests_type::vm;
    auto const hold = hold_machine(m, c);
    auto& g = m.guests;
    std::uint32_t slot = 0;
    while (slot < g.vm_slots && g.vms[slot] != nullptr) ++slot;
    auto const user = static_cast<std::uint32_t>(number);
    if (user != number) return error{errc::invalid};
    if (slot == g.vm_slots) return error{errc::no_space};
    HV_TRY(may_have(m, c, user, HV_VM_COUNT, 1));
    HV_TRY(leave_some(m));
    HV_TRY(c.prepare_guests());
    hpa at{};
    auto* const made = HV_TRY(
        make_on_page<vm>(m, at, typename Machine::stage_type{m.tables, core_guard{m.all}}));
    if (auto const root = made->stage.init(m.stage.limits()); !root) {
        m.pool.give(at);
        return root.error();
    }
    made->at = at;
    made->user = user;
    made->number = ++g.serial * g.vm_slots + slot;
    g.vms[slot] = made;
    return made->number;
}

/// The exchange area of a new vcpu.
/// Errors   invalid: not pages that the root VM has shared, or another vcpu's.
template <typename Machine> result<hva> exchange_at(Machine& m, hpa at) {
    constexpr auto bytes = HV_EXCHANGE_PAGES * page_bytes;
    if (!at.aligned(page_bytes)) return error{errc::invalid};
    auto const run = m.all.run_at(at);
    if (run.kind != frame_kind::shared_write || run.bytes < bytes) return error{errc::invalid};
    if (!m.all.donated(at)) return error{errc::invalid};    // the mailbox
    for (auto const& s : m.guests.vcpus) {
        if (s.number.load() == 0) continue;
        auto const other = s.vcpu->exchange_at;
        if (at < other + bytes && other < at + bytes) return error{errc::invalid};
    }
    return m.all.to_hva(at);
}

template <typename Machine> void free_vcpu_pages(Machine& m, guest_vcpu const& v) {
    for (auto const page : {v.block_at, v.list_at, v.at}) m.pool.give(page);
}

template <typename Machine>
result<guest_vcpu*> make_vcpu(Machine& m, typename Machine::guests_type::vm const& of, hpa where) {
    auto const exchange = HV_TRY(exchange_at(m, where));
    HV_TRY(leave_some(m));
    hpa at{}, list_at{};
    auto* const v = HV_TRY(make_on_page<guest_vcpu>(m, at));
    v->at = at;
    v->list = HV_TRY(make_on_page<cpuid_list>(m, list_at));
    v->list_at = list_at;
    v->block_at = HV_TRY(m.pool.take());
    v->block = HV_TRY(m.all.to_private_hva(v->block_at));
    v->stage_root = of.stage.root();
    v->exchange_at = where;
    v->exchange = new (reinterpret_cast<void*>(exchange.raw)) hv_vcpu_exchange{};
    v->exchange->version = HV_ABI_VERSION;
    v->exchange->size = sizeof(hv_vcpu_exchange);
    return v;
}

/// Errors   bad_handle; no_space; no_memory; perm: may_have(); invalid: the exchange area. Nothing
///          changed.
template <typename Machine, typename Cpu>
result<std::uint64_t> create_vcpu(Machine& m, Cpu& c, std::uint64_t of, hpa exchange) {
    auto const hold = hold_machine(m, c);
    auto& g = m.guests;
    auto* const owner = HV_TRY(g.find(of));
    if (owner->vcpus == HV_MAX_VCPUS) return error{errc::no_space};
    std::uint32_t slot = 0;
    while (slot < g.vcpu_slots && g.vcpus[slot].number.load() != 0) ++slot;
    if (slot == g.vcpu_slots) return error{errc::no_space};
    HV_TRY(may_have(m, c, owner->user, HV_VM_VCPUS, 1));
    auto* const v = HV_TRY(make_vcpu(m, *owner, exchange));
    v->slot = slot;
    v->number = ++g.serial * g.vcpu_slots + slot;
    g.vcpus[slot].vcpu = v;
    g.vcpus[slot].owner = owner;
    ++owner->vcpus;
    g.vcpus[slot].number.store(v->number);
    return v->number;
}

/// The slot is taken, so the vcpu does not run and will not.
template <typename Machine>
void remove_vcpu(Machine& m, typename Machine::guests_type::vcpu_slot& s) {
    --s.owner->vcpus;
    s.number.store(0);
    free_vcpu_pages(m, *s.vcpu);
    s.vcpu = nullptr;
    s.owner = nullptr;
    s.taken.store(0);
}

template <typename Machine, typename Cpu>
status destroy_vcpu(Machine& m, Cpu& c, std::uint64_t number) {
    auto const hold = hold_machine(m, c);
    remove_vcpu(m, *HV_TRY(m.guests.take(number)));
    return done;
}

/// Errors   bad_handle. busy: a vcpu runs; nothing changed.
template <typename Machine, typename Cpu>
status destroy_vm(Machine& m, Cpu& c, std::uint64_t number) {
    auto const hold = hold_machine(m, c);
    auto& g = m.guests;
    auto* const vm = HV_TRY(g.find(number));
    for (std::uint32_t i = 0; i < g.vcpu_slots; ++i) {
        auto& s = g.vcpus[i];
        if (s.number.load() == 0 || s.owner != vm || g.take(s.number.load())) continue;
        for (std::uint32_t back = 0; back < i; ++back)
            if (g.vcpus[back].number.load() != 0 && g.vcpus[back].owner == vm)
                g.vcpus[back].taken.store(0);
        return error{errc::busy};
    }
    for (auto& s : g.vcpus)
        if (s.number.load() != 0 && s.owner == vm) remove_vcpu(m, s);
    vm->stage.release();
    g.vms[number % g.vm_slots] = nullptr;
    m.pool.give(vm->at);
    return shoot_down(m, c);
}

/// Memory of the root VM becomes the guest's too.
/// Errors   see HV_CALL_VM_MAP in abi/call.h.
template <typename Machine, typename Cpu>
status map_guest(Machine& m, Cpu& c, std::uint64_t number, gpa_span at, hpa to, rights r) {
    auto const hold = hold_machine(m, c);
    auto* const vm = HV_TRY(m.guests.find(number));
    hpa_span const target{to, at.bytes};
    if (!at.pages() || !target.pages() || at.bytes > page_2m_bytes) return error{errc::invalid};
    if (!includes(r, rights::read) || !target.within(m.top_of_ram)) return error{errc::invalid};
    if (m.mtrrs.type_of(target) != memory_type::wb) return error{errc::invalid};
    if (m.all.touches(target)) return error{errc::perm};
    auto const watched = m.rules().memory_at(gpa{to.raw});
    if (watched.watched != 0 || watched.bytes < at.bytes) return error{errc::perm};
    std::uint64_t more = 0;
    for (std::uint64_t offset = 0; offset < at.bytes; offset += page_bytes) {
        auto const now = vm->stage.translate(at.first + offset);
        if (now && now->to != to + offset) return error{errc::exists};
        if (!now) ++more;
    }
    if (more != 0) HV_TRY(may_have(m, c, vm->user, HV_VM_PAGES, more));
    HV_TRY(leave_some(m));
    HV_TRY(vm->stage.map(at, to, r, memory_type::wb));
    vm->pages += more;
    return done;
}

template <typename Machine, typename Cpu>
status unmap_guest(Machine& m, Cpu& c, std::uint64_t number, gpa_span at) {
    auto const hold = hold_machine(m, c);
    auto* const vm = HV_TRY(m.guests.find(number));
    std::uint64_t gone = 0;
    m.guests.each_part(*vm, at, [&](hpa, std::uint64_t bytes) { gone += bytes / page_bytes; });
    HV_TRY(vm->stage.unmap(at));
    vm->pages -= gone;
    return shoot_down(m, c);
}

}    // namespace hv
