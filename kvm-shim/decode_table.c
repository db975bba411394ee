// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Which instruction an opcode is. */
#include "decode_state.h"

#define HVK_BOTH(at, op, form)                                                                     \
	[at] = { op, form, HVK_BYTE },                                                             \
	[(at) + 1] = { op, form, 0 }

/* 00 … 3f are a table of their own: eight operations in the same forms. */
static const struct hvk_opcode one_byte[256] = {
	[0x63] = { HVK_MOVSX, HVK_FORM_LOAD, HVK_FROM_4 | HVK_ONLY_64 },
	HVK_BOTH(0x6c, HVK_MOV, HVK_FORM_INS),
	HVK_BOTH(0x6e, HVK_MOV, HVK_FORM_OUTS),
	HVK_BOTH(0x84, HVK_TEST, HVK_FORM_STORE),
	HVK_BOTH(0x86, HVK_XCHG, HVK_FORM_STORE),
	HVK_BOTH(0x88, HVK_MOV, HVK_FORM_STORE),
	HVK_BOTH(0x8a, HVK_MOV, HVK_FORM_LOAD),
	HVK_BOTH(0xa0, HVK_MOV, HVK_FORM_OFFSET_LOAD),
	HVK_BOTH(0xa2, HVK_MOV, HVK_FORM_OFFSET_STORE),
	HVK_BOTH(0xa4, HVK_MOV, HVK_FORM_MOVS),
	HVK_BOTH(0xa6, HVK_CMP, HVK_FORM_CMPS),
	HVK_BOTH(0xaa, HVK_MOV, HVK_FORM_STOS),
	HVK_BOTH(0xac, HVK_MOV, HVK_FORM_LODS),
	HVK_BOTH(0xae, HVK_CMP, HVK_FORM_SCAS),
};

/* After 0f. */
static const struct hvk_opcode two_bytes[256] = {
	[0xa3] = { HVK_BT, HVK_FORM_STORE, 0 },
	[0xab] = { HVK_BTS, HVK_FORM_STORE, 0 },
	HVK_BOTH(0xb0, HVK_CMPXCHG, HVK_FORM_STORE),
	[0xb3] = { HVK_BTR, HVK_FORM_STORE, 0 },
	[0xb6] = { HVK_MOV, HVK_FORM_LOAD, HVK_FROM_1 },
	[0xb7] = { HVK_MOV, HVK_FORM_LOAD, HVK_FROM_2 },
	[0xbb] = { HVK_BTC, HVK_FORM_STORE, 0 },
	[0xbe] = { HVK_MOVSX, HVK_FORM_LOAD, HVK_FROM_1 },
	[0xbf] = { HVK_MOVSX, HVK_FORM_LOAD, HVK_FROM_2 },
	HVK_BOTH(0xc0, HVK_XADD, HVK_FORM_STORE),
	[0xc3] = { HVK_MOV, HVK_FORM_STORE, HVK_PLAIN },
};

static const struct hvk_opcode_group move = { { { HVK_MOV, HVK_FORM_IMMEDIATE, 0 } } };
static const struct hvk_opcode_group pop = { { { HVK_MOV, HVK_FORM_POP, HVK_STACK } } };

static const struct hvk_opcode_group bits = { {
	[4] = { HVK_BT, HVK_FORM_IMMEDIATE_BYTE, 0 },
	[5] = { HVK_BTS, HVK_FORM_IMMEDIATE_BYTE, 0 },
	[6] = { HVK_BTR, HVK_FORM_IMMEDIATE_BYTE, 0 },
	[7] = { HVK_BTC, HVK_FORM_IMMEDIATE_BYTE, 0 },
} };

/* /1 is in no manual of Intel's, but does what /0 does everywhere. */
static const struct hvk_opcode_group unary = { {
	[0] = { HVK_TEST, HVK_FORM_IMMEDIATE, 0 },
	[1] = { HVK_TEST, HVK_FORM_IMMEDIATE, 0 },
	[2] = { HVK_NOT, HVK_FORM_ALONE, 0 },
	[3] = { HVK_NEG, HVK_FORM_ALONE, 0 },
} };

static const struct hvk_opcode_group step_byte = { {
	[0] = { HVK_INC, HVK_FORM_ALONE, 0 },
	[1] = { HVK_DEC, HVK_FORM_ALONE, 0 },
} };

static const struct hvk_opcode_group step = { {
	[0] = { HVK_INC, HVK_FORM_ALONE, 0 },
	[1] = { HVK_DEC, HVK_FORM_ALONE, 0 },
	[6] = { HVK_MOV, HVK_FORM_PUSH, HVK_STACK },
} };

static const struct hvk_opcode_group *group_of(u8 byte)
{
	switch (byte) {
	case 0x8f:
		return &pop;
	case 0xc6:
	case 0xc7:
		return &move;
	case 0xf6:
	case 0xf7:
		return &unary;
	case 0xfe:
		return &step_byte;
	case 0xff:
		return &step;
	default:
		return NULL;
	}
}

static enum hvk_decoded read_modrm(struct hvk_decoder *decoder)
{
	u64 value = 0;
	enum hvk_decoded decoded = hvk_decode_next(decoder, 1, &value);

	decoder->modrm = (u8)value;
	return decoded;
}

/* Opcodes whose ModRM chooses the instruction; an even one is on bytes. */
static enum hvk_decoded read_group(struct hvk_decoder *decoder,
				   const struct hvk_opcode_group *group, u8 byte,
				   struct hvk_opcode *opcode)
{
	enum hvk_decoded decoded = read_modrm(decoder);

	if (decoded != HVK_DECODED)
		return decoded;
	*opcode = group->of[decoder->modrm >> 3 & 7];
	if (!(byte & 1))
		opcode->flags |= HVK_BYTE;
	return opcode->form == HVK_FORM_NONE ? HVK_DECODE_UNKNOWN : HVK_DECODED;
}

/* 80 … 83: the eight operations with an immediate. */
static enum hvk_decoded read_arithmetic(struct hvk_decoder *decoder, u8 byte,
					struct hvk_opcode *opcode)
{
	enum hvk_decoded decoded;

	if (byte == 0x82 && decoder->mode == HVK_MODE_64)
		return HVK_DECODE_INVALID;
	decoded = read_modrm(decoder);
	opcode->op = decoder->modrm >> 3 & 7;
	opcode->form = byte == 0x83 ? HVK_FORM_IMMEDIATE_BYTE : HVK_FORM_IMMEDIATE;
	opcode->flags = byte & 1 ? 0 : HVK_BYTE;
	return decoded;
}

static enum hvk_decoded read_listed(struct hvk_decoder *decoder, const struct hvk_opcode *listed,
				    struct hvk_opcode *opcode)
{
	*opcode = *listed;
	if (opcode->form == HVK_FORM_NONE)
		return HVK_DECODE_UNKNOWN;
	if ((opcode->flags & HVK_ONLY_64) && decoder->mode != HVK_MODE_64)
		return HVK_DECODE_UNKNOWN;
	if ((opcode->flags & HVK_PLAIN) && (decoder->operand_size || decoder->repeat))
		return HVK_DECODE_UNKNOWN;
	return hvk_has_modrm(opcode) ? read_modrm(decoder) : HVK_DECODED;
}

static enum hvk_decoded read_two_bytes(struct hvk_decoder *decoder, struct hvk_opcode *opcode)
{
	enum hvk_decoded decoded;
	u64 byte = 0;

	decoded = hvk_decode_next(decoder, 1, &byte);
	if (decoded != HVK_DECODED)
		return decoded;
	byte &= 0xff;
	if (byte == 0xba)
		return read_group(decoder, &bits, (u8)byte | 1, opcode);
	return read_listed(decoder, &two_bytes[byte], opcode);
}

enum hvk_decoded hvk_decode_opcode(struct hvk_decoder *decoder, struct hvk_opcode *opcode)
{
	struct hvk_opcode arithmetic;
	enum hvk_decoded decoded;
	u64 byte = 0;

	decoded = hvk_decode_next(decoder, 1, &byte);
	if (decoded != HVK_DECODED)
		return decoded;
	byte &= 0xff;
	if (byte == 0x0f)
		return read_two_bytes(decoder, opcode);
	if (byte < 0x40 && (byte & 7) < 4) {
		arithmetic.op = (u8)(byte >> 3);
		arithmetic.form = byte & 2 ? HVK_FORM_LOAD : HVK_FORM_STORE;
		arithmetic.flags = byte & 1 ? 0 : HVK_BYTE;
		return read_listed(decoder, &arithmetic, opcode);
	}
	if (byte >= 0x80 && byte <= 0x83)
		return read_arithmetic(decoder, (u8)byte, opcode);
	if (group_of((u8)byte))
		return read_group(decoder, group_of((u8)byte), (u8)byte, opcode);
	return read_listed(decoder, &one_byte[byte], opcode);
}
