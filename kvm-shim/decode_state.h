/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the decoder's files share while one instruction is decoded. */
#ifndef HVK_DECODE_STATE_H
#define HVK_DECODE_STATE_H

#include "decode.h"

#define HVK_NO_SEGMENT 0xff

struct hvk_decoder {
	const u8 *bytes;
	u8 count;
	u8 at;
	u8 mode; /* enum hvk_mode */
	u8 rex; /* 0: none */
	u8 segment; /* of the last prefix that counts, or HVK_NO_SEGMENT */
	u8 repeat; /* the last of f2 and f3, or 0 */
	bool operand_size;
	bool address_size;
	bool lock;
	u8 modrm;
};

#define HVK_REX_W 8
#define HVK_REX_R 4
#define HVK_REX_X 2
#define HVK_REX_B 1

/* Where an opcode has its operands. */
enum hvk_form {
	HVK_FORM_NONE, /* not one of ours */
	HVK_FORM_STORE, /* memory, register of ModRM */
	HVK_FORM_LOAD, /* register of ModRM, memory */
	HVK_FORM_IMMEDIATE, /* memory, immediate as wide, but of at most 4 bytes */
	HVK_FORM_IMMEDIATE_BYTE, /* memory, sign-extended byte */
	HVK_FORM_ALONE, /* memory */
	HVK_FORM_PUSH, /* stack, memory */
	HVK_FORM_POP, /* memory, stack */
	HVK_FORM_OFFSET_STORE, /* memory at an immediate offset, accumulator */
	HVK_FORM_OFFSET_LOAD, /* accumulator, memory at an immediate offset */
	HVK_FORM_MOVS,
	HVK_FORM_CMPS,
	HVK_FORM_STOS,
	HVK_FORM_LODS,
	HVK_FORM_SCAS,
	HVK_FORM_INS,
	HVK_FORM_OUTS,
};

enum hvk_opcode_flag {
	HVK_BYTE = 0x01, /* the operation is on bytes */
	HVK_FROM_1 = 0x02, /* memory is narrower than the register */
	HVK_FROM_2 = 0x04,
	HVK_FROM_4 = 0x08,
	HVK_STACK = 0x10, /* 8 bytes in 64-bit mode without being asked */
	HVK_ONLY_64 = 0x20,
	HVK_PLAIN = 0x40, /* movnti: 4 or 8 bytes, and another one, or none, after 66, f2, f3 */
};

struct hvk_opcode {
	u8 op; /* enum hvk_op */
	u8 form; /* enum hvk_form */
	u8 flags; /* enum hvk_opcode_flag */
};

/* An entry that stands for eight, chosen by the register field of ModRM. */
struct hvk_opcode_group {
	struct hvk_opcode of[8];
};

/* Reads 1, 2, 4 or 8 bytes, sign-extended. */
enum hvk_decoded hvk_decode_next(struct hvk_decoder *decoder, unsigned int bytes, u64 *value);
enum hvk_decoded hvk_decode_prefixes(struct hvk_decoder *decoder);
/* Also reads ModRM, where there is one. */
enum hvk_decoded hvk_decode_opcode(struct hvk_decoder *decoder, struct hvk_opcode *opcode);
/* Bases, index and displacement of a ModRM with memory. */
enum hvk_decoded hvk_decode_address(struct hvk_decoder *decoder, struct hvk_address *address);

static inline bool hvk_has_modrm(const struct hvk_opcode *opcode)
{
	return opcode->form >= HVK_FORM_STORE && opcode->form <= HVK_FORM_POP;
}

static inline u8 hvk_address_bytes(const struct hvk_decoder *decoder)
{
	if (decoder->mode == HVK_MODE_64)
		return decoder->address_size ? 4 : 8;
	return (decoder->mode == HVK_MODE_32) == decoder->address_size ? 2 : 4;
}

#endif
