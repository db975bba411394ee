// SPDX-License-Identifier: GPL-2.0 OR MIT
/* INS and OUTS: items between guest memory and a port, by way of the page that the client sees. */
#include "emulate.h"
#include "io.h"
#include "memory.h"
#include "registers.h"

#define MOST_BYTES 1024u	/* of one exit */
#define ITEM_BYTES 4u

struct string_io {
	struct hvk_vcpu *vcpu;
	struct hvk_paging paging;
	struct hvk_insn insn;
	int answer;
};

static bool begin(struct string_io *io)
{
	io->answer = hvk_paging(io->vcpu, &io->paging);
	if (io->answer || !hvk_fetch(io->vcpu, &io->paging, &io->insn, &io->answer))
		return false;
	if (io->insn.other == HVK_OTHER_PORT)
		return true;
	io->answer = hvk_emulation_failed(io->vcpu, NULL, 0);
	return false;
}

/* One item of memory, read or written. Devices are no place for it. */
static bool access_item(struct string_io *io, u8 *data, bool write)
{
	struct hvk_vcpu *vcpu = io->vcpu;
	struct hvk_piece piece[2];
	u64 linear = hvk_linear(vcpu, &io->insn, &io->insn.memory);
	int i, error = 0;
	int pieces = hvk_pieces(vcpu, &io->paging, linear, io->insn.bytes,
				write ? HVK_PF_WRITE : 0, piece);

	for (i = 0; i < pieces && !error; i++) {
		error = write ? hvk_write_page(vcpu->vm, piece[i].gpa, data, piece[i].bytes)
			      : hvk_read_page(vcpu->vm, piece[i].gpa, data, piece[i].bytes);
		data += piece[i].bytes;
	}
	if (pieces > 0 && !error)
		return true;
	if (error == -ENXIO)
		io->answer = hvk_emulation_failed(vcpu, NULL, 0);
	else
		io->answer = pieces ? error ?: pieces : 1;
	return false;
}

static void move_on(struct string_io *io)
{
	struct hv_vcpu_exchange *exchange = io->vcpu->exchange;

	hvk_string_advance(&io->insn, exchange->rflags, 1, exchange->gpr);
	if (!hvk_string_again(&io->insn, exchange->rflags, exchange->gpr))
		hvk_advance(io->vcpu, io->insn.length);
}

/* Items that one exit may carry: within the page, no more than the guest wants. */
static u32 batch(const struct string_io *io)
{
	const struct hv_vcpu_exchange *exchange = io->vcpu->exchange;
	u64 wanted = hvk_string_count(&io->insn, exchange->gpr);
	u64 room = offset_in_page(exchange->gpr[HVK_RDI]);

	if (!(exchange->rflags & X86_EFLAGS_DF))
		room = PAGE_SIZE - room;
	return max_t(u64, min3(wanted, room / io->insn.bytes, (u64)MOST_BYTES / io->insn.bytes), 1);
}

/* The client may have changed registers meanwhile: what they now say counts. */
static int store_items(struct hvk_vcpu *vcpu)
{
	struct string_io io = { .vcpu = vcpu };
	u32 i, count = vcpu->pending.count;

	if (vcpu->exchange->rip != vcpu->pending.rip)
		return 1;
	if (!begin(&io))
		return io.answer;
	if (io.insn.bytes != vcpu->pending.bytes)
		return 1;
	count = min_t(u64, count, hvk_string_count(&io.insn, vcpu->exchange->gpr));
	for (i = 0; i < count; i++) {
		if (!access_item(&io, vcpu->pio + i * io.insn.bytes, true))
			return io.answer;
		move_on(&io);
	}
	return 1;
}

static int input(struct string_io *io, u16 port)
{
	struct hvk_vcpu *vcpu = io->vcpu;
	u8 item[ITEM_BYTES] = {};
	struct hvk_piece piece[2];
	int pieces;

	if (hvk_port_access(vcpu, port, item, io->insn.bytes, false)) {
		if (!access_item(io, item, true))
			return io->answer;
		move_on(io);
		return 1;
	}
	/* A page fault comes before the port is read. */
	pieces = hvk_pieces(vcpu, &io->paging, hvk_linear(vcpu, &io->insn, &io->insn.memory),
			    io->insn.bytes, HVK_PF_WRITE, piece);
	if (pieces <= 0)
		return pieces ? pieces : 1;
	return hvk_port_exit(vcpu, port, io->insn.bytes, batch(io), KVM_EXIT_IO_IN, store_items);
}

static int output(struct string_io *io, u16 port)
{
	struct hvk_vcpu *vcpu = io->vcpu;
	u8 item[ITEM_BYTES];

	if (!access_item(io, item, false))
		return io->answer;
	move_on(io);
	if (hvk_port_access(vcpu, port, item, io->insn.bytes, true))
		return 1;
	memcpy(vcpu->pio, item, io->insn.bytes);
	return hvk_port_exit(vcpu, port, io->insn.bytes, 1, KVM_EXIT_IO_OUT, NULL);
}

/*
 * Another vcpu may have written over it since it left the guest. What the core has let pass, and
 * held rules against, is that one: the guest makes the other in its turn.
 */
static bool same_as_it_left(const struct string_io *io)
{
	u32 detail = io->vcpu->exchange->detail;
	bool in = detail & HV_GUEST_IO_IN;

	return io->insn.bytes == (detail >> HV_GUEST_IO_BYTES_SHIFT & 7) &&
	       in == !!(io->insn.flags & HVK_WRITES);
}

int hvk_emulate_string_io(struct hvk_vcpu *vcpu, u16 port)
{
	struct string_io io = { .vcpu = vcpu };

	if (!begin(&io))
		return io.answer;
	if (!same_as_it_left(&io))
		return 1;
	if (!hvk_string_count(&io.insn, vcpu->exchange->gpr)) {
		hvk_advance(vcpu, io.insn.length);
		return 1;
	}
	return io.insn.flags & HVK_WRITES ? input(&io, port) : output(&io, port);
}
