// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * kvmclock. All vcpus of a VM share one pair of TSC and time, so that what they read agrees; where
 * the CPUs' TSCs do not agree, each vcpu has its own, taken on the CPU it runs on.
 * Source: Linux, Documentation/virt/kvm/x86/msr.rst.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/smp.h>
#include <linux/uaccess.h>
#include <asm/pvclock-abi.h>
#include <asm/tsc.h>

#include "clock.h"
#include "ioctl.h"
#include "memory.h"
#include "msrs.h"

#define ENABLED 1ull
#define WALL_CLOCK_OLD 0x11
#define SYSTEM_TIME_OLD 0x12
#define WALL_CLOCK 0x4b564d00
#define SYSTEM_TIME 0x4b564d01
#define CLOCK_FLAGS (KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC | KVM_CLOCK_TSC_STABLE)

static bool moves_with_cpu(void)
{
	return check_tsc_unstable();
}

bool hvk_clock_is_stale(const struct hvk_vcpu *vcpu)
{
	return moves_with_cpu() && vcpu->msrs.system_time & ENABLED &&
	       vcpu->clock_cpu != smp_processor_id();
}

static struct hvk_instant now(void)
{
	struct hvk_instant instant;
	unsigned long flags;

	local_irq_save(flags);
	instant.cpu = smp_processor_id();
	instant.tsc = rdtsc();
	instant.ns = ktime_get_boottime_ns();
	instant.real_ns = ktime_get_real_ns();
	local_irq_restore(flags);
	return instant;
}

void hvk_clock_init(struct hvk_vm *vm)
{
	spin_lock_init(&vm->clock.lock);
	vm->clock.base = now();
	vm->clock.offset = -vm->clock.base.ns;
}

/* Nanoseconds are ticks, shifted, times mul, over 2^32; mul as large as it can be. */
static void set_pace(struct pvclock_vcpu_time_info *info)
{
	u64 hz = (u64)tsc_khz * 1000;
	int shift = 0;

	for (; hz <= NSEC_PER_SEC; hz *= 2)
		shift++;
	for (; hz > 2 * NSEC_PER_SEC; hz /= 2)
		shift--;
	info->tsc_shift = shift;
	info->tsc_to_system_mul = div64_u64((u64)NSEC_PER_SEC << 32, hz);
}

static u64 ticks_to_ns(u64 ticks)
{
	return mul_u64_u64_div_u64(ticks, NSEC_PER_MSEC, tsc_khz);
}

/* An instant as the VM's clock has it, from the pair that its vcpus use. */
static u64 clock_at(struct hvk_vm *vm, const struct hvk_instant *instant)
{
	u64 ns;

	spin_lock(&vm->clock.lock);
	if (moves_with_cpu())
		ns = instant->ns;
	else
		ns = vm->clock.base.ns + ticks_to_ns(instant->tsc - vm->clock.base.tsc);
	ns += vm->clock.offset;
	spin_unlock(&vm->clock.lock);
	return ns;
}

static void fill(struct hvk_vcpu *vcpu, struct pvclock_vcpu_time_info *info)
{
	struct hvk_vm *vm = vcpu->vm;
	bool own = moves_with_cpu();
	struct hvk_instant base;

	spin_lock(&vm->clock.lock);
	base = own ? now() : vm->clock.base;
	info->system_time = base.ns + vm->clock.offset;
	spin_unlock(&vm->clock.lock);
	vcpu->clock_cpu = base.cpu;
	info->tsc_timestamp = base.tsc + vcpu->tsc_offset;
	info->flags = own ? 0 : PVCLOCK_TSC_STABLE_BIT;
	set_pace(info);
}

/* The version is odd while the rest is being written: another vcpu may be reading it. */
void hvk_clock_update(struct hvk_vcpu *vcpu)
{
	struct pvclock_vcpu_time_info info = {};
	u64 at = vcpu->msrs.system_time;
	u64 gpa = at & ~ENABLED;

	if (!(at & ENABLED))
		return;
	/* Also where there is no place for it: or it would be stale forever. */
	fill(vcpu, &info);
	if (offset_in_page(gpa) > PAGE_SIZE - sizeof(info))
		return;
	info.version = vcpu->clock_version | 1;
	if (hvk_write_page(vcpu->vm, gpa, &info.version, sizeof(info.version)))
		return;
	/* Each of these is seen before the next. */
	smp_wmb();
	hvk_write_page(vcpu->vm, gpa, &info, sizeof(info));
	info.version++;
	vcpu->clock_version = info.version;
	/* As above. */
	smp_wmb();
	hvk_write_page(vcpu->vm, gpa, &info.version, sizeof(info.version));
}

/* What the time of day was when the VM's clock stood at 0. */
static void write_wall_clock(struct hvk_vm *vm, u64 gpa)
{
	struct pvclock_wall_clock wall = { .version = 2 };
	struct hvk_instant instant = now();
	u64 ns = instant.real_ns - clock_at(vm, &instant);
	u32 rest;

	if (!gpa || offset_in_page(gpa) > PAGE_SIZE - sizeof(wall))
		return;
	wall.sec = div_u64_rem(ns, NSEC_PER_SEC, &rest);
	wall.nsec = rest;
	hvk_write_page(vm, gpa, &wall, sizeof(wall));
}

bool hvk_msr_clock(struct hvk_vcpu *vcpu, struct hvk_msr_access *access)
{
	switch (access->index) {
	case WALL_CLOCK_OLD:
	case WALL_CLOCK:
		if (access->write)
			write_wall_clock(vcpu->vm, access->value);
		return hvk_msr_plain(access, &vcpu->msrs.wall_clock);
	case SYSTEM_TIME_OLD:
	case SYSTEM_TIME:
		hvk_msr_plain(access, &vcpu->msrs.system_time);
		if (access->write)
			hvk_request(vcpu, HVK_REQUEST_CLOCK);
		return true;
	}
	return false;
}

long hvk_get_clock(struct hvk_vm *vm, unsigned long argument)
{
	struct hvk_instant instant = now();
	struct kvm_clock_data data = {
		.clock = clock_at(vm, &instant),
		.realtime = instant.real_ns,
		.host_tsc = instant.tsc,
		.flags = KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC,
	};

	if (!moves_with_cpu())
		data.flags |= KVM_CLOCK_TSC_STABLE;
	return copy_to_user((void __user *)argument, &data, sizeof(data)) ? -EFAULT : 0;
}

/* With KVM_CLOCK_REALTIME the clock has gone on since it was saved. */
long hvk_set_clock(struct hvk_vm *vm, unsigned long argument)
{
	struct hvk_instant instant = now();
	struct kvm_clock_data data;
	unsigned int i, count;

	if (copy_from_user(&data, (void __user *)argument, sizeof(data)))
		return -EFAULT;
	if (data.flags & ~CLOCK_FLAGS)
		return -EINVAL;
	if (data.flags & KVM_CLOCK_REALTIME && instant.real_ns > data.realtime)
		data.clock += instant.real_ns - data.realtime;
	spin_lock(&vm->clock.lock);
	vm->clock.base = instant;
	vm->clock.offset = data.clock - instant.ns;
	spin_unlock(&vm->clock.lock);
	/* With vcpu_install(): the vcpu before the count. */
	count = smp_load_acquire(&vm->vcpus);
	for (i = 0; i < count; i++)
		hvk_request(vm->vcpu[i], HVK_REQUEST_CLOCK);
	return 0;
}
