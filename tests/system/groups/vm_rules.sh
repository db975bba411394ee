# SPDX-License-Identifier: MIT
# summary: how many VMs a user may have and how large, and what guests may do: denied, logged,
#   paused, killed
# rig: --boot-files --test-build
# qemu: --memory 2048
# seconds: 700 1500
# weight: 200

. /t/sh/vms.sh
. /t/sh/rules.sh
load_test_module
NODE=/dev/hvkvm
PAUSED=1213595649 # HV_KVM_PAUSED_BY_RULE, as kvm_client tells it

# Root is user 0; the other one is in the group of the node.
as_user() { su user -c "PATH=$PATH $*" 2>&1; }
modprobe hv_kvm
sed -i 's/^kvm:.*/&user/' /etc/group
chgrp kvm $NODE

# guests USER CASE: what the guest of that case does, in /tmp/guest.
guests() {
    case $1 in
    root) kvm_client $NODE "$2" >/tmp/guest 2>&1 ;;
    user) as_user "kvm_client $NODE $2" >/tmp/guest ;;
    esac
}
does() { grep -q "$1" /tmp/guest || echo "no \"$1\": $(tail -n 3 /tmp/guest); "; }
does_not() { grep "$1" /tmp/guest; }
# Its handlers send the vector to port e0.
meets_gp() { does '^io out port=e0 size=1 count=1: 0d$'; }
kernel_says() { dmesg | grep -q "$1" || echo "the kernel does not say $1; "; }

# A VM with a vcpu and a page of memory, which stays.
hold_vm() {
    as_user hv-run tiny_vm hold >/dev/null &
    wait_for_vms 1
}
let_go() {
    kill -9 "$(pidof tiny_vm)"
    wait_for_vms 0
}
limit() { # USERS ACTION LIMITS
    policy few '{"name": "limit", "kind": "vm", "users": '"$1"', "action": "'"$2"'", '"$3"'}'
}
a_user_has() { wrong "a VM of the user's" "$(as_user hv-run tiny_vm)" "$1"; }
root_has() { wrong "a VM of root's" "$(hv-run tiny_vm 2>&1)" "$1"; }
NO_VM='KVM_CREATE_VM: Operation not permitted'

vms_are_counted() {
    hold_vm
    a_user_has 'exit 5 hlt'
    limit 1000 deny '"vms": 1'
    a_user_has "$NO_VM"
    root_has 'exit 5 hlt'
    recorded vm_denied '"rule": ?"limit"'
    kernel_says 'hv_kvm: a policy gives the VMs of user 1000 no more VMs'
    let_go
    a_user_has 'exit 5 hlt'
    remove few
}

# Root's count in with all; the users of another range not at all.
vms_of_many_users_are_counted() {
    hold_vm
    limit '"all"' deny '"vms": 1'
    a_user_has "$NO_VM"
    root_has "$NO_VM"
    limit '"user"' deny '"vms": 1'
    a_user_has "$NO_VM"
    root_has 'exit 5 hlt'
    limit '{"first": 1001, "last": 2000}' deny '"vms": 1'
    a_user_has 'exit 5 hlt'
    limit '{"first": 1000, "last": 2000}' log '"vms": 1'
    a_user_has 'exit 5 hlt'
    recorded vm_logged '"rule": ?"limit"'
    let_go
    remove few
}

vcpus_are_counted() {
    hold_vm
    limit 1000 deny '"vcpus": 1'
    a_user_has 'vcpu: Operation not permitted'
    root_has 'exit 5 hlt'
    kernel_says 'a policy gives the VMs of user 1000 no more vcpus'
    let_go
    a_user_has 'exit 5 hlt'
    remove few
}

# What a guest touches is counted, not what its client would let it touch. It ends as on a client
# that has no memory there, and does not go round in circles.
memory_is_counted() {
    guests user page_fault64
    does '^cr2=8000001234$'
    limit 1000 deny '"memory": 4096'
    a_user_has 'exit 5 hlt'
    guests user page_fault64
    does '^run: Bad address$'
    guests root page_fault64
    does '^cr2=8000001234$'
    recorded vm_denied '"rule": ?"limit"'
    kernel_says 'a policy gives the VMs of user 1000 no more memory'
    limit 1000 deny '"memory": 524288'
    guests user page_fault64
    does '^cr2=8000001234$'
    remove few
}

OF_THE_USER='{"users": 1000}'
# In 64 bits, in real mode, and by a string instruction one byte of which is too far.
ports_of_guests_denied() {
    guest_rule "$(port 80 write)" deny
    guests user registers
    meets_gp
    does_not 'port=50'
    guests root registers
    does '^io out port=50 size=1 count=1: 11$'
    guest_rule "$(port 16 write)" deny
    guests user ports
    meets_gp
    does_not 'port=10 '
    guest_rule "$(port 1019 write)" deny
    guests user ports
    does '^io out port=3f8 size=1'
    does_not '^io out port=3f8 size=4'
    meets_gp
    guest_rule "$(port 32 read)" deny
    guests user ports
    does '^io out port=14 size=4'
    does_not '^io in port=20 '
    meets_gp
    at_least records "$(records guest_denied '"rule": ?"guest"')" 4
}

# Linux itself has these ports, and a guest of anybody's loses them.
ports_of_all_guests_denied() {
    guest_rule "$(port 80 write)" deny '"all"'
    for each in root user; do
        guests $each registers
        meets_gp
    done
    faults 0 port 80 1 0
    clean
    remove guests
    guests user registers
    does '^io out port=50 '
}

ports_of_guests_logged() {
    guests user ports
    cp /tmp/guest /tmp/guest.before
    guest_rule "$(port '{"first": 0, "last": 65535}' write)" log
    guests user ports
    diff /tmp/guest.before /tmp/guest
    recorded guest_logged '"rule": ?"guest"'
    recorded guest_logged 'user 1000'
    remove guests
}

# The case runs on once: it is where it was, and pauses again. Then without the rule.
a_guest_is_paused() {
    guest_rule "$(port 80 write)" pause
    guests user registers
    wrong 'times that it paused' "$(grep -c "^internal error $PAUSED\$" /tmp/guest)" 2
    does_not 'port='
    wrong 'places of it' "$(grep -o 'rip=[^ ]*' /tmp/guest | sort -u | wc -l)" 1
    recorded guest_paused '"rule": ?"guest"'
    remove guests
    guests user registers
    does '^io out port=50 '
}

a_guest_is_killed() {
    guest_rule "$(port 80 write)" kill
    as_user "kvm_client $NODE registers; echo status \$?" >/tmp/guest
    does '^status 137$'
    recorded guest_killed '"rule": ?"guest"'
    kernel_says 'hv_kvm: a rule (id [0-9]*) ends the VM of user 1000, process'
    wait_for_vms 0
    guests root registers
    does '^io out port=50 '
    remove guests
    guests user registers
    does '^io out port=50 '
    clean
}

# IA32_MTRR_DEF_TYPE and IA32_APIC_BASE, each one way.
msrs_of_guests_denied() {
    guest_rule '"kind": "msr", "msr": 767, "access": ["write"]' deny
    guests user msrs
    meets_gp
    guests root msrs
    does_not 'port=e0'
    guest_rule '"kind": "msr", "msr": 27, "access": ["read"]' deny
    guests user msrs
    meets_gp
    guests root msrs
    does_not 'port=e0'
    faults 0 rdmsr 27
    at_least records "$(records guest_denied '"rule": ?"guest"')" 2
    guest_rule '"kind": "msr", "msr": 27, "access": ["read"]' log
    guests user msrs
    does_not 'port=e0'
    recorded guest_logged '"rule": ?"guest"'
    remove guests
}

# Rules that could not hold, or mean nothing.
what_guests_do_alone_is_refused() {
    for rule in '"msr": "ia32_lstar", "access": ["write"], "action": "deny", "guests": "all"' \
        '"msr": 27, "access": ["read"], "action": "keep", "guests": "all"' \
        '"msr": 27, "access": ["read"], "action": "pause"' \
        '"msr": 27, "access": ["read"], "action": "deny", "guests": "all", "cpus": [0]'; do
        printf '{"version": 1, "name": "no", "rules": [{"name": "a", "kind": "msr", %s}]}' \
            "$rule" >/tmp/no.json
        refused 1 '/tmp/no.json:1:' hvctl policy apply /tmp/no.json
    done
}

check vms_are_counted
check vms_of_many_users_are_counted
check vcpus_are_counted
check memory_is_counted
check ports_of_guests_denied
check ports_of_all_guests_denied
check ports_of_guests_logged
check a_guest_is_paused
check a_guest_is_killed
check msrs_of_guests_denied
check what_guests_do_alone_is_refused
