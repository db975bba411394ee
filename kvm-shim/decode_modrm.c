// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Effective addresses of ModRM and SIB bytes. SDM 2A 2.1.5 "Addressing-Mode Encoding". */
#include "decode_state.h"

/* Bytes of the displacement of mod, where the base does not say otherwise. */
static unsigned int displacement_bytes(u8 mod, unsigned int wide)
{
	return mod == 0 ? 0 : mod == 1 ? 1 : wide;
}

static enum hvk_decoded read_displacement(struct hvk_decoder *decoder, unsigned int bytes,
					  struct hvk_address *address)
{
	if (!bytes)
		return HVK_DECODED;
	return hvk_decode_next(decoder, bytes, &address->displacement);
}

static enum hvk_decoded read_address_16(struct hvk_decoder *decoder, struct hvk_address *address)
{
	enum { BX = 3, BP = HVK_RBP, SI = HVK_RSI, DI = HVK_RDI, NO = HVK_NO_REGISTER };
	static const u8 base[8] = { BX, BX, BP, BP, SI, DI, BP, BX };
	static const u8 index[8] = { SI, DI, SI, DI, NO, NO, NO, NO };
	u8 mod = decoder->modrm >> 6;
	u8 rm = decoder->modrm & 7;

	if (mod == 0 && rm == 6)
		return read_displacement(decoder, 2, address);
	address->base = base[rm];
	address->index = index[rm];
	return read_displacement(decoder, displacement_bytes(mod, 2), address);
}

static enum hvk_decoded read_sib(struct hvk_decoder *decoder, struct hvk_address *address)
{
	u8 mod = decoder->modrm >> 6;
	enum hvk_decoded decoded;
	u8 index, base;
	u64 sib = 0;

	decoded = hvk_decode_next(decoder, 1, &sib);
	if (decoded != HVK_DECODED)
		return decoded;
	index = (u8)((sib >> 3 & 7) | (decoder->rex & HVK_REX_X ? 8 : 0));
	base = sib & 7;
	if (index != HVK_RSP) {
		address->index = index;
		address->scale = (u8)(1u << (sib >> 6 & 3));
	}
	if (mod == 0 && base == HVK_RBP)
		return read_displacement(decoder, 4, address);
	address->base = (u8)(base | (decoder->rex & HVK_REX_B ? 8 : 0));
	return read_displacement(decoder, displacement_bytes(mod, 4), address);
}

static enum hvk_decoded read_address_32(struct hvk_decoder *decoder, struct hvk_address *address)
{
	u8 mod = decoder->modrm >> 6;
	u8 rm = decoder->modrm & 7;

	if (rm == HVK_RSP)
		return read_sib(decoder, address);
	if (mod == 0 && rm == HVK_RBP) {
		if (decoder->mode == HVK_MODE_64)
			address->base = HVK_RIP;
		return read_displacement(decoder, 4, address);
	}
	address->base = (u8)(rm | (decoder->rex & HVK_REX_B ? 8 : 0));
	return read_displacement(decoder, displacement_bytes(mod, 4), address);
}

enum hvk_decoded hvk_decode_address(struct hvk_decoder *decoder, struct hvk_address *address)
{
	enum hvk_decoded decoded;

	if (address->bytes == 2)
		decoded = read_address_16(decoder, address);
	else
		decoded = read_address_32(decoder, address);
	if (decoder->segment == HVK_NO_SEGMENT &&
	    (address->base == HVK_RSP || address->base == HVK_RBP))
		address->segment = HVK_SS;
	return decoded;
}
