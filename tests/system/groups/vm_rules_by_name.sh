# SPDX-License-Identifier: MIT
# summary: rules about the VM of a name: paused, resumed when the rule is gone, killed, and others
#   let alone
# rig: --boot-files --test-build
# qemu: --memory 2048
# seconds: 700 1500
# weight: 200

. /t/sh/vms.sh
. /t/sh/rules.sh
modprobe hv_kvm

# Its console is the first that a VM writes to. The name has its rule before there is such a VM,
# and under another hvd. A VM of another name is let alone.
BEATS=$(linux 'while sleep 1; do echo up >/dev/ttyS0; done')
becomes() { # NAME STATE
    for _ in $(seq 300); do
        [ "$(vm "$1" state)" = "$2" ] && return
        usleep 200000
    done
    wrong "the state of $1" "$(vm "$1" state)" "$2"
}
vms_are_paused_by_name() {
    guest_rule "$(port '{"first": 1016, "last": 1023}' write)" pause '{"vm": "web"}'
    kill_hvd
    start_hvd
    run_vm other "$BEATS" >/dev/null
    run_vm web "$BEATS" >/dev/null
    becomes web paused
    hvctl vm resume web >/dev/null
    sleep 1
    becomes web paused
    at_least records "$(records guest_paused web)" 2
    says other up 300
    remove guests
    hvctl vm resume web >/dev/null
    says web up 300
}

vms_are_killed_by_name() {
    guest_rule "$(port '{"first": 1016, "last": 1023}' write)" kill '{"vm": "web"}'
    becomes web stopped
    recorded guest_killed web
    wrong 'the state of other' "$(vm other state)" running
    says other up
    remove guests
    drop other
    drop web
    wait_for_vms 0
    clean
}

check vms_are_paused_by_name
check vms_are_killed_by_name
