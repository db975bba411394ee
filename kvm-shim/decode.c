// SPDX-License-Identifier: GPL-2.0 OR MIT
/* From bytes to an instruction: prefixes, opcode, address, immediate, then what it all means. */
#include "decode_state.h"

#define HVK_ARITHMETIC                                                                             \
	(HVK_RFLAGS_CF | HVK_RFLAGS_PF | HVK_RFLAGS_AF | HVK_RFLAGS_ZF | HVK_RFLAGS_SF |           \
	 HVK_RFLAGS_OF)

/* What an operation does with its operand "to". */
enum { READS_IT = 1, WRITES_IT = 2, MAY_LOCK = 4, UPDATES = 7 };

struct hvk_operation {
	u32 rflags;
	u32 does;
};

static const struct hvk_operation operations[] = {
	[HVK_ADD] = { HVK_ARITHMETIC, UPDATES },
	[HVK_OR] = { HVK_ARITHMETIC, UPDATES },
	[HVK_ADC] = { HVK_ARITHMETIC, UPDATES },
	[HVK_SBB] = { HVK_ARITHMETIC, UPDATES },
	[HVK_AND] = { HVK_ARITHMETIC, UPDATES },
	[HVK_SUB] = { HVK_ARITHMETIC, UPDATES },
	[HVK_XOR] = { HVK_ARITHMETIC, UPDATES },
	[HVK_CMP] = { HVK_ARITHMETIC, READS_IT },
	[HVK_TEST] = { HVK_ARITHMETIC, READS_IT },
	[HVK_MOV] = { 0, WRITES_IT },
	[HVK_MOVSX] = { 0, WRITES_IT },
	[HVK_XCHG] = { 0, UPDATES },
	[HVK_XADD] = { HVK_ARITHMETIC, UPDATES },
	[HVK_CMPXCHG] = { HVK_ARITHMETIC, UPDATES },
	[HVK_BT] = { HVK_RFLAGS_CF, READS_IT },
	[HVK_BTS] = { HVK_RFLAGS_CF, UPDATES },
	[HVK_BTR] = { HVK_RFLAGS_CF, UPDATES },
	[HVK_BTC] = { HVK_RFLAGS_CF, UPDATES },
	[HVK_INC] = { HVK_ARITHMETIC & ~HVK_RFLAGS_CF, UPDATES },
	[HVK_DEC] = { HVK_ARITHMETIC & ~HVK_RFLAGS_CF, UPDATES },
	[HVK_NOT] = { 0, UPDATES },
	[HVK_NEG] = { HVK_ARITHMETIC, UPDATES },
};

/* A string instruction's memory operand is at RDI or RSI; of movs and cmps, second is the other. */
struct hvk_string_form {
	u8 at;
	u8 other; /* enum hvk_other */
	bool to_memory;
};

static const struct hvk_string_form string_forms[] = {
	[HVK_FORM_MOVS] = { HVK_RDI, HVK_OTHER_MEMORY, true },
	[HVK_FORM_CMPS] = { HVK_RSI, HVK_OTHER_MEMORY, true },
	[HVK_FORM_STOS] = { HVK_RDI, HVK_OTHER_REGISTER, true },
	[HVK_FORM_LODS] = { HVK_RSI, HVK_OTHER_REGISTER, false },
	[HVK_FORM_SCAS] = { HVK_RDI, HVK_OTHER_REGISTER, false },
	[HVK_FORM_INS] = { HVK_RDI, HVK_OTHER_PORT, true },
	[HVK_FORM_OUTS] = { HVK_RSI, HVK_OTHER_PORT, false },
};

static u8 operand_bytes(const struct hvk_decoder *decoder, const struct hvk_opcode *opcode)
{
	if (opcode->flags & HVK_BYTE)
		return 1;
	if (decoder->rex & HVK_REX_W)
		return opcode->form == HVK_FORM_INS || opcode->form == HVK_FORM_OUTS ? 4 : 8;
	if (opcode->flags & HVK_PLAIN)
		return 4;
	if (decoder->operand_size != (decoder->mode == HVK_MODE_16))
		return 2;
	return decoder->mode == HVK_MODE_64 && (opcode->flags & HVK_STACK) ? 8 : 4;
}

static void set_sizes(const struct hvk_decoder *decoder, const struct hvk_opcode *opcode,
		      struct hvk_insn *insn)
{
	insn->other_bytes = operand_bytes(decoder, opcode);
	insn->bytes = insn->other_bytes;
	if (opcode->flags & HVK_FROM_1)
		insn->bytes = 1;
	if (opcode->flags & HVK_FROM_2)
		insn->bytes = 2;
	if (opcode->flags & HVK_FROM_4)
		insn->bytes = 4;
}

/* Without REX, bytes 4 … 7 are the second bytes of the first four registers. */
static void set_register(const struct hvk_decoder *decoder, struct hvk_insn *insn)
{
	u8 reg = decoder->modrm >> 3 & 7;

	insn->other = HVK_OTHER_REGISTER;
	if (insn->other_bytes == 1 && !decoder->rex && reg >= 4)
		insn->reg = (u8)(HVK_HIGH_BYTE | (reg - 4));
	else
		insn->reg = (u8)(reg | (decoder->rex & HVK_REX_R ? 8 : 0));
}

static struct hvk_address plain_address(const struct hvk_decoder *decoder)
{
	struct hvk_address address = {
		.segment = decoder->segment == HVK_NO_SEGMENT ? HVK_DS : decoder->segment,
		.base = HVK_NO_REGISTER,
		.index = HVK_NO_REGISTER,
		.scale = 1,
		.bytes = hvk_address_bytes(decoder),
	};

	return address;
}

static void set_string(const struct hvk_decoder *decoder, const struct hvk_opcode *opcode,
		       struct hvk_insn *insn)
{
	const struct hvk_string_form *form = &string_forms[opcode->form];
	struct hvk_address from = plain_address(decoder);
	struct hvk_address to = plain_address(decoder);

	from.base = HVK_RSI;
	to.base = HVK_RDI;
	to.segment = HVK_ES; /* whatever the prefixes say */
	insn->memory = form->at == HVK_RDI ? to : from;
	insn->second = form->at == HVK_RDI ? from : to;
	insn->other = form->other;
	insn->reg = HVK_RAX;
	insn->flags |= HVK_STRING;
	if (form->to_memory)
		insn->flags |= HVK_TO_MEMORY;
	if (decoder->repeat && insn->op == HVK_CMP)
		insn->rep = decoder->repeat == 0xf3 ? HVK_REPE : HVK_REPNE;
	else if (decoder->repeat)
		insn->rep = HVK_REP;
}

/* What follows ModRM and the address. */
static enum hvk_decoded read_other(struct hvk_decoder *decoder, const struct hvk_opcode *opcode,
				   struct hvk_insn *insn)
{
	unsigned int bytes = insn->bytes < 4 ? insn->bytes : 4;

	switch (opcode->form) {
	case HVK_FORM_STORE:
	case HVK_FORM_LOAD:
		set_register(decoder, insn);
		break;
	case HVK_FORM_IMMEDIATE:
	case HVK_FORM_IMMEDIATE_BYTE:
		insn->other = HVK_OTHER_IMMEDIATE;
		return hvk_decode_next(decoder, opcode->form == HVK_FORM_IMMEDIATE ? bytes : 1,
				       &insn->immediate);
	case HVK_FORM_PUSH:
	case HVK_FORM_POP:
		insn->other = HVK_OTHER_STACK;
		break;
	default:
		insn->other = HVK_OTHER_NONE;
		break;
	}
	return HVK_DECODED;
}

static enum hvk_decoded read_operands(struct hvk_decoder *decoder, const struct hvk_opcode *opcode,
				      struct hvk_insn *insn)
{
	enum hvk_decoded decoded;

	insn->memory = plain_address(decoder);
	if (opcode->form == HVK_FORM_OFFSET_STORE || opcode->form == HVK_FORM_OFFSET_LOAD) {
		insn->other = HVK_OTHER_REGISTER;
		insn->reg = HVK_RAX;
		if (opcode->form == HVK_FORM_OFFSET_STORE)
			insn->flags |= HVK_TO_MEMORY;
		return hvk_decode_next(decoder, insn->memory.bytes, &insn->memory.displacement);
	}
	if (!hvk_has_modrm(opcode)) {
		set_string(decoder, opcode, insn);
		return HVK_DECODED;
	}
	if (decoder->modrm >= 0xc0)
		return decoder->lock ? HVK_DECODE_INVALID : HVK_DECODE_REGISTER;
	decoded = hvk_decode_address(decoder, &insn->memory);
	if (decoded != HVK_DECODED)
		return decoded;
	if (opcode->form != HVK_FORM_LOAD && opcode->form != HVK_FORM_PUSH)
		insn->flags |= HVK_TO_MEMORY;
	return read_other(decoder, opcode, insn);
}

/* What the operation does with memory, and whether it may be locked. */
static enum hvk_decoded set_effects(const struct hvk_decoder *decoder, struct hvk_insn *insn)
{
	const struct hvk_operation *operation = &operations[insn->op];
	bool to_memory = insn->flags & HVK_TO_MEMORY;

	if (decoder->lock && !(to_memory && (operation->does & MAY_LOCK)))
		return HVK_DECODE_INVALID;
	if (decoder->lock || insn->op == HVK_XCHG)
		insn->flags |= HVK_LOCKED;
	if (!to_memory || (operation->does & READS_IT))
		insn->flags |= HVK_READS;
	if (to_memory && (operation->does & WRITES_IT))
		insn->flags |= HVK_WRITES;
	if (insn->op >= HVK_BT && insn->op <= HVK_BTC && insn->other == HVK_OTHER_REGISTER)
		insn->flags |= HVK_BIT_STRING;
	insn->rflags = operation->rflags;
	return HVK_DECODED;
}

enum hvk_decoded hvk_decode(const u8 *bytes, unsigned int count, enum hvk_mode mode,
			    struct hvk_insn *insn)
{
	struct hvk_decoder decoder = {
		.bytes = bytes,
		.count = (u8)(count < HVK_INSN_BYTES ? count : HVK_INSN_BYTES),
		.mode = (u8)mode,
		.segment = HVK_NO_SEGMENT,
	};
	struct hvk_opcode opcode = { .form = HVK_FORM_NONE };
	enum hvk_decoded decoded;

	*insn = (struct hvk_insn){ .op = 0 };
	decoded = hvk_decode_prefixes(&decoder);
	if (decoded == HVK_DECODED)
		decoded = hvk_decode_opcode(&decoder, &opcode);
	if (decoded != HVK_DECODED)
		return decoded;
	insn->op = opcode.op;
	set_sizes(&decoder, &opcode, insn);
	decoded = read_operands(&decoder, &opcode, insn);
	if (decoded != HVK_DECODED)
		return decoded;
	insn->length = decoder.at;
	return set_effects(&decoder, insn);
}
