// SPDX-License-Identifier: GPL-2.0 OR MIT
/* IN and OUT. Both are over for the guest when the client has called KVM_RUN again. */
#include "decode.h"
#include "emulate.h"
#include "io.h"
#include "irqchip.h"
#include "registers.h"

bool hvk_port_access(struct hvk_vcpu *vcpu, u16 port, void *data, unsigned int bytes, bool write)
{
	return vcpu->vm->irqchip && hvk_pic_pit_io(vcpu->vm, port, data, bytes, write);
}

int hvk_port_exit(struct hvk_vcpu *vcpu, u16 port, unsigned int bytes, u32 count, u8 direction,
		  int (*complete)(struct hvk_vcpu *vcpu))
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = direction;
	run->io.size = bytes;
	run->io.port = port;
	run->io.count = count;
	run->io.data_offset = HVK_PIO_PAGE * PAGE_SIZE;
	vcpu->pending = (struct hvk_pending){
		.complete = complete, .rip = vcpu->exchange->rip, .bytes = bytes, .count = count,
	};
	return 0;
}

/* RIP may be another by now: then the client has decided where the guest goes on. */
static bool still_there(const struct hvk_vcpu *vcpu)
{
	return vcpu->exchange->rip == vcpu->pending.rip;
}

static int output_done(struct hvk_vcpu *vcpu)
{
	if (still_there(vcpu))
		hvk_advance(vcpu, vcpu->exchange->length);
	return 1;
}

static void input_value(struct hvk_vcpu *vcpu, const void *data, unsigned int bytes)
{
	u64 *rax = &vcpu->exchange->gpr[HVK_RAX];
	u32 value = 0;

	memcpy(&value, data, bytes);
	*rax = bytes == 4 ? value : (*rax & ~((1ull << 8 * bytes) - 1)) | value;
}

static int input_done(struct hvk_vcpu *vcpu)
{
	if (still_there(vcpu)) {
		input_value(vcpu, vcpu->pio, vcpu->pending.bytes);
		hvk_advance(vcpu, vcpu->exchange->length);
	}
	return 1;
}

static int output(struct hvk_vcpu *vcpu, u16 port, unsigned int bytes)
{
	u32 value = vcpu->exchange->value;

	if (hvk_port_access(vcpu, port, &value, bytes, true)) {
		hvk_advance(vcpu, vcpu->exchange->length);
		return 1;
	}
	memcpy(vcpu->pio, &value, bytes);
	return hvk_port_exit(vcpu, port, bytes, 1, KVM_EXIT_IO_OUT, output_done);
}

static int input(struct hvk_vcpu *vcpu, u16 port, unsigned int bytes)
{
	u32 value = 0;

	if (hvk_port_access(vcpu, port, &value, bytes, false)) {
		input_value(vcpu, &value, bytes);
		hvk_advance(vcpu, vcpu->exchange->length);
		return 1;
	}
	return hvk_port_exit(vcpu, port, bytes, 1, KVM_EXIT_IO_IN, input_done);
}

int hvk_exit_io(struct hvk_vcpu *vcpu)
{
	u32 detail = vcpu->exchange->detail;
	u32 bytes = detail >> HV_GUEST_IO_BYTES_SHIFT & 7;
	u16 port = vcpu->exchange->address;

	if (detail & HV_GUEST_IO_STRING)
		return hvk_emulate_string_io(vcpu, port);
	return detail & HV_GUEST_IO_IN ? input(vcpu, port, bytes) : output(vcpu, port, bytes);
}
