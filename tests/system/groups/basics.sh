# SPDX-License-Identifier: MIT
# summary: status, ring 3, hidden VMX and SVM, and everything that is refused with one clear line
# rig: --test-build
# weight: 40

# TF on a system call makes Linux on the emulated CPU complain, once, with and without the core.
ALLOWED=exc_debug

status_json() {
    hvctl --json status | flat >/tmp/status
    value() { sed -n "s/^$1=//p" /tmp/status; }
    remark "reserved_bytes $(value memory.reserved_bytes)"
    wrong hoisted "$(value hoisted)" true
    wrong backend "$(value backend)" "$BACKEND"
    for cpu in 0 1; do
        wrong "cpus.$cpu.id" "$(value "cpus.$cpu.id")" $cpu
        wrong "cpus.$cpu.hoisted" "$(value "cpus.$cpu.hoisted")" true
        at_least "cpus.$cpu.exits" "$(value "cpus.$cpu.exits")" "$(by_backend 1 0)"
    done
    wrong locked "$(value locked)" false
    wrong vms "$(value vms)" 0
    value version | grep -qE '^[0-9]+\.[0-9]' || echo "version $(value version); "
    value core_sha256 | grep -qE '^[0-9a-f]{64}$' || echo "core_sha256 $(value core_sha256); "
    at_least reserved_bytes "$(value memory.reserved_bytes)" 4096
    at_most reserved_bytes "$(value memory.reserved_bytes)" 4194304
}

# SVM is on while Linux is hoisted. Then these are known, and a CPU looks at the privilege level
# before it asks the core.
SVM_ONLY='vmrun vmload vmsave stgi clgi invlpga'

probed() { wrong "$1" "$(sed -n "s/^$1 //p" /tmp/probe.hoisted)" "signal $2"; }
ring3_sigill() {
    for each in vmcall vmcall_unhoist vmcall_lock vmmcall vmmcall_unhoist vmmcall_lock vmxon \
        vmclear vmptrld vmptrst vmlaunch vmresume vmread vmwrite vmxoff invept invvpid vmfunc \
        getsec skinit; do
        probed $each 4
    done
    for each in $SVM_ONLY; do probed $each "$(by_backend 4 11)"; done
}

vmx_hidden() {
    if [ "$BACKEND" = svm ]; then
        skip 'an AMD CPU has none'
        return
    fi
    t snapshot
    for cpu in 0 1; do
        ecx=$(of "cpu$cpu cpuid" | cut -d' ' -f1)
        wrong "CPUID.1:ECX.VMX of CPU $cpu" $((0x$ecx & 0x20)) 0
    done
    wrong CR4.VMXE $(($(ask value cr 4) & 0x2000)) 0
    for msr in 0x480 0x48b 0x48f; do faults $GP rdmsr $msr; done
    wrong 'VMX in feature control' $(($(ask value rdmsr 0x3a) & 6)) 0
    faults $GP cr_set 4 0 0x2000
}

# SVM stays in CPUID, which costs no exit then, and looks as if the firmware had locked it off.
svm_locked_off() {
    if [ "$BACKEND" = vmx ]; then
        skip 'an Intel CPU has none'
        return
    fi
    for cpu in 0 1; do
        on $cpu rdmsr 0xc0010114
        wrong "VM_CR of CPU $cpu" "$(of value)" 0x18
        on $cpu rdmsr 0xc0010117
        wrong "VM_HSAVE_PA of CPU $cpu" "$(of value)" 0x0
    done
    faults $GP wrmsr 0xc0010114 0
    faults 0 wrmsr 0xc0010117 0
    t rdmsr 0xc0000080
    efer=$(($(of value)))
    wrong EFER.SVME $((efer & 0x1000)) 4096
    faults 0 wrmsr 0xc0000080 $((efer & ~0x1000))
    wrong EFER "$(($(ask value rdmsr 0xc0000080)))" $efer
    grep -qw svm /proc/cpuinfo || echo 'CPUID has no SVM; '
}

says_it_is_there() {
    under_core 0
    under_core 1
}

unknown_verb() { refused 2 frobnicate hvctl frobnicate; }

bad_usage() {
    refused 2 'hvctl|option|policy' hvctl policy apply
    refused 2 . hvctl --no-such-option status
}

no_permission() {
    refused 1 'root|permi' su user -c '/usr/bin/hvctl stop'
    refused 1 'root|permi' su user -c '/usr/bin/hvctl policy lock'
    su user -c '/t/bin/hvnl stop' >/tmp/out 2>&1 && echo 'netlink let a user stop; '
    wrong hoisted "$(status hoisted)" true
}

broken_policy() {
    cat >/tmp/broken.json <<JSON
{"version": 1,
 "name": "broken",
 "rules": [{"name": "x", "kind": "msr", "msr": "ia32_lstr", "access": ["write"],
            "action": "deny"}]}
JSON
    printf '{"version": 1, "name": "cut' >/tmp/cut.json
    before=$(policies)
    refused 1 '/tmp/broken.json:3:.*ia32_lstar' hvctl policy apply /tmp/broken.json
    refused 1 '/tmp/broken.json:3:' hvctl policy check /tmp/broken.json
    refused 1 '/tmp/cut.json:1:' hvctl policy apply /tmp/cut.json
    refused 1 '/no/such/file' hvctl policy apply /no/such/file
    wrong policies "$(policies)" "$before"
}

wrong_abi() {
    for abi in 0 1 2 3 4294967295; do
        hvnl abi $abi >/tmp/out && echo "ABI $abi was taken; "
        grep -q '^error 71: hv.ko speaks ABI' /tmp/out || cat /tmp/out
    done
    hvnl abi 4
}

unknown_command() {
    for number in 0 12 13 200; do
        hvnl raw $number >/dev/null && echo "command $number was taken; "
    done
}

# Without hvd: what can work does, the rest says what to do.
hvd_down() {
    wrong hoisted "$(status hoisted)" true
    refused 1 hvd hvctl logs
    hvctl stats >/dev/null || echo 'stats failed; '
    hvctl dump 0 >/dev/null || echo 'dump failed; '
}

rmmod_unhoists() {
    rmmod hv || echo 'rmmod failed; '
    not_under_core 0
    not_under_core 1
}

# Everything must end as it does without the core, but for what is named above.
ring3_as_native() {
    unlike="^($(by_backend nothing "$SVM_ONLY" | tr ' ' '|')) "
    for each in native hoisted; do grep -vE "$unlike" /tmp/probe.$each >/tmp/probe.$each.cut; done
    diff /tmp/probe.native.cut /tmp/probe.hoisted.cut
}

ring3_steps() {
    remark "$(wc -l </tmp/steps.native) cases"
    diff /tmp/steps.native /tmp/steps.hoisted
}

module_missing() {
    refused 1 hv hvctl start
    refused 1 hv hvctl status
}

not_hoisted() {
    wrong hoisted "$(status hoisted)" false
    refused 1 hoisted hvctl stop
    refused 1 hoisted hvctl status --audit
    refused 1 hoisted hvctl dump 0
}

check status_json
probe $TIMES >/tmp/probe.hoisted
steps >/tmp/steps.hoisted
check ring3_sigill
load_test_module
check vmx_hidden
check svm_locked_off
check says_it_is_there
check unknown_verb
check bad_usage
check no_permission
check broken_policy
check wrong_abi
check unknown_command
kill_hvd
check hvd_down
check rmmod_unhoists
probe >/tmp/probe.native
steps >/tmp/steps.native
check ring3_as_native
check ring3_steps
check module_missing
modprobe hv
check not_hoisted
