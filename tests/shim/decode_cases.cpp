// SPDX-License-Identifier: MIT
// Instructions that guests touch devices with, one by one.
#include "decoder.hpp"
#include <gtest/gtest.h>

namespace {

constexpr unsigned load = HVK_READS;
constexpr unsigned store = HVK_WRITES | HVK_TO_MEMORY;
constexpr unsigned update = HVK_READS | HVK_WRITES | HVK_TO_MEMORY;
constexpr unsigned compare = HVK_READS | HVK_TO_MEMORY;

constexpr unsigned locked = HVK_LOCKED, string = HVK_STRING, high = HVK_HIGH_BYTE;
constexpr hvk_mode m16 = HVK_MODE_16, m32 = HVK_MODE_32, m64 = HVK_MODE_64;
constexpr hvk_other none = HVK_OTHER_NONE, reg = HVK_OTHER_REGISTER, imm = HVK_OTHER_IMMEDIATE,
                    second = HVK_OTHER_MEMORY, port = HVK_OTHER_PORT, stack = HVK_OTHER_STACK;

struct accepted {
    char const* bytes;
    char const* text;
    hvk_mode mode;
    unsigned op, memory_bytes, other, other_bytes, flags;
    std::uint64_t detail;    // the register or the immediate
};

// clang-format off
constexpr accepted instructions[] = {
    {"89 02", "mov [rdx], eax", m64, HVK_MOV, 4, reg, 4, store, 0},
    {"89 02", "mov [edx], eax", m32, HVK_MOV, 4, reg, 4, store, 0},
    {"89 02", "mov [bp+si], ax", m16, HVK_MOV, 2, reg, 2, store, 0},
    {"66 89 02", "mov [bp+si], eax", m16, HVK_MOV, 4, reg, 4, store, 0},
    {"66 89 02", "mov [rdx], ax", m64, HVK_MOV, 2, reg, 2, store, 0},
    {"66 48 89 02", "mov [rdx], rax", m64, HVK_MOV, 8, reg, 8, store, 0},
    {"48 66 89 02", "mov [rdx], ax", m64, HVK_MOV, 2, reg, 2, store, 0},
    {"88 22", "mov [rdx], ah", m64, HVK_MOV, 1, reg, 1, store, high},
    {"40 88 22", "mov [rdx], spl", m64, HVK_MOV, 1, reg, 1, store, HVK_RSP},
    {"44 8b 3a", "mov r15d, [rdx]", m64, HVK_MOV, 4, reg, 4, load, 15},
    {"8a 3a", "mov bh, [rdx]", m64, HVK_MOV, 1, reg, 1, load, high | 3},
    {"a1 00 00 e0 fe", "mov eax, [fee00000]", m32, HVK_MOV, 4, reg, 4, load, 0},
    {"a3 00 00 e0 fe 00 00 00 00", "mov [fee00000], eax",
     m64, HVK_MOV, 4, reg, 4, store, 0},
    {"a2 34 12", "mov [1234], al", m16, HVK_MOV, 1, reg, 1, store, 0},
    {"c6 00 80", "mov byte [rax], 80", m64, HVK_MOV, 1, imm, 1, store, ~0x7full},
    {"66 c7 00 34 12", "mov word [rax], 1234", m64, HVK_MOV, 2, imm, 2, store, 0x1234},
    {"c7 80 b0 00 00 00 00 00 00 00", "mov dword [rax+b0], 0",
     m64, HVK_MOV, 4, imm, 4, store, 0},
    {"48 c7 00 ff ff ff ff", "mov qword [rax], -1", m64, HVK_MOV, 8, imm, 8, store, ~0ull},
    {"0f b6 00", "movzx eax, byte [rax]", m64, HVK_MOV, 1, reg, 4, load, 0},
    {"66 0f b6 20", "movzx sp, byte [rax]", m64, HVK_MOV, 1, reg, 2, load, HVK_RSP},
    {"48 0f b7 00", "movzx rax, word [rax]", m64, HVK_MOV, 2, reg, 8, load, 0},
    {"0f be 08", "movsx ecx, byte [rax]", m64, HVK_MOVSX, 1, reg, 4, load, 1},
    {"48 0f bf 08", "movsx rcx, word [rax]", m64, HVK_MOVSX, 2, reg, 8, load, 1},
    {"48 63 08", "movsxd rcx, dword [rax]", m64, HVK_MOVSX, 4, reg, 8, load, 1},
    {"0f c3 08", "movnti [bx+si], ecx", m16, HVK_MOV, 4, reg, 4, store, 1},
    {"01 08", "add [rax], ecx", m64, HVK_ADD, 4, reg, 4, update, 1},
    {"f0 01 08", "lock add [rax], ecx", m64, HVK_ADD, 4, reg, 4, update | locked, 1},
    {"0a 08", "or cl, [rax]", m64, HVK_OR, 1, reg, 1, load, 1},
    {"3b 08", "cmp ecx, [rax]", m64, HVK_CMP, 4, reg, 4, load, 1},
    {"39 08", "cmp [rax], ecx", m64, HVK_CMP, 4, reg, 4, compare, 1},
    {"80 20 0f", "and byte [rax], 0f", m64, HVK_AND, 1, imm, 1, update, 0xf},
    {"82 20 0f", "and byte [eax], 0f", m32, HVK_AND, 1, imm, 1, update, 0xf},
    {"48 81 28 00 00 00 80", "sub qword [rax], -80000000",
     m64, HVK_SUB, 8, imm, 8, update, 0xffffffff80000000},
    {"83 30 ff", "xor dword [rax], -1", m64, HVK_XOR, 4, imm, 4, update, ~0ull},
    {"84 08", "test [rax], cl", m64, HVK_TEST, 1, reg, 1, compare, 1},
    {"f7 00 01 00 00 00", "test dword [rax], 1", m64, HVK_TEST, 4, imm, 4, compare, 1},
    {"f6 08 01", "test byte [rax], 1", m64, HVK_TEST, 1, imm, 1, compare, 1},
    {"f7 10", "not dword [rax]", m64, HVK_NOT, 4, none, 4, update, 0},
    {"f0 f6 18", "lock neg byte [rax]", m64, HVK_NEG, 1, none, 1, update | locked, 0},
    {"fe 00", "inc byte [rax]", m64, HVK_INC, 1, none, 1, update, 0},
    {"ff 08", "dec dword [rax]", m64, HVK_DEC, 4, none, 4, update, 0},
    {"87 08", "xchg [rax], ecx", m64, HVK_XCHG, 4, reg, 4, update | locked, 1},
    {"0f b1 08", "cmpxchg [rax], ecx", m64, HVK_CMPXCHG, 4, reg, 4, update, 1},
    {"f0 0f c1 08", "lock xadd [rax], ecx", m64, HVK_XADD, 4, reg, 4, update | locked, 1},
    {"0f a3 08", "bt [rax], ecx", m64, HVK_BT, 4, reg, 4, compare | HVK_BIT_STRING, 1},
    {"0f ba 28 1f", "bts dword [rax], 1f", m64, HVK_BTS, 4, imm, 4, update, 0x1f},
    {"ff 30", "push qword [rax]", m64, HVK_MOV, 8, stack, 8, load, 0},
    {"8f 00", "pop dword [eax]", m32, HVK_MOV, 4, stack, 4, store, 0},
    {"ab", "stosd", m64, HVK_MOV, 4, reg, 4, store | string, 0},
    {"48 ad", "lodsq", m64, HVK_MOV, 8, reg, 8, load | string, 0},
    {"a4", "movsb", m64, HVK_MOV, 1, second, 1, store | string, 0},
    {"a7", "cmpsd", m64, HVK_CMP, 4, second, 4, compare | string, 0},
    {"ae", "scasb", m64, HVK_CMP, 1, reg, 1, load | string, 0},
    {"6c", "insb", m64, HVK_MOV, 1, port, 1, store | string, 0},
    {"48 6d", "insd", m64, HVK_MOV, 4, port, 4, store | string, 0},
    {"66 6f", "outsw", m64, HVK_MOV, 2, port, 2, load | string, 0},
};
// clang-format on

TEST(decode, names_operation_sizes_operands_and_effect) {
    for (auto const& wanted : instructions) {
        SCOPED_TRACE(wanted.text);
        auto const bytes = from_hex(wanted.bytes);
        hvk_insn insn;
        ASSERT_EQ(decode(bytes, wanted.mode, insn), HVK_DECODED);
        EXPECT_EQ(insn.length, bytes.size());
        EXPECT_EQ(insn.op, wanted.op);
        EXPECT_EQ(insn.bytes, wanted.memory_bytes);
        EXPECT_EQ(insn.other, wanted.other);
        EXPECT_EQ(insn.other_bytes, wanted.other_bytes);
        EXPECT_EQ(insn.flags, wanted.flags);
        if (insn.other == HVK_OTHER_IMMEDIATE)
            EXPECT_EQ(insn.immediate, wanted.detail);
        else
            EXPECT_EQ(insn.reg, wanted.detail);
    }
}

TEST(decode, keeps_the_count_register_for_the_repeat_that_was_asked_for) {
    for (auto const& [text, rep] : {std::pair{"a4", HVK_REP_NONE},
                                    {"f3 a4", HVK_REP},
                                    {"f2 a4", HVK_REP},
                                    {"f3 6c", HVK_REP},
                                    {"f3 a6", HVK_REPE},
                                    {"f2 a6", HVK_REPNE},
                                    {"f3 f2 ae", HVK_REPNE},
                                    {"f2 f3 ae", HVK_REPE},
                                    {"f3 88 00", HVK_REP_NONE}}) {
        hvk_insn insn;
        ASSERT_EQ(decode(from_hex(text), HVK_MODE_64, insn), HVK_DECODED) << text;
        EXPECT_EQ(insn.rep, rep) << text;
    }
}

struct refused {
    char const* bytes;
    hvk_mode mode;
    hvk_decoded why;
};

TEST(decode, says_why_it_refuses) {
    for (auto const& [text, mode, why] : {
             refused{"", HVK_MODE_64, HVK_DECODE_MORE},
             {"66 67", HVK_MODE_64, HVK_DECODE_MORE},
             {"8b", HVK_MODE_64, HVK_DECODE_MORE},
             {"8b 80 00 00 00", HVK_MODE_64, HVK_DECODE_MORE},
             {"c7 00 00", HVK_MODE_64, HVK_DECODE_MORE},
             {"8b c1", HVK_MODE_64, HVK_DECODE_REGISTER},
             {"f0 8b 01", HVK_MODE_64, HVK_DECODE_INVALID},       // lock mov
             {"f0 03 01", HVK_MODE_64, HVK_DECODE_INVALID},       // lock add to a register
             {"f0 39 01", HVK_MODE_64, HVK_DECODE_INVALID},       // lock cmp
             {"f0 0f a3 01", HVK_MODE_64, HVK_DECODE_INVALID},    // lock bt
             {"f0 01 c1", HVK_MODE_64, HVK_DECODE_INVALID},       // lock between registers
             {"f0 a4", HVK_MODE_64, HVK_DECODE_INVALID},
             {"82 00 00", HVK_MODE_64, HVK_DECODE_INVALID},
             {"63 00", HVK_MODE_32, HVK_DECODE_UNKNOWN},    // arpl
             {"66 0f c3 00", HVK_MODE_64, HVK_DECODE_UNKNOWN},
             {"0f 11 00", HVK_MODE_64, HVK_DECODE_UNKNOWN},    // movups
             {"f7 20", HVK_MODE_64, HVK_DECODE_UNKNOWN},       // mul
             {"ff 10", HVK_MODE_64, HVK_DECODE_UNKNOWN},       // call
             {"90", HVK_MODE_64, HVK_DECODE_UNKNOWN},
             {"c5 f8 77", HVK_MODE_64, HVK_DECODE_UNKNOWN},    // vzeroupper
             {"66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 8b 00", HVK_MODE_64,
              HVK_DECODE_TOO_LONG},
             {"66 66 66 66 66 66 66 66 66 66 66 66 66 66 8b 00", HVK_MODE_64, HVK_DECODE_TOO_LONG},
             {"66 66 66 66 66 66 c7 80 00 00 00 00 00 00", HVK_MODE_32, HVK_DECODED},
             {"66 66 66 66 66 66 66 66 c7 80 00 00 00 00", HVK_MODE_32, HVK_DECODE_TOO_LONG},
         }) {
        hvk_insn insn;
        EXPECT_EQ(decode(from_hex(text), mode, insn), why) << text;
    }
}

TEST(decode, takes_the_mode_from_the_code_segment) {
    EXPECT_EQ(hvk_mode_of(false, false, false), HVK_MODE_16);
    EXPECT_EQ(hvk_mode_of(false, false, true), HVK_MODE_32);
    EXPECT_EQ(hvk_mode_of(false, true, false), HVK_MODE_16);    // L means nothing outside long mode
    EXPECT_EQ(hvk_mode_of(true, false, true), HVK_MODE_32);
    EXPECT_EQ(hvk_mode_of(true, true, false), HVK_MODE_64);
}

}    // namespace
