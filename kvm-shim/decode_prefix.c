// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Bytes in their order, and the prefixes that come first. */
#include "decode_state.h"

enum hvk_decoded hvk_decode_next(struct hvk_decoder *decoder, unsigned int bytes, u64 *value)
{
	unsigned int i;

	if (decoder->at + bytes > HVK_INSN_BYTES)
		return HVK_DECODE_TOO_LONG;
	if (decoder->at + bytes > decoder->count)
		return HVK_DECODE_MORE;
	*value = 0;
	for (i = 0; i < 8; i++) {
		if (i < bytes)
			*value |= (u64)decoder->bytes[decoder->at + i] << 8 * i;
	}
	*value = hvk_sign_extend(*value, bytes);
	decoder->at = (u8)(decoder->at + bytes);
	return HVK_DECODED;
}

/* In 64-bit mode the segments with no base do not even replace an earlier FS or GS. */
static void override_segment(struct hvk_decoder *decoder, enum hvk_segment segment)
{
	if (decoder->mode != HVK_MODE_64 || segment == HVK_FS || segment == HVK_GS)
		decoder->segment = (u8)segment;
}

/* False: byte is no prefix other than REX. */
static bool take_prefix(struct hvk_decoder *decoder, u8 byte)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
		override_segment(decoder, (enum hvk_segment)(byte >> 3 & 3));
		return true;
	case 0x64:
		override_segment(decoder, HVK_FS);
		return true;
	case 0x65:
		override_segment(decoder, HVK_GS);
		return true;
	case 0x66:
		decoder->operand_size = true;
		return true;
	case 0x67:
		decoder->address_size = true;
		return true;
	case 0xf0:
		decoder->lock = true;
		return true;
	case 0xf2:
	case 0xf3:
		decoder->repeat = byte;
		return true;
	default:
		return false;
	}
}

/* A REX prefix counts only where the opcode follows it. */
enum hvk_decoded hvk_decode_prefixes(struct hvk_decoder *decoder)
{
	unsigned int i;

	for (i = 0; i < HVK_INSN_BYTES; i++) {
		u8 byte;

		if (decoder->at >= decoder->count)
			return HVK_DECODE_MORE;
		byte = decoder->bytes[decoder->at];
		if (decoder->mode == HVK_MODE_64 && (byte & 0xf0) == 0x40)
			decoder->rex = byte;
		else if (take_prefix(decoder, byte))
			decoder->rex = 0;
		else
			return HVK_DECODED;
		decoder->at++;
	}
	return HVK_DECODE_TOO_LONG;
}
