# SPDX-License-Identifier: MIT
# summary: status, ring 3, hidden VMX, and everything that is refused with one clear line
# weight: 40
# tests: status_json ring3_sigill ring3_as_native ring3_steps vmx_hidden hypervisor_leaf
# tests: unknown_verb bad_usage no_permission broken_policy wrong_abi unknown_command
# tests: hvd_down rmmod_hoisted_unhoists not_hoisted module_missing
# rig: --test-build

# TF on a system call makes Linux on the emulated CPU complain, once, with and without the core.
ALLOWED=exc_debug
json=$(hvctl --json status | flat)
value() { echo "$json" | sed -n "s/^$1=//p"; }
why=$(wrong hoisted "$(value hoisted)" true
    wrong backend "$(value backend)" vmx
    for cpu in 0 1; do
        wrong "cpus.$cpu.id" "$(value "cpus.$cpu.id")" $cpu
        wrong "cpus.$cpu.hoisted" "$(value "cpus.$cpu.hoisted")" true
        [ "$(value "cpus.$cpu.exits")" -gt 0 ] || echo "no exits of CPU $cpu; "
    done
    wrong locked "$(value locked)" false
    wrong vms "$(value vms)" 0
    value version | grep -qE '^[0-9]+\.[0-9]' || echo "version $(value version); "
    value core_sha256 | grep -qE '^[0-9a-f]{64}$' || echo "core_sha256 $(value core_sha256); "
    bytes=$(value memory.reserved_bytes)
    [ "$bytes" -gt 0 ] && [ "$bytes" -le 4194304 ] || echo "reserved_bytes $bytes; ")
note status_json "reserved_bytes $(value memory.reserved_bytes)"
verdict status_json "$why"

probe >/tmp/hoisted
probe_of() { sed -n "s/^$1 //p" /tmp/hoisted; }
verdict ring3_sigill \
    "$(for each in vmcall vmcall_unhoist vmcall_lock vmxon vmclear vmptrld vmptrst vmlaunch \
    vmresume vmread vmwrite vmxoff invept invvpid vmfunc getsec; do
    wrong $each "$(probe_of $each)" "signal 4"
done)"
steps >/tmp/steps.hoisted

load_test_module
t snapshot
why=$(grep -E '^cpu[01] cpuid' "$ANSWER" | while read -r cpu _ ecx _; do
    [ $((0x$ecx & 0x20)) = 0 ] || echo "$cpu: CPUID shows VMX; "
done
wrong CR4.VMXE $(($(ask value cr 4) & 0x2000)) 0
for msr in 0x480 0x48b 0x48f; do wrong "read of $msr" "$(ask fault rdmsr $msr)" 13; done
wrong "VMX in feature control" $(($(ask value rdmsr 0x3a) & 6)) 0
t cr_set 4 0 0x2000
wrong "setting CR4.VMXE" "$(of fault)" 13)
verdict vmx_hidden "$why"
t snapshot
verdict hypervisor_leaf "$(for cpu in 0 1; do
    wrong "leaf 0x40000000 of CPU $cpu" "$(of "cpu$cpu cpuid" | cut -d' ' -f2)" 73696f48
done)"

verdict unknown_verb "$(refused 2 'frobnicate' hvctl frobnicate)"
verdict bad_usage "$(refused 2 'hvctl|option|policy' hvctl policy apply
    refused 2 '.' hvctl --no-such-option status)"
verdict no_permission "$(refused 1 'root|permi' su user -c '/usr/bin/hvctl stop'
    refused 1 'root|permi' su user -c '/usr/bin/hvctl policy lock'
    su user -c '/t/bin/hvnl stop' >/tmp/out 2>&1 && echo 'netlink let a user stop; '
    wrong hoisted "$(status hoisted)" true)"
{
    printf '{"version": 1,\n "name": "broken",\n "rules": [{"name": "x", "kind": "msr", '
    printf '"msr": "ia32_lstr", "access": ["write"], "action": "deny"}]}\n'
} >/tmp/broken.json
printf '{"version": 1, "name": "cut' >/tmp/cut.json
before=$(status 'policies\..*')
verdict broken_policy \
    "$(refused 1 '/tmp/broken.json:3:.*ia32_lstar' hvctl policy apply /tmp/broken.json
    refused 1 '/tmp/broken.json:3:' hvctl policy check /tmp/broken.json
    refused 1 '/tmp/cut.json:1:' hvctl policy apply /tmp/cut.json
    refused 1 '/no/such/file' hvctl policy apply /no/such/file
    wrong policies "$(status 'policies\..*')" "$before")"
verdict wrong_abi "$(for abi in 0 2 4294967295; do
    hvnl abi $abi >/tmp/out && echo "ABI $abi was taken; "
    grep -q '^error 71: hv.ko speaks ABI' /tmp/out || cat /tmp/out
done
hvnl abi 1 || cat /tmp/out)"
verdict unknown_command \
    "$(for number in 0 12 13 200; do hvnl raw $number >/dev/null && echo "command $number was \
        taken; "; done)"

# Without hvd: what can work does, the rest says what to do.
kill -9 "$(pidof hvd)"
while pidof hvd >/dev/null; do usleep 1000; done
verdict hvd_down "$(wrong hoisted "$(status hoisted)" true
    refused 1 'hvd' hvctl logs
    hvctl stats >/dev/null || echo 'stats failed; '
    hvctl dump 0 >/dev/null || echo 'dump failed; ')"
rmmod hv
verdict rmmod_hoisted_unhoists "$(wrong 'status of rmmod' $? 0
    t snapshot
    wrong 'hypervisor leaf' "$(of 'cpu1 cpuid' | cut -d' ' -f2)" \
        "$(of 'cpu0 cpuid' | cut -d' ' -f2)"
    [ "$(of 'cpu0 cpuid' | cut -d' ' -f2)" != 73696f48 ] || echo 'the core still answers; ')"
probe >/tmp/native
# vmmcall and CPUID are the CPU's own; everything must end as it does without the core.
verdict ring3_as_native "$(diff /tmp/native /tmp/hoisted)"
steps >/tmp/steps.native
note ring3_steps "$(wc -l </tmp/steps.native) cases"
verdict ring3_steps "$(diff /tmp/steps.native /tmp/steps.hoisted)"
verdict module_missing "$(refused 1 'hv' hvctl start
    refused 1 'hv' hvctl status)"
modprobe hv
verdict not_hoisted "$(wrong hoisted "$(status hoisted)" false
    refused 1 'hoisted' hvctl stop
    refused 1 'hoisted' hvctl status --audit
    refused 1 'hoisted' hvctl dump 0)"
