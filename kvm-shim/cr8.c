// SPDX-License-Identifier: GPL-2.0 OR MIT
/* MOV to and from CR8, where the CPU does not say which register it is. */
#include "emulate.h"
#include "exits.h"
#include "memory.h"
#include "registers.h"

#define MOV_FROM_CR 0x20
#define MOV_TO_CR 0x22
#define REX_B 1
#define MOST_BYTES 8u	/* no prefix but REX and LOCK makes sense here */

struct mov_cr8 {
	unsigned int length;
	unsigned int reg;
};

/* CR8 is CR0 with LOCK before it (AMD), or with REX.R. */
static bool decode(const u8 *bytes, struct mov_cr8 *mov)
{
	unsigned int i = 0;
	u8 rex = 0;

	while (i < MOST_BYTES - 3 && (bytes[i] == 0xf0 || bytes[i] == 0x66 || bytes[i] == 0xf2 ||
				      bytes[i] == 0xf3))
		i++;
	if (bytes[i] >> 4 == 4)
		rex = bytes[i++];
	if (bytes[i] != 0x0f || (bytes[i + 1] != MOV_FROM_CR && bytes[i + 1] != MOV_TO_CR))
		return false;
	mov->reg = (bytes[i + 2] & 7) | (rex & REX_B ? 8 : 0);
	mov->length = i + 3;
	return true;
}

/* Up to the end of the page: enough, or the next page has the rest. */
static int read_code(struct hvk_vcpu *vcpu, u8 *bytes)
{
	u64 linear = vcpu->exchange->rip + hvk_segment_base(vcpu, HVK_CS);
	struct hvk_paging paging;
	struct hvk_piece piece[2];
	int i, pieces, error = hvk_paging(vcpu, &paging);

	if (error)
		return error;
	pieces = hvk_pieces(vcpu, &paging, linear, MOST_BYTES, HVK_PF_FETCH, piece);
	for (i = 0; i < pieces; i++) {
		error = hvk_read_page(vcpu->vm, piece[i].gpa, bytes, piece[i].bytes);
		if (error)
			return error;
		bytes += piece[i].bytes;
	}
	return pieces < 0 ? pieces : pieces > 0;
}

int hvk_find_cr8_register(struct hvk_vcpu *vcpu, int *answer)
{
	struct hv_vcpu_exchange *exchange = vcpu->exchange;
	u8 bytes[MOST_BYTES];
	struct mov_cr8 mov;
	int got;

	if (exchange->address < 16)
		return 1;
	got = read_code(vcpu, bytes);
	if (got <= 0) {
		*answer = got ? got : 1;
		return 0;
	}
	if (!decode(bytes, &mov)) {
		*answer = hvk_emulation_failed(vcpu, bytes, MOST_BYTES);
		return 0;
	}
	exchange->address = mov.reg;
	exchange->length = mov.length;
	return 1;
}
