// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What an instruction takes from the general registers and gives back to them. */
#include "decode.h"

u64 hvk_zero_extend(u64 value, unsigned int bytes)
{
	return bytes < 8 ? value & ((1ull << 8 * bytes) - 1) : value;
}

u64 hvk_sign_extend(u64 value, unsigned int bytes)
{
	u64 sign = 1ull << (8 * bytes - 1);

	return (hvk_zero_extend(value, bytes) ^ sign) - sign;
}

static u64 read_register(const u64 gpr[HVK_REGISTERS], u8 reg, unsigned int bytes)
{
	if (reg & HVK_HIGH_BYTE)
		return gpr[reg & 3] >> 8 & 0xff;
	return hvk_zero_extend(gpr[reg & 15], bytes);
}

/* Four bytes clear the upper half; one and two leave the rest as it is. */
static void write_register(u64 gpr[HVK_REGISTERS], u8 reg, unsigned int bytes, u64 value)
{
	u64 *to = &gpr[reg & 15];

	if (reg & HVK_HIGH_BYTE) {
		to = &gpr[reg & 3];
		*to = (*to & ~0xff00ull) | (value & 0xff) << 8;
	} else if (bytes >= 4) {
		*to = hvk_zero_extend(value, bytes);
	} else {
		*to = *to - hvk_zero_extend(*to, bytes) + hvk_zero_extend(value, bytes);
	}
}

/* The register of a bt is a signed number of bits; whole operands of it move the address. */
static u64 bit_string_bytes(const struct hvk_insn *insn, const u64 gpr[HVK_REGISTERS])
{
	u64 bits = hvk_sign_extend(gpr[insn->reg & 15], insn->other_bytes);
	u64 within = bits & (8u * insn->bytes - 1);

	return (u64)((s64)(bits - within) / 8);
}

u64 hvk_effective_address(const struct hvk_insn *insn, const struct hvk_address *address,
			  const u64 gpr[HVK_REGISTERS], u64 rip)
{
	u64 sum = address->displacement;

	if (address->base == HVK_RIP)
		sum += rip + insn->length;
	else if (address->base != HVK_NO_REGISTER)
		sum += gpr[address->base & 15];
	if (address->index != HVK_NO_REGISTER)
		sum += gpr[address->index & 15] * address->scale;
	if (insn->flags & HVK_BIT_STRING)
		sum += bit_string_bytes(insn, gpr);
	/* pop has taken its value off the stack before it looks where to write. */
	if (insn->other == HVK_OTHER_STACK && (insn->flags & HVK_TO_MEMORY) &&
	    address->base == HVK_RSP)
		sum += insn->bytes;
	return hvk_zero_extend(sum, address->bytes);
}

void hvk_take_registers(const struct hvk_insn *insn, const u64 gpr[HVK_REGISTERS], u64 rflags,
			struct hvk_values *values)
{
	if (insn->other == HVK_OTHER_REGISTER)
		values->other = read_register(gpr, insn->reg, insn->other_bytes);
	else if (insn->other == HVK_OTHER_IMMEDIATE)
		values->other = hvk_zero_extend(insn->immediate, insn->other_bytes);
	else if (insn->other == HVK_OTHER_NONE)
		values->other = 0;
	values->accumulator = gpr[HVK_RAX];
	values->rflags = rflags;
}

/* The other operand as "to", or as what xchg and xadd leave in it. */
static bool writes_other(const struct hvk_insn *insn)
{
	if (insn->flags & HVK_TO_MEMORY)
		return insn->op == HVK_XCHG || insn->op == HVK_XADD;
	return insn->op != HVK_CMP && insn->op != HVK_TEST;
}

void hvk_give_registers(const struct hvk_insn *insn, const struct hvk_values *values,
			u64 gpr[HVK_REGISTERS])
{
	if (insn->op == HVK_CMPXCHG && !(values->rflags & HVK_RFLAGS_ZF))
		write_register(gpr, HVK_RAX, insn->bytes, values->accumulator);
	else if (insn->other == HVK_OTHER_REGISTER && writes_other(insn))
		write_register(gpr, insn->reg, insn->other_bytes, values->other);
}

u64 hvk_string_count(const struct hvk_insn *insn, const u64 gpr[HVK_REGISTERS])
{
	if (insn->rep == HVK_REP_NONE)
		return 1;
	return read_register(gpr, HVK_RCX, insn->memory.bytes);
}

void hvk_string_advance(const struct hvk_insn *insn, u64 rflags, u64 iterations,
			u64 gpr[HVK_REGISTERS])
{
	unsigned int width = insn->memory.bytes;
	u64 step = iterations * insn->bytes;
	u8 first = insn->memory.base, second = insn->second.base;

	if (rflags & HVK_RFLAGS_DF)
		step = 0 - step;
	write_register(gpr, first, width, gpr[first & 15] + step);
	if (insn->other == HVK_OTHER_MEMORY)
		write_register(gpr, second, width, gpr[second & 15] + step);
	if (insn->rep != HVK_REP_NONE)
		write_register(gpr, HVK_RCX, width, gpr[HVK_RCX] - iterations);
}

bool hvk_string_again(const struct hvk_insn *insn, u64 rflags, const u64 gpr[HVK_REGISTERS])
{
	bool zero = rflags & HVK_RFLAGS_ZF;

	if (insn->rep == HVK_REP_NONE || !hvk_string_count(insn, gpr))
		return false;
	if (insn->rep == HVK_REPE)
		return zero;
	return insn->rep == HVK_REPNE ? !zero : true;
}
