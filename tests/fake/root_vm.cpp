// SPDX-License-Identifier: MIT
#include "hoisted.hpp"
#include "hoisted_svm.hpp"

namespace fake {

root_vm::root_vm(std::uint32_t cpus, vendor maker)
    : machine{cpus, maker}, seen_records_(cpus), injected_before_(cpus) {
    machine.on_nmi = [this](std::uint32_t n) {
        if (!deaf) nmi(n);
    };
}

std::unique_ptr<root_vm> root_vm::hoisted_on(vendor maker) {
    if (maker == vendor::amd) return std::make_unique<hoisted_svm>();
    return std::make_unique<hoisted>();
}

void root_vm::launch_all() {
    for (std::uint32_t n = 0; n < machine.cpus.size(); ++n) {
        auto args = machine.arguments(n);
        auto const error = machine.launch(n, args);
        if (error == 0) continue;
        problems.push_back("launch failed at step " + std::to_string(args.step));
        for (auto const& rule : hw(n).broken_rules) problems.push_back(rule);
        return;
    }
}

hv_cpu_shared& root_vm::shared(std::uint32_t n) const {
    auto const page = machine.layout().shared_cpu_first() + n * hv::shared_cpu_pages;
    return *reinterpret_cast<hv_cpu_shared*>(machine.hva_of_page(page).raw);
}

std::int64_t root_vm::call(std::uint32_t n, std::uint64_t number, std::uint64_t a, std::uint64_t b,
                           std::uint64_t c, std::uint64_t d) {
    gpr(n).rax = number;
    gpr(n).rdi = board::secret;
    gpr(n).rsi = a;
    gpr(n).rdx = b;
    gpr(n).r10 = c;
    gpr(n).r8 = d;
    hypercall(n);
    return static_cast<std::int64_t>(gpr(n).rax);
}

std::int64_t root_vm::load(std::vector<hv_rule> const& rules, std::uint64_t generation,
                           std::uint32_t n) {
    for (std::size_t i = 0; i < rules.size(); ++i) (&mailbox<hv_rule>())[i] = rules[i];
    return call(n, HV_CALL_POLICY_LOAD, rules.size(), generation);
}

std::vector<hv_record> root_vm::records(std::uint32_t n) {
    std::vector<hv_record> news;
    auto const* ring = reinterpret_cast<hv_record const*>(reinterpret_cast<char*>(&shared(n)) +
                                                          4096);
    for (; seen_records_[n] < shared(n).head; ++seen_records_[n])
        news.push_back(ring[seen_records_[n] % HV_RING_RECORDS]);
    if (!common(n).records.release(seen_records_[n])) problems.emplace_back("ring not released");
    return news;
}

std::optional<std::uint64_t> root_vm::delivered(std::uint32_t n) {
    if (hw(n).injected.size() == injected_before_[n]) return std::nullopt;
    return hw(n).injected.back();
}

std::uint64_t root_vm::findings() {
    call(0, HV_CALL_AUDIT);
    return mailbox<hv_audit>().findings;
}

instruction io_instruction(std::uint16_t port, std::uint16_t bytes, bool in, bool string) {
    auto const qualification = std::uint64_t{port} << 16 | std::uint64_t{string} << 4 |
                               std::uint64_t{in} << 3 | (bytes - 1u);
    auto const info = std::uint64_t{port} << 16 | std::uint64_t{bytes} << 4 |
                      std::uint64_t{string} << 2 | std::uint64_t{in};
    return {30, 0x7b, qualification, info, 1, port, bytes};
}

instruction watched_instruction(std::uint32_t which) {
    // In the order of enum hv_instruction; SVM has no exit for the last two.
    static constexpr std::uint32_t reasons[] = {16, 51, 15, 54, 14, 39, 36, 57, 61};
    static constexpr std::uint64_t codes[] = {0x6e, 0x87, 0x6f, 0x89, 0x79, 0x8a, 0x8b, 0, 0};
    return {reasons[which], codes[which], 0, 0, 3, 0, 0};
}

bool root_vm::watches_port(std::uint64_t map, instruction const& i) const {
    auto const at = frames().to_private_hva(hv::hpa{map});
    if (!at) return false;
    auto const* bits = reinterpret_cast<unsigned char const*>(at.value().raw);
    bool watched = false;
    for (unsigned port = i.port; port < i.port + unsigned{i.bytes}; ++port)
        watched = watched || (bits[port / 8] >> port % 8 & 1) != 0;
    return watched;
}

hv_rule memory_rule(std::uint32_t id, std::uint64_t first, std::uint64_t last, std::uint16_t action,
                    std::uint32_t access) {
    return {id, HV_RULE_MEMORY, action, access, 0, first, last, 0, 0, 0, 0};
}
hv_rule msr_rule(std::uint32_t id, std::uint64_t first, std::uint64_t last, std::uint16_t action,
                 std::uint32_t access) {
    return {id, HV_RULE_MSR, action, access, 0, first, last, 0, 0, 0, 0};
}
hv_rule cr_rule(std::uint32_t id, unsigned number, std::uint64_t mask, std::uint16_t action) {
    return {id, HV_RULE_CR, action, HV_ACCESS_WRITE, 0, number, number, mask, 0, 0, 0};
}
hv_rule table_rule(std::uint32_t id, std::uint64_t first, std::uint64_t last,
                   std::uint16_t action) {
    auto const mask = (2ull << last) - (1ull << first);
    return {id, HV_RULE_DTR, action, HV_ACCESS_WRITE, 0, 0, 0, mask, 0, 0, 0};
}
hv_rule io_rule(std::uint32_t id, std::uint64_t first, std::uint64_t last, std::uint16_t action,
                std::uint32_t access) {
    return {id, HV_RULE_IO, action, access, 0, first, last, 0, 0, 0, 0};
}
hv_rule xcr_rule(std::uint32_t id, std::uint64_t mask, std::uint16_t action) {
    return {id, HV_RULE_XCR, action, HV_ACCESS_WRITE, 0, 0, 0, mask, 0, 0, 0};
}
hv_rule cpuid_rule(std::uint32_t id, std::uint64_t leaf, std::uint64_t eax_ebx,
                   std::uint64_t ecx_edx, std::uint16_t action) {
    return {id,         HV_RULE_CPUID,           action,  HV_ACCESS_READ, 0,
            leaf << 32, leaf << 32 | 0xffffffff, eax_ebx, ecx_edx,        0,
            0};
}
hv_rule instruction_rule(std::uint32_t id, std::uint64_t mask, std::uint16_t action) {
    return {id, HV_RULE_INSTRUCTION, action, HV_ACCESS_EXECUTE, 0, 0, 0, mask, 0, 0, 0};
}
hv_rule debug_rule(std::uint32_t id, std::uint64_t mask, std::uint16_t action) {
    return {id, HV_RULE_DR, action, HV_ACCESS_WRITE, 0, 0, 0, mask, 0, 0, 0};
}
hv_rule limit_rule(std::uint32_t id, users of, limits most, std::uint16_t action) {
    return {id,      HV_RULE_VM, action,     HV_ACCESS_EXECUTE, 0, of.first,
            of.last, most.vms,   most.pages, most.vcpus,        0};
}
hv_rule of_guests(hv_rule r, users of) {
    r.flags |= HV_RULE_GUEST;
    r.mask = of.first | std::uint64_t{of.last} << 32;
    return r;
}
hv_rule on_cpus(hv_rule r, std::initializer_list<std::uint32_t> n) {
    for (auto const each : n) r.cpus |= 1ull << (first_cpu_id + each);
    return r;
}

hv_rule lasting(hv_rule r, std::uint32_t flags) {
    r.flags |= flags;
    return r;
}

hv_rule passing(hv_rule r, std::uint64_t first, std::uint64_t last) {
    r.flags |= HV_RULE_PASSES;
    r.pass_first = first;
    r.pass_last = last;
    return r;
}

}    // namespace fake
