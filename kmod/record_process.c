// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Who ran when a record was written. The core sends the CPU an NMI behind each record that an
 * instruction of Linux brought about: what is current then is what was current at the instruction.
 */
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <asm/nmi.h>
#include <asm/tsc.h>

#include "hv.h"
#include "record_log.h"

struct hv_ring_processes {
	const struct hv_cpu_shared *shared;
	u64 seen;	/* records before it have their process */
	u64 noted_at;	/* TSC */
	struct {
		u64 sequence;
		struct hv_process process;
	} noted[HV_RING_RECORDS];
};

static DEFINE_PER_CPU(struct hv_ring_processes *, processes);

static void note_current(struct hv_ring_processes *to, u64 head)
{
	if (head - to->seen > HV_RING_RECORDS)
		to->seen = head - HV_RING_RECORDS;
	for (; to->seen != head; to->seen++) {
		struct hv_process *process = &to->noted[to->seen % HV_RING_RECORDS].process;

		to->noted[to->seen % HV_RING_RECORDS].sequence = to->seen;
		process->pid = task_tgid_nr(current);
		memcpy(process->name, current->comm, sizeof(process->name));
		process->name[sizeof(process->name) - 1] = 0;
	}
	to->noted_at = rdtsc();
}

static int meet_nmi(unsigned int type, struct pt_regs *regs)
{
	struct hv_ring_processes *mine = this_cpu_read(processes);
	u64 head;

	if (!mine)
		return NMI_DONE;
	/* Pairs with the core's release: a record before head is whole. */
	head = smp_load_acquire(&mine->shared->head);
	if (head != mine->seen) {
		note_current(mine, head);
		return NMI_HANDLED;
	}
	/*
	 * A record that came up in an NMI handler has a second NMI behind it, when the first has
	 * seen it already: not a stranger's.
	 */
	if (type == NMI_UNKNOWN && rdtsc() - mine->noted_at < tsc_khz)
		return NMI_HANDLED;
	return NMI_DONE;
}

static void forget(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		kvfree(per_cpu(processes, cpu));
		per_cpu(processes, cpu) = NULL;
	}
}

int hv_processes_open(void)
{
	unsigned int ring;
	int error;

	for (ring = 0; ring < hv.cpus; ring++) {
		struct hv_ring_processes *each = kvzalloc(sizeof(*each), GFP_KERNEL);

		if (!each) {
			forget();
			return -ENOMEM;
		}
		each->shared = hv_ring_shared(ring);
		memset(each->noted, 0xff, sizeof(each->noted));
		per_cpu(processes, hv.cpu_of_ring[ring]) = each;
	}
	error = register_nmi_handler(NMI_LOCAL, meet_nmi, 0, "hv");
	if (error) {
		forget();
		return error;
	}
	error = register_nmi_handler(NMI_UNKNOWN, meet_nmi, 0, "hv");
	if (error) {
		unregister_nmi_handler(NMI_LOCAL, "hv");
		forget();
	}
	return error;
}

/* Each waits for the CPUs that are in the handler. Closed twice is closed. */
void hv_processes_close(void)
{
	unregister_nmi_handler(NMI_UNKNOWN, "hv");
	unregister_nmi_handler(NMI_LOCAL, "hv");
	forget();
}

static void nothing(void *unused)
{
}

/*
 * A CPU that answers an interrupt has met the NMIs behind the records it has written before. One
 * that the core has parked answers none.
 */
void hv_processes_settle(unsigned int ring)
{
	if (!READ_ONCE(hv_ring_shared(ring)->parked))
		smp_call_function_single(hv.cpu_of_ring[ring], nothing, NULL, 1);
}

void hv_process_of(unsigned int ring, const struct hv_record *record, struct hv_process *process)
{
	const struct hv_ring_processes *from = per_cpu(processes, hv.cpu_of_ring[ring]);
	unsigned int slot = record->sequence % HV_RING_RECORDS;

	memset(process, 0, sizeof(*process));
	if (HV_RECORD_HAS_PROCESS(record->kind) && from->noted[slot].sequence == record->sequence)
		*process = from->noted[slot].process;
}
