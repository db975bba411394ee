/* SPDX-License-Identifier: MIT
 * Launch, INIT and SIPI, the machine's lock and the shoot-down (root/shoot_down.hpp,
 * root/root_trap.hpp, root/build_cpu.hpp, vmx/events.cpp, vmx/reset.cpp) on three CPUs, with one
 * page that is unmapped, given to somebody else and mapped again. No CPU may ever use what it has
 * cached of the page while it is somebody else's, and nobody waits for ever.
 * mutants: LATE_RUNNING SIPI_BEFORE NO_WAIT NO_ANSWER NO_NMI
 */
#define CPUS 3
mtype = { absent, running, waiting };
mtype state[CPUS] = absent;
bool requested[CPUS], nmi[CPUS], work[CPUS], cached[CPUS];
bool locked = false, mapped = true, given_away = false;

/* An NMI has arrived, in the guest or in root mode. */
inline meet_nmi(me) {
	atomic {
		if
		:: nmi[me] -> nmi[me] = false; work[me] = work[me] || requested[me]
		:: else
		fi
	}
}

inline answer(me) {
	if
	:: work[me] ->
		work[me] = false;
		cached[me] = false;
		requested[me] = false
	:: else
	fi
}

inline hold_machine(me) {
	do
	:: atomic { !locked -> locked = true; break }
#ifndef NO_ANSWER
	:: locked && nmi[me] -> meet_nmi(me); answer(me)
#endif
	od
}

inline shoot_down(me) {
	cached[me] = false;
	other = 0;
	do
	:: other < CPUS ->
		if
		:: other != me && state[other] == running ->
			atomic {
				asked = requested[other];
				requested[other] = true
			}
#ifndef NO_NMI
			if
			:: !asked -> nmi[other] = true
			:: else
			fi
#endif
		:: else
		fi;
		other++
	:: else -> break
	od;
#ifndef NO_WAIT
	other = 0;
	do
	:: other < CPUS ->
		(other == me || state[other] != running || !requested[other]);
		other++
	:: else -> break
	od
#endif
}

proctype cpu(byte me) {
	byte other;
	bool asked;
	byte turns = 0;

	/* Launch. */
#ifdef LATE_RUNNING
	atomic { cached[me] = mapped };
	state[me] = running;
#else
	state[me] = running;
#endif
	do
	/* In the guest: a walk, or what is cached. */
	:: atomic {
		if
		:: cached[me] -> assert(!given_away)
		:: !cached[me] && mapped -> cached[me] = true
		:: else
		fi
	   }
	:: nmi[me] -> meet_nmi(me); answer(me)
	:: turns < 2 ->    /* a request: the page goes, or comes back */
		turns++;
		hold_machine(me);
		if
		:: mapped ->
			mapped = false;
			shoot_down(me);
			given_away = true
		:: else ->
			given_away = false;
			mapped = true
		fi;
		locked = false
	:: turns < 2 ->    /* INIT, then a SIPI */
		turns++;
		hold_machine(me);
		locked = false;
		state[me] = waiting;
#ifdef SIPI_BEFORE
		cached[me] = false;
		if
		:: mapped -> cached[me] = true    /* the walker runs ahead */
		:: true
		fi;
		state[me] = running
#else
		state[me] = running;
		cached[me] = false
#endif
	:: turns == 2 && !nmi[me] -> break
	od;
	/* It goes on in its guest and answers. */
end:	do
	:: nmi[me] -> meet_nmi(me); answer(me)
	:: atomic { cached[me] -> assert(!given_away); cached[me] = false }
	od
}

init {
	atomic {
		run cpu(0);
		run cpu(1);
		run cpu(2)
	}
}
