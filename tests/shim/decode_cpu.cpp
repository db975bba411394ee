// SPDX-License-Identifier: MIT
// Held against the processor that the test runs on: instructions decoded and executed here leave
// the same registers, flags and memory as when the processor runs them.
#include "encodings.hpp"
#include "processor.hpp"
#include <cstring>
#include <gtest/gtest.h>

namespace {

constexpr std::uint64_t status_flags = HVK_RFLAGS_CF | HVK_RFLAGS_PF | HVK_RFLAGS_AF |
                                       HVK_RFLAGS_ZF | HVK_RFLAGS_SF | HVK_RFLAGS_OF;
constexpr std::uint64_t fixed_flags = 0x202;
constexpr std::uint64_t middle = processor::memory + processor::memory_bytes / 2;

using memory_image = std::array<std::uint8_t, processor::memory_bytes>;

/// What a hypervisor does with the decoder, on an image of the processor's memory.
class emulator {
public:
    emulator(memory_image& image, processor_state& state) : image_{image}, state_{state} {}

    /// False: it needs memory outside of the image.
    bool run(hvk_insn const& insn) {
        if ((insn.flags & HVK_STRING) == 0) return once(insn);
        auto* const gpr = state_.gpr.data();
        if (hvk_string_count(&insn, gpr) == 0) return false;
        bool again = true;
        while (again) {
            if (!once(insn)) return false;
            hvk_string_advance(&insn, state_.rflags, 1, gpr);
            again = hvk_string_again(&insn, state_.rflags, gpr);
        }
        return true;
    }

    [[nodiscard]] std::uint64_t address(hvk_insn const& insn, hvk_address const& of) const {
        return hvk_effective_address(&insn, &of, state_.gpr.data(), processor::code);
    }

private:
    static bool inside(std::uint64_t at, unsigned bytes) {
        return at >= processor::memory && at - processor::memory <= processor::memory_bytes - bytes;
    }
    [[nodiscard]] std::uint64_t read(std::uint64_t at, unsigned bytes) const {
        std::uint64_t value = 0;
        std::memcpy(&value, image_.data() + (at - processor::memory), bytes);
        return value;
    }
    void write(std::uint64_t at, unsigned bytes, std::uint64_t value) {
        std::memcpy(image_.data() + (at - processor::memory), &value, bytes);
    }

    bool once(hvk_insn const& insn) {
        auto const at = address(insn, insn.memory);
        auto const second = other_address(insn);
        if (!inside(at, insn.bytes) || (second != 0 && !inside(second, insn.bytes))) return false;
        hvk_values values{};
        if ((insn.flags & HVK_READS) != 0) values.memory = read(at, insn.bytes);
        bool const push = insn.other == HVK_OTHER_STACK && (insn.flags & HVK_TO_MEMORY) == 0;
        if (second != 0 && !push) values.other = read(second, insn.bytes);
        hvk_take_registers(&insn, state_.gpr.data(), state_.rflags, &values);
        hvk_execute(&insn, &values);
        hvk_give_registers(&insn, &values, state_.gpr.data());
        state_.rflags = values.rflags;
        if (insn.other == HVK_OTHER_STACK)
            state_.gpr[HVK_RSP] += push ? 0ull - insn.bytes : insn.bytes;
        if (push) write(second, insn.bytes, values.other);
        if ((insn.flags & HVK_WRITES) != 0) write(at, insn.bytes, values.memory);
        return true;
    }

    /// Of the other operand, where that is memory, too; or 0.
    [[nodiscard]] std::uint64_t other_address(hvk_insn const& insn) const {
        if (insn.other == HVK_OTHER_MEMORY) return address(insn, insn.second);
        if (insn.other != HVK_OTHER_STACK) return 0;
        bool const push = (insn.flags & HVK_TO_MEMORY) == 0;
        return state_.gpr[HVK_RSP] - (push ? insn.bytes : 0u);
    }

    memory_image& image_;
    processor_state& state_;
};

/// Values at which carries, signs and widths change are more likely than chance has them.
std::uint64_t random_value(random_bits& random) {
    static constexpr std::uint64_t telling[] = {
        0,      1,      0x7f,       0x80,       0xff,       0x7fff,
        0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff};
    switch (random() % 4) {
    case 0:  return any_of(random, telling);
    case 1:  return ~any_of(random, telling);
    default: return random();
    }
}

processor_state random_state(random_bits& random) {
    processor_state state;
    for (auto& value : state.gpr) value = random_value(random);
    state.rflags = fixed_flags | (random() & (status_flags | HVK_RFLAGS_DF));
    return state;
}

/// An instruction for 64-bit mode that ring 3 may run, and that reaches memory only where the
/// registers say. FS has the test's own base.
bool random_instruction(random_bits& random, encoding& bytes, hvk_insn& insn) {
    bytes = random_encoding(random, HVK_MODE_64);
    if (decode(bytes, HVK_MODE_64, insn) != HVK_DECODED) return false;
    bytes.resize(insn.length);
    return insn.other != HVK_OTHER_PORT && insn.memory.segment != HVK_FS &&
           insn.second.segment != HVK_FS;
}

/// Moves the displacement of an address without a base, so that it means at.
bool aim_displacement(encoding& bytes, hvk_insn& insn, processor_state const& state,
                      std::uint64_t at) {
    auto const now = hvk_effective_address(&insn, &insn.memory, state.gpr.data(), processor::code);
    auto const old = insn.memory.displacement;
    for (unsigned i = 0; i + 4 <= bytes.size(); ++i) {
        std::int32_t there = 0;
        std::memcpy(&there, bytes.data() + i, sizeof there);
        if (static_cast<std::uint64_t>(there) != old) continue;
        auto const wanted = static_cast<std::int32_t>(old + at - now);
        std::memcpy(bytes.data() + i, &wanted, sizeof wanted);
        hvk_insn aimed;
        return decode(bytes, HVK_MODE_64, aimed) == HVK_DECODED && aimed.length == insn.length &&
               (insn = aimed, true);
    }
    return false;
}

/// Chooses registers, or bytes of the instruction, so that it reaches the middle of memory; that is
/// not always possible, as with a base that is the index, too.
void aim(random_bits& random, encoding& bytes, hvk_insn& insn, processor_state& state) {
    auto& gpr = state.gpr;
    if (insn.other == HVK_OTHER_STACK) gpr[HVK_RSP] = middle + 512;
    if (insn.flags & HVK_BIT_STRING && random() % 4 != 0)
        gpr[insn.reg] = hvk_sign_extend(random(), 1);
    if (insn.rep != HVK_REP_NONE)
        gpr[HVK_RCX] = (gpr[HVK_RCX] & ~hvk_zero_extend(~0ull, insn.memory.bytes)) |
                       (1 + random() % 5);
    auto const at = middle + random() % 32 * 8;
    for (auto const* const address : {&insn.memory, &insn.second}) {
        if (address->base == HVK_RIP || address->base == HVK_NO_REGISTER) {
            if (address == &insn.memory) aim_displacement(bytes, insn, state, at);
            continue;
        }
        auto const now = hvk_effective_address(&insn, address, gpr.data(), processor::code);
        gpr[address->base] += at - now;
        if (insn.other != HVK_OTHER_MEMORY) break;
    }
}

class decode_cpu : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(cpu_.ready()) << "no memory at the addresses of processor";
    }

    /// Both run it; false: it would touch other memory than the test's.
    bool same_as_cpu(encoding const& bytes, hvk_insn const& insn, processor_state const& before) {
        memory_image image;
        std::memcpy(image.data(), cpu_.bytes(), image.size());
        auto mine = before;
        if (!emulator{image, mine}.run(insn)) return false;
        auto real = before;
        cpu_.load(bytes);
        EXPECT_TRUE(cpu_.run(real)) << hex(bytes) << " faults";
        EXPECT_EQ(real.gpr, mine.gpr) << hex(bytes);
        EXPECT_EQ(real.rflags & status_flags, mine.rflags & status_flags)
            << hex(bytes) << std::hex << ": " << real.rflags << ' ' << mine.rflags;
        EXPECT_EQ(std::memcmp(image.data(), cpu_.bytes(), image.size()), 0)
            << hex(bytes) << ": memory";
        return true;
    }

    void fill(random_bits& random) {
        for (unsigned i = 0; i < processor::memory_bytes; i += 8) {
            auto const value = random_value(random);
            std::memcpy(cpu_.bytes() + i, &value, sizeof value);
        }
    }

    processor cpu_;
};

TEST_F(decode_cpu, random_instructions_do_what_the_processor_does) {
    random_bits random{64};
    std::array<unsigned, HVK_NEG + 1> ran{};
    unsigned strings = 0, relative = 0, absolute = 0, stacks = 0;
    for (unsigned i = 0; i < 600'000 && !HasFailure(); ++i) {
        encoding bytes;
        hvk_insn insn;
        if (!random_instruction(random, bytes, insn)) continue;
        auto state = random_state(random);
        if (i % 64 == 0) fill(random);
        aim(random, bytes, insn, state);
        if (!same_as_cpu(bytes, insn, state)) continue;
        ++ran[insn.op];
        strings += insn.rep != HVK_REP_NONE;
        relative += insn.memory.base == HVK_RIP;
        absolute += insn.memory.base == HVK_NO_REGISTER;
        stacks += insn.other == HVK_OTHER_STACK;
    }
    for (unsigned op = 0; op < ran.size(); ++op) EXPECT_GT(ran[op], 500u) << "operation " << op;
    for (auto const kind : {strings, relative, absolute, stacks}) EXPECT_GT(kind, 500u);
}

TEST_F(decode_cpu, every_pair_of_bytes_and_carry_gives_the_processors_flags) {
    for (unsigned op = HVK_ADD; op <= HVK_CMP && !HasFailure(); ++op) {
        encoding const bytes{static_cast<std::uint8_t>(op << 3), 0x0f};    // op [rdi], cl
        hvk_insn insn;
        ASSERT_EQ(decode(bytes, HVK_MODE_64, insn), HVK_DECODED);
        cpu_.load(bytes);
        for (unsigned all = 0; all < 0x20000 && !HasFailure(); ++all) {
            hvk_values mine{all & 0xff, all >> 8 & 0xff, 0, fixed_flags | all >> 16};
            processor_state real{};
            real.gpr[HVK_RDI] = processor::memory;
            real.gpr[HVK_RCX] = mine.other;
            real.rflags = mine.rflags;
            *cpu_.bytes() = static_cast<std::uint8_t>(mine.memory);
            hvk_execute(&insn, &mine);
            EXPECT_TRUE(cpu_.run(real));
            EXPECT_EQ(*cpu_.bytes(), mine.memory) << hex(bytes) << ' ' << all;
            EXPECT_EQ(real.rflags & status_flags, mine.rflags & status_flags)
                << hex(bytes) << ' ' << all;
        }
    }
}

TEST_F(decode_cpu, cmpxchg_leaves_rax_whole_where_it_writes) {
    auto const bytes = from_hex("0f b1 0f");    // cmpxchg [rdi], ecx
    hvk_insn insn;
    ASSERT_EQ(decode(bytes, HVK_MODE_64, insn), HVK_DECODED);
    for (std::uint32_t const there : {5u, 6u}) {
        processor_state state{};
        state.rflags = fixed_flags;
        state.gpr[HVK_RAX] = 0xffffffff00000005;
        state.gpr[HVK_RDI] = middle;
        std::memcpy(reinterpret_cast<void*>(middle), &there, sizeof there);
        EXPECT_TRUE(same_as_cpu(bytes, insn, state));
    }
}

TEST_F(decode_cpu, a_sib_byte_without_a_base_has_none_with_rex_b_either) {
    auto const bytes = from_hex("67 41 8b 04 25 00 08 01 10");    // mov eax, [0x10010800]
    hvk_insn insn;
    ASSERT_EQ(decode(bytes, HVK_MODE_64, insn), HVK_DECODED);
    random_bits random{13};
    fill(random);
    EXPECT_TRUE(same_as_cpu(bytes, insn, random_state(random)));
}

TEST_F(decode_cpu, repne_is_rep_where_nothing_is_compared) {
    auto const bytes = from_hex("f2 aa");    // repne stosb
    hvk_insn insn;
    ASSERT_EQ(decode(bytes, HVK_MODE_64, insn), HVK_DECODED);
    for (auto const flags : {fixed_flags, fixed_flags | HVK_RFLAGS_ZF}) {
        processor_state state{};
        state.rflags = flags;
        state.gpr[HVK_RAX] = 0x5a;
        state.gpr[HVK_RCX] = 7;
        state.gpr[HVK_RDI] = middle;
        EXPECT_TRUE(same_as_cpu(bytes, insn, state));
    }
}

}    // namespace
