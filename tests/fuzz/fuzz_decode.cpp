// SPDX-License-Identifier: MIT
// Any bytes at RIP, with any registers: never a look beyond the bytes, never another reading than
// Zydis's, and no execution that changes more than the instruction says.
#include "fuzz_bytes.hpp"
#include "zydis_peer.hpp"
#include <memory>

namespace {

void require(bool good, char const* what) {
    if (!good) hv::broken(what, __LINE__);
}

registers any_registers(fuzz_bytes& in) {
    registers gpr;
    for (auto& value : gpr) {
        auto const how = in.take<std::uint8_t>();
        value = how < 224 ? hvk_sign_extend(how, 1) : in.take<std::uint64_t>();
    }
    return gpr;
}

bool fits(std::uint64_t value, unsigned bytes) { return hvk_zero_extend(value, bytes) == value; }

void execute(hvk_insn const& insn, registers gpr, fuzz_bytes& in) {
    hvk_values values{in.take<std::uint64_t>(), in.take<std::uint64_t>(), 0, 0};
    auto const rflags = in.take<std::uint64_t>();
    hvk_take_registers(&insn, gpr.data(), rflags, &values);
    hvk_execute(&insn, &values);
    require(((values.rflags ^ rflags) & ~std::uint64_t{insn.rflags}) == 0, "other flags change");
    if ((insn.flags & HVK_WRITES) != 0)
        require(fits(values.memory, insn.bytes), "memory gets more than its bytes");
    hvk_give_registers(&insn, &values, gpr.data());
    if ((insn.flags & HVK_STRING) == 0) return;
    auto const left = hvk_string_count(&insn, gpr.data());
    if (left == 0) return;
    hvk_string_advance(&insn, rflags, left, gpr.data());
    require(insn.rep == HVK_REP_NONE || hvk_string_count(&insn, gpr.data()) == 0,
            "iterations are left");
}

/// Copies of the first bytes alone, where AddressSanitizer sees a look beyond them.
void decode_parts(encoding const& bytes, hvk_mode mode, hvk_decoded whole) {
    for (std::size_t n = 0; n < bytes.size() && n <= HVK_INSN_BYTES; ++n) {
        auto const part = std::make_unique<std::uint8_t[]>(n);
        std::memcpy(part.get(), bytes.data(), n);
        hvk_insn insn;
        auto const now = hvk_decode(part.get(), static_cast<unsigned>(n), mode, &insn);
        require(now == whole || now == HVK_DECODE_MORE, "fewer bytes, another answer");
    }
}

}    // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz_bytes in{data, size};
    auto const mode = static_cast<hvk_mode>(in.take<std::uint8_t>() % 3);
    encoding bytes(in.take<std::uint8_t>() % 18);
    for (auto& byte : bytes) byte = in.take<std::uint8_t>();
    auto const gpr = any_registers(in);
    auto const rip = in.take<std::uint64_t>();
    auto const wrong = difference_from_zydis(bytes, mode, gpr, rip);
    require(wrong.empty(), wrong.c_str());
    hvk_insn insn;
    auto const decoded = decode(bytes, mode, insn);
    decode_parts(bytes, mode, decoded);
    if (decoded == HVK_DECODED) execute(insn, gpr, in);
    return 0;
}
