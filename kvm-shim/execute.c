// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The operations on values. Flags that the manuals leave undefined are what processors of both
 * makers give: AF of and, or, xor and test is clear; bt and its kin change CF alone.
 */
#include "decode.h"

/* One operation under way: operands within their width. */
struct hvk_sum {
	unsigned int bytes;
	u64 to;
	u64 from;
	u64 result;
	u64 rflags;
};

static u64 top_bit(u64 value, unsigned int bytes)
{
	return value >> (8 * bytes - 1) & 1;
}

static u64 flag_if(u64 condition, u64 flag)
{
	return condition ? flag : 0;
}

/* PF is of the low byte only, and set where the number of ones is even. */
static u64 parity(u64 result)
{
	u64 folded = result ^ result >> 4;

	folded ^= folded >> 2;
	folded ^= folded >> 1;
	return flag_if(!(folded & 1), HVK_RFLAGS_PF);
}

static u64 flags_of_result(u64 result, unsigned int bytes)
{
	return parity(result) | flag_if(!result, HVK_RFLAGS_ZF) |
	       flag_if(top_bit(result, bytes), HVK_RFLAGS_SF);
}

static void add(struct hvk_sum *sum, u64 carry)
{
	u64 to = sum->to, from = sum->from;
	u64 result = hvk_zero_extend(to + from + carry, sum->bytes);
	u64 carries = (to & from) | ((to | from) & ~result);

	sum->result = result;
	sum->rflags = flags_of_result(result, sum->bytes) |
		      flag_if(top_bit(carries, sum->bytes), HVK_RFLAGS_CF) |
		      flag_if(carries & 8, HVK_RFLAGS_AF) |
		      flag_if(top_bit((to ^ result) & (from ^ result), sum->bytes), HVK_RFLAGS_OF);
}

static void subtract(struct hvk_sum *sum, u64 borrow)
{
	u64 to = sum->to, from = sum->from;
	u64 result = hvk_zero_extend(to - from - borrow, sum->bytes);
	u64 borrows = (~to & from) | ((~to | from) & result);

	sum->result = result;
	sum->rflags = flags_of_result(result, sum->bytes) |
		      flag_if(top_bit(borrows, sum->bytes), HVK_RFLAGS_CF) |
		      flag_if(borrows & 8, HVK_RFLAGS_AF) |
		      flag_if(top_bit((to ^ from) & (to ^ result), sum->bytes), HVK_RFLAGS_OF);
}

static void logic(struct hvk_sum *sum, enum hvk_op op)
{
	if (op == HVK_OR)
		sum->result = sum->to | sum->from;
	else if (op == HVK_XOR)
		sum->result = sum->to ^ sum->from;
	else
		sum->result = sum->to & sum->from;
	sum->rflags = flags_of_result(sum->result, sum->bytes);
}

static void change_bit(struct hvk_sum *sum, enum hvk_op op)
{
	u64 bit = 1ull << (sum->from & (8 * sum->bytes - 1));

	sum->rflags = flag_if(sum->to & bit, HVK_RFLAGS_CF);
	if (op == HVK_BTS)
		sum->result = sum->to | bit;
	else if (op == HVK_BTR)
		sum->result = sum->to & ~bit;
	else if (op == HVK_BTC)
		sum->result = sum->to ^ bit;
}

/* Operations of one operand, as those of two that they are. */
static void step(struct hvk_sum *sum, enum hvk_op op)
{
	sum->from = 1;
	if (op == HVK_INC) {
		add(sum, 0);
	} else if (op == HVK_DEC) {
		subtract(sum, 0);
	} else {
		sum->from = sum->to;
		sum->to = 0;
		subtract(sum, 0);
	}
}

static void calculate(enum hvk_op op, struct hvk_sum *sum, u64 carry)
{
	switch (op) {
	case HVK_ADD:
	case HVK_ADC:
	case HVK_XADD:
		add(sum, op == HVK_ADC ? carry : 0);
		break;
	case HVK_SUB:
	case HVK_SBB:
	case HVK_CMP:
	case HVK_CMPXCHG:
		subtract(sum, op == HVK_SBB ? carry : 0);
		break;
	case HVK_OR:
	case HVK_AND:
	case HVK_XOR:
	case HVK_TEST:
		logic(sum, op);
		break;
	case HVK_BT:
	case HVK_BTS:
	case HVK_BTR:
	case HVK_BTC:
		change_bit(sum, op);
		break;
	case HVK_INC:
	case HVK_DEC:
	case HVK_NEG:
		step(sum, op);
		break;
	case HVK_NOT:
		sum->result = hvk_zero_extend(~sum->to, sum->bytes);
		break;
	case HVK_MOV:
	case HVK_MOVSX:
	case HVK_XCHG:
		sum->result = sum->from;
	}
}

/* The processor writes memory in any case: the new value, or the one it read. */
static void compare_and_exchange(const struct hvk_insn *insn, struct hvk_values *values)
{
	struct hvk_sum sum = { .bytes = insn->bytes };

	sum.to = hvk_zero_extend(values->accumulator, insn->bytes);
	sum.from = hvk_zero_extend(values->memory, insn->bytes);
	calculate(HVK_CMPXCHG, &sum, 0);
	values->memory = sum.from;
	if (sum.to == sum.from)
		values->memory = hvk_zero_extend(values->other, insn->bytes);
	else
		values->accumulator = sum.from;
	values->rflags = (values->rflags & ~(u64)insn->rflags) | (sum.rflags & insn->rflags);
}

void hvk_execute(const struct hvk_insn *insn, struct hvk_values *values)
{
	bool to_memory = insn->flags & HVK_TO_MEMORY;
	struct hvk_sum sum = { .bytes = to_memory ? insn->bytes : insn->other_bytes };
	u64 memory = hvk_zero_extend(values->memory, insn->bytes);
	u64 other = hvk_zero_extend(values->other, insn->other_bytes);

	if (insn->op == HVK_CMPXCHG) {
		compare_and_exchange(insn, values);
		return;
	}
	if (insn->op == HVK_MOVSX)
		memory = hvk_zero_extend(hvk_sign_extend(memory, insn->bytes), sum.bytes);
	sum.to = to_memory ? memory : other;
	sum.from = to_memory ? other : memory;
	sum.result = sum.to;
	calculate((enum hvk_op)insn->op, &sum, values->rflags & HVK_RFLAGS_CF);
	values->rflags = (values->rflags & ~(u64)insn->rflags) | (sum.rflags & insn->rflags);
	if (insn->op == HVK_XCHG || insn->op == HVK_XADD)
		values->other = sum.to;
	if (insn->op == HVK_CMP || insn->op == HVK_TEST)
		return;
	if (to_memory)
		values->memory = sum.result;
	else
		values->other = sum.result;
}
