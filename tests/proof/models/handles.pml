/* SPDX-License-Identifier: MIT
 * A vcpu's slot (guest/registry.hpp, call/guest_calls.hpp) while two CPUs run it by the number that
 * they have, and a third destroys it and makes another in its place. Who runs a vcpu runs the one
 * of its number, alive, and alone.
 * mutants: NO_RECHECK NO_TAKE EARLY_NUMBER
 */
byte number = 1, alive = 1, users = 0;
bool taken = false;

inline take(wanted, got) {
	got = false;
	if
	:: number == wanted ->
		atomic { was = taken; taken = true };
		if
		:: was -> skip    /* busy */
		:: else ->
#ifdef NO_RECHECK
			got = true
#else
			if
			:: number == wanted -> got = true
			:: else -> taken = false
			fi
#endif
		fi
	:: else
	fi
}

proctype runner(byte wanted) {
	bool got, was;
	byte turns = 0;
	do
	:: turns < 3 ->
		turns++;
		take(wanted, got);
		if
		:: got ->
			users++;
			assert(users == 1);
			assert(alive == wanted);
			users--;
			taken = false
		:: else
		fi
	:: else -> break
	od
}

/* Holds the machine's lock throughout. */
proctype owner() {
	bool got, was;
	byte turns = 0;
	do
	:: turns < 4 ->
		turns++;
#ifdef NO_TAKE
		got = true;
#else
		take(1, got);
#endif
		if
		:: got ->
			number = 0;
			assert(users == 0);
			alive = 0;
#ifndef NO_TAKE
			taken = false;
#endif
#ifdef EARLY_NUMBER
			number = 2;
			alive = 2;
#else
			alive = 2;
			number = 2;
#endif
			break
		:: else
		fi
	:: else -> break
	od
}

init {
	atomic {
		run runner(1);
		run runner(2);
		run runner(1);
		run owner()
	}
}
