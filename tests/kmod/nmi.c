// SPDX-License-Identifier: GPL-2.0 OR MIT
/* NMIs sent to a CPU that keeps leaving guest operation: each must arrive, and once. */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <asm/apic.h>
#include <asm/irq_vectors.h>
#include <asm/msr.h>
#include <asm/nmi.h>
#include <asm/processor.h>
#include <asm/tsc.h>

#include "abi/call.h"
#include "hv_test.h"

#define LOST_SECONDS 4
#define LOST_MOST 25 /* then it gives up */
#define SPIN_TICKS 20000

enum kind { EXITS, CALLS, SPINS };

struct storm {
	unsigned int cpu;
	enum kind kind;
	long (*hypercall)(u64 number, u64 first, u64 second);
	u64 exits;
	bool stop;
};

static atomic_t arrived;
static unsigned int target;

static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	if (smp_processor_id() != target)
		return NMI_DONE;
	atomic_inc(&arrived);
	return NMI_HANDLED;
}

static void leave_once(struct storm *storm)
{
	static const u64 nothing[5];
	u64 result;

	switch (storm->kind) {
	case EXITS:
		if (boot_cpu_has(X86_FEATURE_SVM))
			rdmsrl_safe(MSR_VM_CR, &result);
		else
			cpuid_eax(0);
		break;
	case CALLS:
		hv_call(HV_CALL_NOP, nothing, &result);
		break;
	case SPINS:
		storm->hypercall(HV_CALL_TEST, HV_TEST_SPIN, SPIN_TICKS);
		break;
	}
}

static int leave_often(void *data)
{
	struct storm *storm = data;

	while (!kthread_should_stop()) {
		if (READ_ONCE(storm->stop)) {
			schedule_timeout_interruptible(1);
			continue;
		}
		leave_once(storm);
		WRITE_ONCE(storm->exits, storm->exits + 1);
		if (!(storm->exits & 0xff))
			cond_resched();
	}
	return 0;
}

/* Much longer than a host that is busy keeps a CPU of an emulated machine waiting. */
static u64 lost_ticks(void)
{
	return LOST_SECONDS * 1000ull * tsc_khz;
}

/* Waits for it, because two NMIs that wait for one CPU are one. */
static bool send_one(void)
{
	int before = atomic_read(&arrived);
	u64 start = rdtsc();

	apic->send_IPI(target, NMI_VECTOR);
	while (atomic_read(&arrived) == before) {
		if (rdtsc() - start > lost_ticks())
			return false;
		cpu_relax();
	}
	return true;
}

static void send_all(struct storm *storm, u64 nmis, u64 exits)
{
	u64 sent, lost = 0, start;

	for (sent = 0; sent < nmis && lost <= LOST_MOST; sent++) {
		lost += !send_one();
		if (!(sent & 0xf))
			cond_resched();
	}
	while (lost <= LOST_MOST && READ_ONCE(storm->exits) < exits)
		cond_resched();
	WRITE_ONCE(storm->stop, true);
	/* One too many would come within moments. */
	for (start = rdtsc(); rdtsc() - start < lost_ticks() / 100;)
		cpu_relax();
	hv_tell("sent %llu\narrived %d\nlost %llu\nexits %llu\n", sent, atomic_read(&arrived), lost,
		storm->exits);
}

static int run(struct storm *storm, u64 nmis, u64 exits)
{
	struct task_struct *worker =
		kthread_create_on_cpu(leave_often, storm, storm->cpu, "hv_test");

	if (IS_ERR(worker))
		return PTR_ERR(worker);
	wake_up_process(worker);
	send_all(storm, nmis, exits);
	kthread_stop(worker);
	return 0;
}

/*
 * KIND: 0 what always leaves guest operation (CPUID, on SVM a guarded MSR), 1 the no-op hypercall,
 * 2 long stays in root mode (builds with test hooks).
 */
int hv_test_nmi(const u64 *argument, unsigned int count)
{
	struct storm storm = { .cpu = argument[0], .kind = argument[3] };
	int error;

	if (argument[0] >= nr_cpu_ids || !cpu_online(argument[0]) || argument[3] > SPINS)
		return -EINVAL;
	storm.hypercall = hv_test_symbol("hv_hypercall");
	if (storm.kind == SPINS && !storm.hypercall)
		return -ENOENT;
	target = argument[0];
	atomic_set(&arrived, 0);
	error = register_nmi_handler(NMI_LOCAL, on_nmi, 0, "hv_test");
	if (error)
		return error;
	error = run(&storm, argument[1], argument[2]);
	unregister_nmi_handler(NMI_LOCAL, "hv_test");
	return error;
}
