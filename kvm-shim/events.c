// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Exceptions, interrupts and NMIs on their way into the guest, and how a client saves them. */
#include <linux/uaccess.h>

#include "events.h"
#include "ioctl.h"
#include "irqchip.h"
#include "registers.h"

#define VALID BIT(31)
#define HAS_ERROR BIT(11)
#define TYPE (7u << 8)
#define TYPE_INTERRUPT 0
#define TYPE_NMI (2u << 8)
#define TYPE_EXCEPTION (3u << 8)
#define TYPE_SOFTWARE (4u << 8)
#define PAGE_FAULT 14

static void raise(struct hvk_vcpu *vcpu, const struct hvk_exception *exception)
{
	vcpu->exception = *exception;
	vcpu->exception.pending = true;
}

void hvk_raise(struct hvk_vcpu *vcpu, u8 vector)
{
	raise(vcpu, &(struct hvk_exception){ .vector = vector });
}

void hvk_raise_error(struct hvk_vcpu *vcpu, u8 vector, u32 error)
{
	raise(vcpu, &(struct hvk_exception){ .vector = vector, .has_error = true, .error = error });
}

void hvk_raise_page_fault(struct hvk_vcpu *vcpu, u64 address, u32 error)
{
	struct hv_vcpu_system *system = hvk_system_changed(vcpu);

	if (system)
		system->cr2 = address;
	hvk_raise_error(vcpu, PAGE_FAULT, error);
}

/* Real mode pushes no error code. */
static void put_exception(struct hvk_vcpu *vcpu)
{
	const struct hvk_exception *exception = &vcpu->exception;
	struct hv_event *event = &vcpu->exchange->event;
	bool has_error = exception->has_error;

	if (has_error) {
		struct hv_vcpu_system *system = hvk_system(vcpu);

		has_error = system && system->cr0 & X86_CR0_PE;
	}
	event->event = VALID | TYPE_EXCEPTION | exception->vector | (has_error ? HAS_ERROR : 0);
	event->error = has_error ? exception->error : 0;
}

/* The one that goes in now: its kind, as what it was when it comes back undelivered. */
static enum hvk_event choose(struct hvk_vcpu *vcpu)
{
	u32 state = vcpu->exchange->state;

	if (state & HV_VCPU_EVENT_PENDING)
		return HVK_EVENT_NONE;
	if (vcpu->exception.pending)
		return HVK_EVENT_EXCEPTION;
	if (vcpu->interrupt >= 0 && vcpu->interrupt_soft)
		return HVK_EVENT_INTERRUPT;
	if (vcpu->nmis && !(state & (HV_VCPU_NMI_BLOCKED | HV_VCPU_SHADOW)))
		return HVK_EVENT_NMI;
	if (!hvk_interruptible(vcpu))
		return HVK_EVENT_NONE;
	if (vcpu->interrupt < 0)
		vcpu->interrupt = hvk_ack_interrupt(vcpu);
	return vcpu->interrupt >= 0 ? HVK_EVENT_INTERRUPT : HVK_EVENT_NONE;
}

static void put(struct hvk_vcpu *vcpu, enum hvk_event event)
{
	struct hv_vcpu_exchange *exchange = vcpu->exchange;

	exchange->event.error = 0;
	if (event == HVK_EVENT_EXCEPTION)
		put_exception(vcpu);
	else if (event == HVK_EVENT_NMI)
		exchange->event.event = VALID | TYPE_NMI | 2;
	else
		exchange->event.event = VALID | vcpu->interrupt |
					(vcpu->interrupt_soft ? TYPE_SOFTWARE : 0);
	exchange->flags |= HV_RUN_EVENT;
}

/* Something is left that waits for the guest to be able to take it. */
static void ask_for_windows(struct hvk_vcpu *vcpu, enum hvk_event chosen)
{
	u32 *flags = &vcpu->exchange->flags;

	*flags &= ~(HV_RUN_WINDOW | HV_RUN_NMI_WINDOW);
	if (vcpu->nmis > (chosen == HVK_EVENT_NMI))
		*flags |= HV_RUN_NMI_WINDOW;
	if ((vcpu->interrupt >= 0 && chosen != HVK_EVENT_INTERRUPT) ||
	    (vcpu->lapic && hvk_pending_interrupt(vcpu) >= 0) || hvk_client_waits(vcpu))
		*flags |= HV_RUN_WINDOW;
}

enum hvk_event hvk_put_event(struct hvk_vcpu *vcpu)
{
	enum hvk_event event = choose(vcpu);

	vcpu->exchange->flags &= ~HV_RUN_EVENT;
	if (event != HVK_EVENT_NONE)
		put(vcpu, event);
	ask_for_windows(vcpu, event);
	return event;
}

/* What the core did not take stays for the next entry. */
void hvk_event_taken(struct hvk_vcpu *vcpu, enum hvk_event event)
{
	if (event == HVK_EVENT_NONE || vcpu->exchange->flags & HV_RUN_EVENT)
		return;
	switch (event) {
	case HVK_EVENT_EXCEPTION:
		vcpu->exception.pending = false;
		break;
	case HVK_EVENT_NMI:
		vcpu->nmis--;
		break;
	case HVK_EVENT_INTERRUPT:
		vcpu->interrupt = HVK_NO_VECTOR;
		break;
	case HVK_EVENT_NONE:
		break;
	}
}

/* The core has it back from a delivery that an exit has ended: for a client it is injected. */
static void read_half_delivered(const struct hv_event *event, struct kvm_vcpu_events *events)
{
	u8 vector = event->event;

	switch (event->event & TYPE) {
	case TYPE_INTERRUPT:
		events->interrupt.injected = 1;
		events->interrupt.nr = vector;
		break;
	case TYPE_NMI:
		events->nmi.injected = 1;
		break;
	case TYPE_EXCEPTION:
		events->exception.injected = 1;
		events->exception.nr = vector;
		events->exception.has_error_code = !!(event->event & HAS_ERROR);
		events->exception.error_code = event->error;
		break;
	}
}

int hvk_read_events(struct hvk_vcpu *vcpu, struct kvm_vcpu_events *events)
{
	u32 state = vcpu->exchange->state;

	*events = (struct kvm_vcpu_events){
		.exception.injected = vcpu->exception.pending,
		.exception.nr = vcpu->exception.vector,
		.exception.has_error_code = vcpu->exception.has_error,
		.exception.error_code = vcpu->exception.error,
		.interrupt.injected = vcpu->interrupt >= 0 && !vcpu->interrupt_soft,
		.interrupt.nr = vcpu->interrupt >= 0 ? vcpu->interrupt : 0,
		.interrupt.shadow = state & HV_VCPU_SHADOW ? KVM_X86_SHADOW_INT_STI : 0,
		.nmi.pending = vcpu->nmis || test_bit(HVK_REQUEST_NMI, &vcpu->requests),
		.nmi.masked = !!(state & HV_VCPU_NMI_BLOCKED),
		.flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW,
	};
	if (state & HV_VCPU_EVENT_PENDING)
		read_half_delivered(&vcpu->exchange->event, events);
	return 0;
}

static void set_state(struct hvk_vcpu *vcpu, u32 bit, bool on)
{
	if (on)
		vcpu->exchange->state |= bit;
	else
		vcpu->exchange->state &= ~bit;
}

int hvk_write_events(struct hvk_vcpu *vcpu, const struct kvm_vcpu_events *events)
{
	if (events->flags & ~(KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SIPI_VECTOR |
			      KVM_VCPUEVENT_VALID_SHADOW))
		return -EINVAL;
	if (events->exception.injected && (events->exception.nr > 31 || events->exception.nr == 2))
		return -EINVAL;
	if (!hvk_system_changed(vcpu))
		return -EIO;
	vcpu->exception = (struct hvk_exception){
		.pending = events->exception.injected,
		.vector = events->exception.nr,
		.has_error = events->exception.has_error_code,
		.error = events->exception.error_code,
	};
	vcpu->interrupt = events->interrupt.injected ? events->interrupt.nr : HVK_NO_VECTOR;
	vcpu->interrupt_soft = events->interrupt.injected && events->interrupt.soft;
	if (events->flags & KVM_VCPUEVENT_VALID_SHADOW)
		set_state(vcpu, HV_VCPU_SHADOW, events->interrupt.shadow);
	if (events->flags & KVM_VCPUEVENT_VALID_NMI_PENDING)
		vcpu->nmis = events->nmi.pending;
	if (events->nmi.injected)
		vcpu->nmis = min(vcpu->nmis + 1, 2u);
	/* What it was in the midst of gives way to all this. */
	set_state(vcpu, HV_VCPU_EVENT_PENDING, false);
	/* One that is injected is delivered in any case, and masks the next. */
	set_state(vcpu, HV_VCPU_NMI_BLOCKED, events->nmi.masked && !events->nmi.injected);
	if (events->flags & KVM_VCPUEVENT_VALID_SIPI_VECTOR && vcpu->lapic)
		vcpu->sipi_vector = events->sipi_vector;
	return 0;
}

long hvk_get_events(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct kvm_vcpu_events events;

	hvk_read_events(vcpu, &events);
	return copy_to_user((void __user *)argument, &events, sizeof(events)) ? -EFAULT : 0;
}

long hvk_set_events(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct kvm_vcpu_events events;

	if (copy_from_user(&events, (void __user *)argument, sizeof(events)))
		return -EFAULT;
	return hvk_write_events(vcpu, &events);
}
