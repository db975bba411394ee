// SPDX-License-Identifier: MIT
// MSRs and CPUID of the fake CPU: which exist, and which values they take. SDM 4 2.1.
#include "cpu.hpp"

namespace fake {

namespace {

bool canonical(std::uint64_t a) { return a + (1ull << 47) < 1ull << 48; }

constexpr std::uint64_t physical = 0xfffffff000;    // 40 bits, whole pages

bool valid_type(std::uint64_t type) { return type <= 6 && type != 2 && type != 3; }

bool fixed_mtrr_ok(std::uint64_t value) {
    for (unsigned i = 0; i < 8; ++i)
        if (!valid_type(value >> 8 * i & 0xff)) return false;
    return true;
}

bool mtrr_ok(std::uint32_t index, std::uint64_t value) {
    if (index == 0x2ff) return (value & ~0xcffull) == 0 && valid_type(value & 0xff);
    if (index >= 0x250) return fixed_mtrr_ok(value);
    if ((index & 1) != 0) return (value & ~(physical | 0x800)) == 0;
    return (value & ~(physical | 0xff)) == 0 && valid_type(value & 0xff);
}

bool apic_base_ok(std::uint64_t now, std::uint64_t value) {
    if ((value & ~(physical | 0xd00)) != 0) return false;
    bool const enabled = (value & 0x800) != 0, x2 = (value & 0x400) != 0;
    if (x2 && !enabled) return false;
    bool const was_x2 = (now & 0x400) != 0;
    if (was_x2 && enabled && !x2) return false;    // x2APIC back to xAPIC only through off
    return !(x2 && !was_x2 && (now & 0x800) == 0);
}

}    // namespace

bool cpu::read_msr(std::uint32_t index, std::uint64_t& value) const {
    auto const found = msrs.value.find(index);
    if (found == msrs.value.end()) return false;
    value = found->second;
    return true;
}

bool cpu::msr_accepts(std::uint32_t index, std::uint64_t value) const {
    if (maker_ == vendor::amd && !amd_msr_accepts(index, value)) return false;
    switch (index) {
    case 0x1b:       return apic_base_ok(msrs(0x1b), value);
    case 0x3a:       return (msrs(0x3a) & 1) == 0;
    case 0x8b:       return true;
    case 0x175:
    case 0x176:
    case 0x6a4:
    case 0xc0000082:
    case 0xc0000083:
    case 0xc0000100:
    case 0xc0000101:
    case 0xc0000102: return canonical(value);
    case 0x1a0:      return (value & ~(msrs(0x1a0) | 0x400c51889ull)) == 0;
    case 0x1d9:      return (value & ~0xdfc3ull) == 0;
    case 0x277:      return entry_rule::pat(value);
    case 0xda0:      return (value & ~0x1900ull) == 0;
    case 0xc0000080: return maker_ == vendor::amd || (value & ~0xd01ull) == 0;
    case 0xfe:
    case 0x10a:
    case 0x17a:      return index == 0x17a && (value & ~7ull) == 0;
    default:         break;
    }
    if (index >= 0x200 && index <= 0x2ff && index != 0x277 && index < 0x280)
        return mtrr_ok(index, value);
    if (index == 0x2ff) return mtrr_ok(index, value);
    return index < 0x480 || index > 0x493;    // VMX capabilities are read-only
}

bool cpu::write_msr(std::uint32_t index, std::uint64_t value) {
    auto const found = msrs.value.find(index);
    if (found == msrs.value.end() || !msr_accepts(index, value)) return false;
    found->second = value;
    if (index == 0xc0000080 && svm.refuses_svme) found->second &= ~0x1000ull;
    if (index == 0xc0010114 && svm.ignores_redirect) found->second &= ~2ull;
    if (index == 0x830) {
        log(op::nmi_sent, value >> 32, value & 0xffffffff);
        if ((value >> 8 & 7) == 4) around_.send_nmi(static_cast<std::uint32_t>(value >> 32));
    }
    return true;
}

namespace {

// Capabilities as Debian's Bochs has them, but without VMWRITE to read-only fields and without
// software events of length 0 (bits 29 and 30 of MISC), which not every processor allows.
constexpr std::pair<std::uint32_t, std::uint64_t> present[] = {
    {0x10, 0},
    {0x1b, 0xfee00800},
    {0x3a, 5},
    {0x3b, 0},
    {0x48, 0},
    {0x49, 0},
    {0x79, 0},
    {0x8b, 0x100000000},
    {0xe7, 0},
    {0xe8, 0},
    {0x10a, 0},
    {0x10b, 0},
    {0x174, 0x10},
    {0x175, 0xfffffe0000001200},
    {0x176, 0xffffffff81a01560},
    {0x179, 0xc09},
    {0x17a, 0},
    {0x1a0, 0x850089},
    {0x1d9, 0},
    {0x277, 0x0407050600070106},
    {0x38f, 0},
    {0x3f1, 0},
    {0x480, 0x00d810000000002b},
    {0x485, 0x000401e0},
    {0x486, 0x80000021},
    {0x487, 0xffffffff},
    {0x488, 0x2000},
    {0x489, 0x3727ff},
    {0x48b, 0x02177fff00000000},
    {0x48c, 0x00000f0106334141},
    {0x48d, 0x0000007f00000016},
    {0x48e, 0xf7f9fffe04006172},
    {0x48f, 0x007fffff00036dfb},
    {0x490, 0x0000ffff000011fb},
    {0x560, 0},
    {0x600, 0},
    {0x6a0, 0},
    {0x6a2, 0},
    {0x6a4, 0},
    {0x6e0, 0},
    {0x830, 0},
    {0xda0, 0},
    {0xc0000080, 0xd01},
    {0xc0000081, 0x23001000000000},
    {0xc0000082, 0xffffffff81a00080},
    {0xc0000083, 0xffffffff81a01560},
    {0xc0000084, 0x257fd5},
    {0xc0000100, 0},
    {0xc0000101, 0xffff88807dc00000},
    {0xc0000102, 0},
    {0xc0000103, 0},
};

}    // namespace

msr_file default_msrs() {
    auto f = bochs_mtrrs();
    for (std::uint32_t n = 0; n < 8; ++n) {
        f.value.try_emplace(0x200 + 2 * n, 0);
        f.value.try_emplace(0x201 + 2 * n, 0);
    }
    for (auto const& [index, value] : present) f.value[index] = value;
    return f;
}

std::map<std::uint64_t, hv::cpuid_leaf> default_leaves(std::uint32_t apic_id) {
    auto at = [](std::uint64_t leaf, std::uint64_t subleaf = 0) { return leaf << 32 | subleaf; };
    return {
        {at(0), {0x1b, 0x756e6547, 0x6c65746e, 0x49656e69}},
        {at(1), {0x50654, apic_id << 24 | 0x20800, 0x7ffefbff, 0xbfebfbff}},
        {at(6), {0x8800f7, 2, 9, 0}},
        {at(7),
         {1, 0xd39ffffb | 1u << 2 | 1u << 25, 0x40c1418 | 1u << 23 | 1u << 30,
          0xbc000400 | 1u << 5 | 1u << 18}},
        {at(7, 1), {0x30, 0, 0, 0}},
        {at(0xb), {1, 2, 0x100, apic_id}},
        {at(0xd), {0xe7, 0xa80, 0xa88, 0}},
        {at(0xd, 1), {0xf, 0xa80, 0x1900, 0}},
        {at(0x12), {1, 2, 3, 4}},
        {at(0x14), {1, 2, 3, 4}},
        {at(0x16), {3500, 3500, 100, 0}},
        {at(0x19), {1, 2, 3, 4}},
        {at(0x1b), {1, 2, 3, 4}},
        // Above the highest leaf a real processor repeats what the highest basic leaf says.
        {at(0x40000000), {1, 2, 3, 4}},
        {at(0x40000001), {1, 2, 3, 4}},
        {at(0x400000ff), {1, 2, 3, 4}},
        {at(0x40000100), {1, 2, 3, 4}},
        {at(0x80000000), {0x80000008, 0, 0, 0}},
        {at(0x80000001), {0, 0, 0x121, 0x2c100800}},
        {at(0x80000008), {0x3028, 0, 0, 0}},
    };
}

std::array<std::uint64_t, 16> linux_gdt() {
    // Kernel code 32 and 64, kernel data, user code 32, user data, user code 64; the TSS lies at
    // 0xfffffe0000003000 with limit 0x4087.
    return {0,
            0x00cf9b000000ffff,
            0x00af9b000000ffff,
            0x00cf93000000ffff,
            0x00cffb000000ffff,
            0x00cff3000000ffff,
            0x00affb000000ffff,
            0,
            0x00008b0030004087,
            0xfffffe00};
}

}    // namespace fake
