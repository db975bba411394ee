// SPDX-License-Identifier: GPL-2.0 OR MIT
/* An instruction with an operand in a device: read what it reads, execute, write what it writes. */
#include "emulate.h"
#include "memory.h"
#include "registers.h"

/* One run through an instruction. */
struct emulator {
	struct hvk_vcpu *vcpu;
	struct hvk_paging paging;
	struct hvk_insn insn;
	struct hvk_values values;
	struct hvk_piece piece[2];	/* the memory operand */
	int pieces;
	int answer;			/* where a step says that it is over */
};

static int emulate(struct hvk_vcpu *vcpu);

static int read_done(struct hvk_vcpu *vcpu)
{
	struct hvk_emulation *state = &vcpu->emulation;
	u32 bytes = vcpu->pending.bytes;

	if (state->read_bytes + bytes > sizeof(state->read))
		return hvk_emulation_failed(vcpu, NULL, 0);
	memcpy(state->read + state->read_bytes, vcpu->run->mmio.data, bytes);
	state->read_bytes += bytes;
	return emulate(vcpu);
}

/* From memory, or from a device: kept, because the instruction may have to begin again. */
static bool read_now(struct emulator *emulator, const struct hvk_piece *piece)
{
	struct hvk_vcpu *vcpu = emulator->vcpu;
	struct hvk_emulation *state = &vcpu->emulation;
	u8 *at = state->read + state->read_bytes;
	int error;

	if (state->read_bytes + piece->bytes > sizeof(state->read)) {
		emulator->answer = hvk_emulation_failed(vcpu, NULL, 0);
		return false;
	}
	error = hvk_read_page(vcpu->vm, piece->gpa, at, piece->bytes);
	if (error && error != -ENXIO) {
		emulator->answer = error;
		return false;
	}
	if (error && !hvk_device_access(vcpu, piece, at, false)) {
		emulator->answer = hvk_client_access(vcpu, piece, NULL, false, read_done);
		return false;
	}
	state->read_bytes += piece->bytes;
	return true;
}

static bool read_pieces(struct emulator *emulator, const struct hvk_piece *piece, int pieces,
			u64 *value)
{
	struct hvk_emulation *state = &emulator->vcpu->emulation;
	u8 *to = (u8 *)value;
	int i;

	*value = 0;
	for (i = 0; i < pieces; i++) {
		if (state->used == state->read_bytes && !read_now(emulator, &piece[i]))
			return false;
		if (state->used + piece[i].bytes > state->read_bytes) {
			emulator->answer = hvk_emulation_failed(emulator->vcpu, NULL, 0);
			return false;
		}
		memcpy(to, state->read + state->used, piece[i].bytes);
		state->used += piece[i].bytes;
		to += piece[i].bytes;
	}
	return true;
}

static int find(struct emulator *emulator, u64 linear, unsigned int bytes, u32 access,
		struct hvk_piece *piece)
{
	int pieces = hvk_pieces(emulator->vcpu, &emulator->paging, linear, bytes, access, piece);

	if (pieces <= 0)
		emulator->answer = pieces ? pieces : 1;
	return pieces;
}

static bool find_memory(struct emulator *emulator)
{
	const struct hvk_insn *insn = &emulator->insn;

	emulator->pieces = find(emulator, hvk_linear(emulator->vcpu, insn, &insn->memory),
				insn->bytes, insn->flags & HVK_WRITES ? HVK_PF_WRITE : 0,
				emulator->piece);
	return emulator->pieces > 0;
}

static bool read_second(struct emulator *emulator)
{
	const struct hvk_insn *insn = &emulator->insn;
	u64 linear = hvk_linear(emulator->vcpu, insn, &insn->second);
	struct hvk_piece piece[2];
	int pieces = find(emulator, linear, insn->bytes, 0, piece);

	return pieces > 0 && read_pieces(emulator, piece, pieces, &emulator->values.other);
}

static bool read_operands(struct emulator *emulator)
{
	const struct hvk_insn *insn = &emulator->insn;
	bool reads = insn->flags & HVK_READS;

	if (!find_memory(emulator))
		return false;
	if (reads && !read_pieces(emulator, emulator->piece, emulator->pieces,
				  &emulator->values.memory))
		return false;
	return insn->other != HVK_OTHER_MEMORY || read_second(emulator);
}

/* The rest of what an instruction writes; registers are done by now. */
static int write_on(struct hvk_vcpu *vcpu)
{
	struct hvk_emulation *state = &vcpu->emulation;

	while (state->written < state->pieces) {
		const struct hvk_piece *piece = &state->piece[state->written];
		u8 *from = state->write + (state->written ? state->piece[0].bytes : 0);
		int error = hvk_write_page(vcpu->vm, piece->gpa, from, piece->bytes);

		if (error && error != -ENXIO)
			return error;
		state->written++;
		if (error && !hvk_device_access(vcpu, piece, from, true))
			return hvk_client_access(vcpu, piece, from, true, write_on);
	}
	return 1;
}

static int write_back(struct emulator *emulator)
{
	struct hvk_emulation *state = &emulator->vcpu->emulation;

	state->written = 0;
	state->pieces = emulator->pieces;
	memcpy(state->piece, emulator->piece, sizeof(state->piece));
	memcpy(state->write, &emulator->values.memory, sizeof(state->write));
	return write_on(emulator->vcpu);
}

/* One iteration of a string instruction: RIP moves with the last one. */
static void move_on(struct emulator *emulator)
{
	struct hv_vcpu_exchange *exchange = emulator->vcpu->exchange;
	const struct hvk_insn *insn = &emulator->insn;

	exchange->rflags = (exchange->rflags & ~(u64)insn->rflags) |
			   (emulator->values.rflags & insn->rflags);
	if (insn->flags & HVK_STRING) {
		hvk_string_advance(insn, exchange->rflags, 1, exchange->gpr);
		if (hvk_string_again(insn, exchange->rflags, exchange->gpr))
			return;
	}
	hvk_advance(emulator->vcpu, insn->length);
}

static int execute(struct emulator *emulator)
{
	struct hv_vcpu_exchange *exchange = emulator->vcpu->exchange;
	const struct hvk_insn *insn = &emulator->insn;

	if (insn->flags & HVK_STRING && !hvk_string_count(insn, exchange->gpr)) {
		hvk_advance(emulator->vcpu, insn->length);
		return 1;
	}
	if (!read_operands(emulator))
		return emulator->answer;
	hvk_take_registers(insn, exchange->gpr, exchange->rflags, &emulator->values);
	hvk_execute(insn, &emulator->values);
	hvk_give_registers(insn, &emulator->values, exchange->gpr);
	move_on(emulator);
	return insn->flags & HVK_WRITES ? write_back(emulator) : 1;
}

static int emulate(struct hvk_vcpu *vcpu)
{
	struct emulator emulator = { .vcpu = vcpu };
	int error = hvk_paging(vcpu, &emulator.paging);

	vcpu->emulation.used = 0;
	if (error)
		return error;
	if (!hvk_fetch(vcpu, &emulator.paging, &emulator.insn, &emulator.answer))
		return emulator.answer;
	if (emulator.insn.other == HVK_OTHER_PORT || emulator.insn.other == HVK_OTHER_STACK)
		return hvk_emulation_failed(vcpu, NULL, 0);
	return execute(&emulator);
}

int hvk_emulate_memory(struct hvk_vcpu *vcpu)
{
	vcpu->emulation.read_bytes = 0;
	return emulate(vcpu);
}
