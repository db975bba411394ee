# SPDX-License-Identifier: MIT
# summary: rules that wait for a marker by name, markers over a sleep and another hvd, and what
#   lasts from a marker on; an hv.ko by another name
# rig: --test-build
# seconds: 300 900
# weight: 40

. /t/sh/rules.sh
load_test_module
LSTAR=0xc0000082
t rdmsr $LSTAR
other=$(printf 0x%x $(($(of value) + 16)))
HV_KO=/lib/modules/$(uname -r)/updates/hv.ko

lstar_until() { # NAME MARKER [MORE]
    policy "$1" '{"name": "lstar", "kind": "msr", "msr": "ia32_lstar", "access": ["write"],
        "action": "deny", "when": {"marker": "'"$2"'"}'"$3"'}'
}
marks() { status 'markers\..*' | sort | tr '\n' ' '; }
mark() { hvctl policy mark "$1" 2>&1 >/dev/null; }
lstar_open() { changed lend_msr $LSTAR "$other"; }
lstar_closed() {
    for cpu in 0 1; do
        on $cpu lend_msr $LSTAR "$other"
        wrong "fault on CPU $cpu" "$(of fault)" $GP
    done
}

rules_wait_for_their_marker() {
    lstar_until first boot-done
    policy second '{"name": "smep", "kind": "cr", "register": "cr4", "bits": ["smep"],
        "action": "deny", "when": {"marker": "net-up"}}'
    lstar_open
    changed cr_set 4 0x100000 0
    wrong markers "$(marks)" ''
    mark net-up
    faults $GP cr_set 4 0x100000 0
    lstar_open
    mark boot-done
    lstar_closed
    recorded policy_marked boot-done
    recorded policy_marked net-up
    wrong markers "$(marks)" 'boot-done net-up '
    wrong sealed "$(status sealed)" false
    clean
}

a_marker_is_shown() {
    hvctl --json policy show first | grep -q boot-done || echo 'policy show does not name it; '
    hvctl --json policy list | grep -q net-up || echo 'policy list does not name it; '
    hvctl policy mark boot-done >/dev/null 2>/tmp/err || echo "the second time: $(cat /tmp/err); "
}

# The mark of nothing would be a slip of the pen, and the rules it was meant for would wait on.
a_mark_that_nothing_waits_for_is_refused() {
    policy third '{"name": "star", "kind": "msr", "msr": "ia32_star", "access": ["write"],
        "action": "log", "when": {"marker": "later"}}'
    refused 1 'nothing waits for' hvctl policy mark latter
    grep -q later /tmp/err || echo "what is waited for is not named: $(cat /tmp/err); "
    wrong markers "$(marks)" 'boot-done net-up '
    remove third
}

# A rule that comes later is in force at once if its marker has been reached, and only then.
a_reached_marker_is_no_wait() {
    remove first
    lstar_open
    lstar_until first later
    lstar_open
    lstar_until first boot-done
    lstar_closed
}

markers_outlive_hvd() {
    kill_hvd
    lstar_closed
    start_hvd
    wrong markers "$(marks)" 'boot-done net-up '
    remove first
    lstar_until third later
    lstar_open
    remove third
    lstar_until first boot-done
    lstar_closed
}

# hv.ko is asked by hand: there are 63 of them, and none has the number 0.
hv_ko_refuses_what_is_no_marker() {
    for number in '' 0 64 4294967295; do
        hvnl mark $number >/tmp/out && echo "marker '$number' was taken; "
        grep -q '^error 22: ' /tmp/out || cat /tmp/out
    done
    wrong 'the core, of 0' "$(ask result core 20 0 99)" -22
    wrong 'the core, of 64' "$(ask result core 20 64 99)" -22
    wrong markers "$(marks)" 'boot-done net-up '
}

# The core is off meanwhile; what comes back has the rules, and knows what has been reached.
markers_outlive_a_sleep() {
    session=$(status session)
    t sleepless 1
    echo mem 2>/dev/null >/sys/power/state && echo 'it slept; '
    t sleepless 0
    [ "$(status session)" != "$session" ] || echo 'it was not unhoisted meanwhile; '
    wrong markers "$(marks)" 'boot-done net-up '
    lstar_closed
    faults $GP cr_set 4 0x100000 0
}

# hvd has lost the names: the rules hold, and no new name gets the number of a marker reached.
markers_outlive_their_names() {
    kill_hvd
    rm -rf /run/hv
    start_hvd
    lstar_closed
    marks | grep -qE '^marker [0-9]+ marker [0-9]+ $' || echo "markers: $(marks); "
    lstar_until first later
    lstar_open
    mark later
    lstar_closed
}

markers_end_with_the_unhoist() {
    hvctl stop 2>&1 >/dev/null
    hvctl start 2>&1 >/dev/null
    wrong markers "$(marks)" ''
    wrong policies "$(policies)" ''
    lstar_until first boot-done
    lstar_open
}

# Until then it is a rule that can go, and Linux can be unhoisted.
a_ratchet_waits_for_its_marker() {
    lstar_until ratchet boot-done ', "lifetime": "ratchet"'
    hvctl stop 2>&1 >/dev/null
    hvctl start 2>&1 >/dev/null
    lstar_until ratchet boot-done ', "lifetime": "ratchet"'
    lstar_open
    mark boot-done
    lstar_closed
    refused 1 'a rule lasts until the next boot' hvctl stop
    refused 1 'before the next boot' hvctl policy remove ratchet
}

# A second hv.ko whose name, symbols and netlink family are others: without a hoist it does all that
# the first does.
second_hv_ko() {
    renamed "$HV_KO" /tmp/hw.ko hv hw
    insmod /tmp/hw.ko || echo 'the second is not loaded; '
}
by_second() { HV_FAMILY=hw hvnl "$@" >/tmp/out; }
a_second_hv_ko_hoists_what_is_free() {
    hvctl stop 2>&1 >/dev/null
    second_hv_ko
    by_second start || cat /tmp/out
    under_core 0
    under_core 1
    by_second stop || cat /tmp/out
    not_under_core 0
    rmmod hw || echo 'rmmod hw failed; '
    hvctl start 2>&1 >/dev/null
}

# Under the ratchet it finds no hardware to hoist with, has no handle, and nothing to let go.
ratchet_holds_a_second_hv_ko() {
    second_hv_ko
    for what in start stop set 'mark 1' lock; do
        by_second $what && echo "hvnl $what was taken; "
        grep -q '^error ' /tmp/out || echo "hvnl $what: $(cat /tmp/out); "
    done
    rmmod hw || echo 'rmmod hw failed; '
    rmmod hv 2>/dev/null && echo 'rmmod hv worked; '
    under_core 0
    under_core 1
    lstar_closed
    wrong policies "$(policies)" 'ratchet '
}

check rules_wait_for_their_marker
check a_marker_is_shown
check a_mark_that_nothing_waits_for_is_refused
check a_reached_marker_is_no_wait
check markers_outlive_hvd
check hv_ko_refuses_what_is_no_marker
check markers_outlive_a_sleep
check markers_outlive_their_names
check markers_end_with_the_unhoist
check a_second_hv_ko_hoists_what_is_free
check a_ratchet_waits_for_its_marker
check ratchet_holds_a_second_hv_ko $TIMES
