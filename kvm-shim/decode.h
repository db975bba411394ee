/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The instructions with which a guest touches devices: decoded from bytes, executed on values.
 *
 * Who uses it fetches bytes at RIP and decodes them, asks for the effective address, reads memory
 * or the device where HVK_READS says so, takes the registers, executes, gives the registers back,
 * writes memory or the device where HVK_WRITES says so, and moves RIP by the length. A string
 * instruction is one of its iterations: hvk_string_*() say how many are left and move the
 * registers. Nothing here reads or writes guest state, and nothing keeps any.
 *
 * Source: AMD APM 3 "General-Purpose and System Instructions", SDM 2 "Instruction Set Reference".
 */
#ifndef HVK_DECODE_H
#define HVK_DECODE_H

#include "decode_types.h"

#define HVK_INSN_BYTES 15 /* of the longest instruction */

#define HVK_RFLAGS_CF 0x001u
#define HVK_RFLAGS_PF 0x004u
#define HVK_RFLAGS_AF 0x010u
#define HVK_RFLAGS_ZF 0x040u
#define HVK_RFLAGS_SF 0x080u
#define HVK_RFLAGS_DF 0x400u
#define HVK_RFLAGS_OF 0x800u

/* What a code segment says about operands and addresses; real mode is 16 bits. */
enum hvk_mode {
	HVK_MODE_16,
	HVK_MODE_32,
	HVK_MODE_64,
};

enum hvk_decoded {
	HVK_DECODED,
	HVK_DECODE_MORE, /* the bytes end before the instruction does */
	HVK_DECODE_TOO_LONG, /* over 15 bytes: the processor raises #GP(0) */
	HVK_DECODE_INVALID, /* the processor raises #UD */
	HVK_DECODE_REGISTER, /* one of ours, but from register to register */
	HVK_DECODE_UNKNOWN, /* none of ours */
};

/* In the order of their opcodes up to HVK_CMP; of two operands, "to" and "from". */
enum hvk_op {
	HVK_ADD,
	HVK_OR,
	HVK_ADC,
	HVK_SBB,
	HVK_AND,
	HVK_SUB,
	HVK_XOR,
	HVK_CMP,
	HVK_TEST,
	HVK_MOV, /* with a wider "to", zero-extended */
	HVK_MOVSX,
	HVK_XCHG,
	HVK_XADD,
	HVK_CMPXCHG,
	HVK_BT,
	HVK_BTS,
	HVK_BTR,
	HVK_BTC,
	HVK_INC,
	HVK_DEC,
	HVK_NOT,
	HVK_NEG,
};

/* The operand beside memory. */
enum hvk_other {
	HVK_OTHER_NONE,
	HVK_OTHER_REGISTER,
	HVK_OTHER_IMMEDIATE,
	HVK_OTHER_MEMORY, /* movs, cmps: memory at "second" */
	HVK_OTHER_PORT, /* ins, outs: the port in DX */
	HVK_OTHER_STACK, /* push, pop */
};

enum hvk_rep {
	HVK_REP_NONE,
	HVK_REP, /* until the count is 0 */
	HVK_REPE, /* or ZF is clear */
	HVK_REPNE, /* or ZF is set */
};

/* As in a ModRM byte of a mov to a segment register. */
enum hvk_segment {
	HVK_ES,
	HVK_CS,
	HVK_SS,
	HVK_DS,
	HVK_FS,
	HVK_GS,
};

enum hvk_insn_flag {
	HVK_READS = 0x01, /* the memory operand is read */
	HVK_WRITES = 0x02, /* the memory operand is written */
	HVK_TO_MEMORY = 0x04, /* memory is "to", the other operand "from" */
	HVK_LOCKED = 0x08, /* read and write are one access: a lock prefix, or xchg */
	HVK_STRING = 0x10,
	HVK_BIT_STRING = 0x20, /* the register of a bt chooses a word beside the address */
};

/* Registers have the numbers of their encodings: rax rcx rdx rbx rsp rbp rsi rdi r8 … r15. */
#define HVK_RAX 0
#define HVK_RCX 1
#define HVK_RSP 4
#define HVK_RBP 5
#define HVK_RSI 6
#define HVK_RDI 7
#define HVK_REGISTERS 16
#define HVK_RIP 16 /* of the next instruction; a base only */
#define HVK_NO_REGISTER 0xff
#define HVK_HIGH_BYTE 0x20 /* with 0 … 3: ah, ch, dh, bh */

struct hvk_address {
	u8 segment; /* enum hvk_segment; in 64-bit mode only FS and GS have a base */
	u8 base; /* a register, HVK_RIP or HVK_NO_REGISTER */
	u8 index; /* a register or HVK_NO_REGISTER */
	u8 scale; /* 1, 2, 4, 8 */
	u8 bytes; /* 2, 4, 8: where the sum wraps */
	u64 displacement; /* sign-extended */
};

struct hvk_insn {
	u8 length; /* bytes, with prefixes */
	u8 op; /* enum hvk_op */
	u8 flags; /* enum hvk_insn_flag */
	u8 rep; /* enum hvk_rep */
	u8 bytes; /* of the memory operand: 1, 2, 4, 8 */
	u8 other; /* enum hvk_other */
	u8 other_bytes; /* of the other operand */
	u8 reg; /* the other operand, where it is a register */
	u32 rflags; /* bits that it may change */
	u64 immediate; /* the other operand, where it is one; sign-extended */
	struct hvk_address memory;
	struct hvk_address second; /* where the other operand is memory; of movs: the source */
};

/* Operands before and after hvk_execute(), zero-extended. */
struct hvk_values {
	u64 memory;
	u64 other;
	u64 accumulator; /* of cmpxchg */
	u64 rflags;
};

static inline enum hvk_mode hvk_mode_of(bool long_mode_active, bool cs_long, bool cs_default)
{
	if (long_mode_active && cs_long)
		return HVK_MODE_64;
	return cs_default ? HVK_MODE_32 : HVK_MODE_16;
}

/*
 * Decode the instruction that bytes begin with.
 * count    how many bytes there are; those beyond 15 are not looked at.
 * Returns  HVK_DECODE_MORE: call again with more bytes, which an answer of any other kind does not
 *          depend on. *insn is valid with HVK_DECODED only.
 */
enum hvk_decoded hvk_decode(const u8 *bytes, unsigned int count, enum hvk_mode mode,
			    struct hvk_insn *insn);

/* The offset in its segment of insn's memory or second operand; rip is insn's own. */
u64 hvk_effective_address(const struct hvk_insn *insn, const struct hvk_address *address,
			  const u64 gpr[HVK_REGISTERS], u64 rip);

/* The bytes of value that an operand of 1, 2, 4 or 8 bytes has. */
u64 hvk_zero_extend(u64 value, unsigned int bytes);
u64 hvk_sign_extend(u64 value, unsigned int bytes);

/*
 * What the instruction takes from registers, immediate and RFLAGS. The caller has set what it read:
 * values->memory, and values->other where that operand is memory, port or stack.
 */
void hvk_take_registers(const struct hvk_insn *insn, const u64 gpr[HVK_REGISTERS], u64 rflags,
			struct hvk_values *values);

/* The operation alone: operands and RFLAGS as the processor would leave them. */
void hvk_execute(const struct hvk_insn *insn, struct hvk_values *values);

/* General registers that the operation wrote; RFLAGS is values->rflags. */
void hvk_give_registers(const struct hvk_insn *insn, const struct hvk_values *values,
			u64 gpr[HVK_REGISTERS]);

/* How many iterations are left, 1 without a rep prefix. */
u64 hvk_string_count(const struct hvk_insn *insn, const u64 gpr[HVK_REGISTERS]);

/* Moves RSI, RDI and RCX past that many iterations (at least 1). */
void hvk_string_advance(const struct hvk_insn *insn, u64 rflags, u64 iterations,
			u64 gpr[HVK_REGISTERS]);

/* After an iteration and its advance: whether another one follows. */
bool hvk_string_again(const struct hvk_insn *insn, u64 rflags, const u64 gpr[HVK_REGISTERS]);

#endif
