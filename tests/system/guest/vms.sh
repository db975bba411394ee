# SPDX-License-Identifier: MIT
# Micro VMs, the same on Hoist's node and on the real KVM: what the groups micro_vms* share.

# A boot option of the guest that says what it does once it is up; its agent runs that.
linux() { echo "console=ttyS0 panic=-1 pci=off quiet rig_command=\"$1\""; }
SLEEPS=$(linux 'echo up >/dev/ttyS0; sleep 100000')

run_vm() { # NAME COMMAND-LINE [OPTION…]
    run_name=$1 run_line=$2
    shift 2
    hvctl vm run --kernel /boot/vmlinuz --initrd /boot/initrd --memory 128M --command-line \
        "$run_line" "$@" "$run_name"
}
vm() { hvctl --json vm show "$1" | flat | sed -n "s/^$2=//p"; } # NAME KEY
# says NAME WORD [SECONDS]: waits until the VM's console has the word.
says() {
    timeout "${3:-90}" hvctl vm console "$1" </dev/null 2>/dev/null | grep -qm 1 "$2" ||
        echo "VM $1 did not say $2; "
}
ended() { wrong "the end of $1" "$(vm "$1" ending)" "$2"; }
drop() { hvctl vm kill "$1" >/dev/null 2>&1; hvctl vm rm "$1" >/dev/null; }

vm_boots_and_powers_off() {
    run_vm off "$(linux 'echo cpus $(nproc) >/dev/ttyS0; poweroff -f')" --cpus 2 --console \
        </dev/null >/tmp/console 2>/tmp/err || cat /tmp/err
    grep -q 'cpus 2' /tmp/console || tail -n 3 /tmp/console
    ended off 'powered off'
    wrong 'last line of hvctl' "$(tail -n 1 /tmp/err)" 'hvctl: VM off ended: powered off'
    drop off
}

vm_console_types() {
    run_vm typed "$(linux 'read line </dev/ttyS0; echo got $line >/dev/ttyS0; reboot -f')" \
        >/dev/null
    echo hello | timeout 60 hvctl vm console typed 2>/dev/null | grep -q 'got hello' ||
        echo 'what was typed did not arrive; '
    for _ in $(seq 50); do [ "$(vm typed state)" = stopped ] && break; usleep 100000; done
    ended typed reset
    drop typed
}

vm_ends() {
    run_vm halted "$(linux 'halt -f')" && timeout 60 hvctl vm console halted </dev/null
    run_vm panicked "$(linux 'echo c >/proc/sysrq-trigger')" &&
        timeout 60 hvctl vm console panicked </dev/null
} >/dev/null 2>&1
vm_every_end_is_told() {
    vm_ends
    ended halted halted
    ended panicked reset
    drop halted
    drop panicked
}

vm_is_confined() {
    run_vm jail "$SLEEPS" >/dev/null
    says jail up
    pid=$(vm jail pid)
    wrong uid "$(awk '/^Uid:/ { print $2, $3, $4 }' "/proc/$pid/status")" \
        '1879048192 1879048192 1879048192'
    wrong capabilities "$(awk '/^Cap(Inh|Prm|Eff)/ { print $2 }' "/proc/$pid/status" | sort -u)" \
        0000000000000000
    wrong seccomp "$(awk '/^Seccomp:/ { print $2 }' "/proc/$pid/status")" 2
    ls -l "/proc/$pid/fd" | grep -E ' /(boot|etc|root)' && echo 'files are left open; '
    drop jail
}

vm_limits_hold() {
    hvctl vm create --kernel /boot/vmlinuz --initrd /boot/initrd --memory 128M --memory-limit 160M \
        --cpu-limit 30 --command-line "$(linux 'while :; do :; done')" limited >/dev/null
    hvctl vm start limited >/dev/null
    wrong memory.max "$(cat /sys/fs/cgroup/hv/limited/memory.max)" 167772160
    wrong cpu.max "$(cat /sys/fs/cgroup/hv/limited/cpu.max)" '30000 100000'
    used=$(cpu_us limited)
    sleep 5
    at_most 'microseconds of 5 s at 30 percent' $(($(cpu_us limited) - used)) 2000000
    drop limited
    [ ! -e /etc/hv/vms.d/limited.json ] || echo 'its file is still there; '
}
cpu_us() { hvctl --json vm stats "$1" | flat | sed -n 's/^cpu_us=//p'; }

vm_out_of_its_memory_is_told() {
    run_vm full "$(linux 'read go </dev/ttyS0; cat /dev/zero >/tmp/x; sleep 1000')" >/dev/null
    echo 64M >/sys/fs/cgroup/hv/full/memory.max
    echo go | timeout 60 hvctl vm console full >/dev/null 2>&1
    ended full 'killed: out of the memory that its limit leaves it'
    drop full
}

vm_pauses() {
    run_vm still "$(linux 'while :; do :; done')" >/dev/null
    hvctl vm pause still >/dev/null
    wrong state "$(vm still state)" paused
    used=$(cpu_us still)
    sleep 2
    at_most 'microseconds used while paused' $(($(cpu_us still) - used)) 100000
    hvctl vm resume still >/dev/null
    sleep 1
    at_least 'microseconds used again' $(($(cpu_us still) - used)) 200000
    drop still
}

vm_refusals_are_one_line() {
    vm='hvctl vm run --kernel /boot/vmlinuz'
    refused 1 'no kernel at /none: No such file' hvctl vm run --kernel /none x
    refused 1 'is no Linux kernel' hvctl vm run --kernel /etc/passwd x
    refused 1 'is an ELF file, but no kernel' hvctl vm run --kernel /bin/busybox x
    refused 1 'not enough memory: the VM asks for 102400 MiB' $vm --memory 100G x
    refused 1 'does not fit in 32 MiB of memory' $vm --memory 32M x
    refused 1 'expected whole MiB' $vm --memory 1 x
    refused 1 'expected a name of a-z' $vm X
    run_vm taken "$SLEEPS" >/dev/null
    refused 1 'the name taken is taken' $vm taken
    refused 1 'runs: hvctl vm stop taken first' hvctl vm rm taken
    refused 1 'no VM "none"' hvctl vm stop none
    drop taken
    wrong 'VMs left' "$(hvctl --json vm list)" '{"vms":[]}'
}

vm_outlives_hvd() {
    run_vm stays "$SLEEPS" >/dev/null
    says stays up
    pid=$(vm stays pid)
    kill_hvd
    start_hvd
    wrong 'its process' "$(vm stays pid)" "$pid"
    wrong state "$(vm stays state)" running
    hvctl vm pause stays >/dev/null
    kill_hvd
    start_hvd
    wrong 'state after another' "$(vm stays state)" paused
    hvctl vm stop --timeout 0 stays >/dev/null
    ended stays killed
    drop stays
}

ECHOES='exec </dev/ttyS0 >/dev/ttyS0; echo up $(nproc) cpus; while read l; do echo got $l; done'
# One VM, by all that hvctl does with it. Typed on a terminal, whose last key leaves the console.
vm_first_form() {
    reserved=$(status memory.reserved_bytes)
    hvctl vm run --kernel /boot/vmlinuz --initrd /boot/initrd --cpus 2 --memory 256M \
        --command-line "$(linux "$ECHOES")" first >/tmp/out || cat /tmp/out
    wrong 'what run says' "$(cat /tmp/out)" 'VM first: running'
    timeout 200 on_tty 'up 2 cpus' 'hello\r' 'got hello' '\035' -- hvctl vm console first \
        >/tmp/console 2>&1 || echo "the console ended with $?: $(tail -n 2 /tmp/console); "
    grep -q 'the VM goes on' /tmp/console || echo 'hvctl does not say that the VM goes on; '
    timeout 60 on_tty '' 'again\r' 'got again' '\035' -- hvctl vm console first \
        >/tmp/console 2>&1 ||
        echo "attached again, the console ended with $?: $(tail -n 2 /tmp/console); "
    hvctl vm list >/tmp/out
    grep -qE '^first +running +2 +256 MiB +[0-9]+ .*hv-vmm' /tmp/out || cat /tmp/out
    for key in cpu_us port_exits memory_used_bytes uptime_ms; do
        at_least $key "$(hvctl --json vm stats first | flat | sed -n "s/^$key=//p")" 1
    done
    wrong 'what stop says' "$(hvctl vm stop --timeout 1 first)" 'VM first: stopped: killed'
    hvctl vm rm first >/dev/null
    gives_back "$reserved"
}
# gives_back BYTES: a reason unless that is what the core has again.
gives_back() {
    for _ in $(seq 50); do
        [ "$(status memory.reserved_bytes)" = "$1" ] && break
        usleep 100000
    done
    wrong 'memory of the core' "$(status memory.reserved_bytes)" "$1"
}

running() { hvctl --json vm list | flat | grep -c 'state=running'; }
follow() { hvctl vm console "$1" </dev/null >"/tmp/console.$1" 2>&1 & }
# last_words NAME: how a VM has ended that should run, and what its console said last.
last_words() {
    [ "$(vm "$1" state)" = running ] ||
        echo "VM $1: $(vm "$1" ending): $(tail -n 12 "/tmp/console.$1" | tr -d '\r'); "
}
vm_ten_at_once() {
    before=$(free_kib) reserved=$(status memory.reserved_bytes)
    for i in 0 1 2 3 4 5 6 7 8 9; do run_vm "ten$i" "$SLEEPS" >/dev/null; follow "ten$i"; done
    for i in 0 1 2 3 4 5 6 7 8 9; do says "ten$i" up 300; done
    wrong 'VMs that run' "$(running)" 10
    for i in 0 1 2 3 4 5 6 7 8 9; do last_words "ten$i"; done
    kill -9 "$(vm ten5 pid)"
    sleep 1
    wrong 'VMs that run when one was killed' "$(running)" 9
    ended ten5 killed
    for i in 0 1 2 3 4 5 6 7 8 9; do drop "ten$i"; done
    # What was killed goes down in its own time, and hvd looks once a second.
    for _ in $(seq 50); do [ -e /sys/fs/cgroup/hv ] || break; usleep 100000; done
    [ ! -e /sys/fs/cgroup/hv ] || echo 'a control group is left; '
    gives_back "$reserved"
    lost=$((before - $(free_kib)))
    remark "$lost KiB less afterwards"
    at_most 'KiB that are gone' $lost 8192
}

