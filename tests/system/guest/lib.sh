# SPDX-License-Identifier: MIT
# What the scripts of the groups share. A test is a function that prints why it fails, or nothing;
# `check` runs it and prints one line for the runner: PASS name, FAIL name why, SKIP name why.
# NOTE name text before it gives it a remark.
failed=0
ANSWER=/tmp/answer
LOG=/var/log/hv/events.jsonl
CORE_LEAF=73696f48 # what CPUID leaf 0x40000000 answers in ebx under VMX
GP=13              # numbers of exceptions
UD=6
BACKEND=${BACKEND:-vmx}
# What differs by backend: the module that wants the CPUs too, how many times as often the tests of
# isolation, privilege, ratchet, NMIs and hypercalls do what they do, and what exits all the time.
if [ "$BACKEND" = svm ]; then
    RIVAL=kvm_amd TIMES=10 STEADY_EXITS=
else
    RIVAL=kvm_intel TIMES=1 STEADY_EXITS='cpuid '
fi
by_backend() { if [ "$BACKEND" = svm ]; then echo "$2"; else echo "$1"; fi; }

# check NAME [TIMES]: runs the test of that name, in a shell of its own, until it fails.
check() {
    rm -f /tmp/remark /tmp/skip
    for _ in $(seq "${2:-1}"); do
        why=$("$1")
        [ -z "$why" ] || break
    done
    [ ! -e /tmp/remark ] || echo "NOTE $1 $(tr '\n' ' ' </tmp/remark)"
    if [ -e /tmp/skip ]; then
        echo "SKIP $1 $(cat /tmp/skip)"
    elif [ -z "$why" ]; then
        echo "PASS $1"
    else
        fail "$1" "$why"
    fi
}
fail() {
    echo "FAIL $*" | tr '\n' ' '
    echo
    failed=1
}
# In a test: a remark for the table; that it can't be done here.
remark() { echo "$*" >/tmp/remark; }
skip() { echo "$*" >/tmp/skip; }
# wrong NAME GOT WANTED: a reason where they differ. at_least NAME GOT LEAST: where it is less.
wrong() { [ "$2" = "$3" ] || printf '%s is "%s", not "%s"; ' "$1" "$2" "$3"; }
at_least() { [ "${2:-0}" -ge "$3" ] || printf '%s is %s, less than %s; ' "$1" "${2:-none}" "$3"; }
at_most() { [ "${2:-0}" -le "$3" ] || printf '%s is %s, more than %s; ' "$1" "$2" "$3"; }

# full SHORT FULL: the number for this run. often SHORT FULL: the same, times what the backend asks.
full() { if [ "$FULL" = 1 ]; then echo "$2"; else echo "$1"; fi; }
often() { echo $(($(full "$1" "$2") * TIMES)); }

# t COMMAND…: asks hv_test.ko; its answer is in $ANSWER.
t() {
    if echo "$*" >/proc/hv_test 2>/tmp/error; then
        cat /proc/hv_test >"$ANSWER"
    else
        { cat /proc/hv_test; echo "refused $(cat /tmp/error)"; } >"$ANSWER"
        return 1
    fi
}
# The same on another CPU. on CPU COMMAND…
on() {
    on_cpu=$1
    shift
    taskset -c "$on_cpu" sh -c "echo $* >/proc/hv_test" 2>/dev/null
    cat /proc/hv_test >"$ANSWER"
}
# of NAME: a value of that answer. ask NAME COMMAND…: both at once.
of() { sed -n "s/^$1 //p" "$ANSWER" | head -n 1; }
ask() {
    ask_name=$1
    shift
    t "$@"
    of "$ask_name"
}
# faults WANTED COMMAND…: a reason where that command meets another exception (0: none).
faults() {
    faults_wanted=$1
    shift
    wrong "fault of $*" "$(ask fault "$@")" "$faults_wanted"
}
load_test_module() { insmod /opt/hv/hv_test.ko || fail load_test_module 'insmod failed'; }

# status PATH, stats PATH: values of the JSON.
status() { hvctl --json status | flat | sed -n "s/^$1=//p"; }
stats() { hvctl --json stats | flat | sed -n "s/^$1=//p"; }
policies() { status 'policies\..*' | sort | tr '\n' ' '; }
# exits REASON: how many of them on all CPUs.
exits() {
    exits_found=$(stats "reasons\.$1")
    echo "${exits_found:-0}"
}
# records KIND [MORE]: how many of the newest lines of the log are of that kind (and match MORE).
records() {
    hvctl --json logs -n "${RECORDS_LINES:-400}" | grep -E "\"kind\": ?\"$1\"" |
        grep -cE "${2:-.}"
}
# A reason unless there is a record. recorded KIND [MORE]
recorded() { at_least "records $*" "$(records "$@")" 1; }
# clean: a reason where the audit finds anything.
clean() { hvnl audit >/tmp/audit 2>&1 || tr '\n' ' ' </tmp/audit; }
audited() { sed -n "s/^$1 //p" /tmp/audit; }
# under_core CPU: a reason unless that CPU runs under the core, and says so. No leaf of CPUID is the
# core's on SVM: only the hypercall tells.
under_core() {
    wrong "the no-op on CPU $1" "$(ask "cpu$1" nops)" '0 0'
    [ "$BACKEND" = vmx ] || return 0
    t snapshot
    wrong "leaf 0x40000000 of CPU $1" "$(of "cpu$1 cpuid" | cut -d' ' -f2)" $CORE_LEAF
    wrong "CR4.VMXE of CPU $1" $((0x$(of "cpu$1 cr4") & 0x2000)) 0
}
not_under_core() {
    wrong "the no-op on CPU $1" "$(ask "cpu$1" nops)" "$UD 0"
    t snapshot
    [ "$(of "cpu$1 cpuid" | cut -d' ' -f2)" != $CORE_LEAF ] || echo "the core answers on CPU $1; "
}
# same_state FILE: a reason where the CPUs are not as in an earlier snapshot.
same_state() {
    t snapshot
    diff "$1" "$ANSWER"
}

# free_kib: memory that Linux has free or holds for what comes and goes. The page allocator keeps
# pages for each CPU; they are free, but /proc/meminfo does not say so.
free_kib() {
    sync
    echo 3 >/proc/sys/vm/drop_caches
    awk '/^(MemFree|Slab|PageTables|KernelStack|AnonPages):/ { sum += $2 }
        /^ +count:/ { sum += 4 * $2 }
        END { print sum }' /proc/meminfo /proc/zoneinfo
}

insert_hv() { insmod "/lib/modules/$(uname -r)/updates/hv.ko"; }
kill_hvd() {
    kill -9 "$(pidof hvd)"
    while pidof hvd >/dev/null; do usleep 1000; done
}
start_hvd() {
    mkdir -p /run/hv /var/log/hv
    # Not a child of this shell: nobody would wait for it while a test runs, and a dead process
    # that nobody waits for still has its name.
    (hvd >>/var/log/hv/hvd.log 2>&1 &)
    # The socket of one that was killed is still there: only an answer tells.
    for _ in $(seq 100); do
        hvctl --json status 2>/dev/null | grep -qE '"hvd": ?"running"' && return
        usleep 20000
    done
    return 1
}

# refused STATUS PATTERN COMMAND…: a reason unless it ends so, with one line of that kind on stderr.
refused() {
    refused_status=$1 refused_pattern=$2
    shift 2
    "$@" >/tmp/out 2>/tmp/err
    wrong "status of $*" $? "$refused_status"
    wrong "lines of $* on stderr" "$(wc -l </tmp/err)" 1
    grep -qE "$refused_pattern" /tmp/err || echo "stderr of $*: $(cat /tmp/err); "
}

# What Linux complains of when something is broken. The boot warning of the emulated CPU's XSAVE
# size is there without the core too; a group names in $ALLOWED what else it brings about itself.
kernel_log() {
    dmesg | grep -e 'WARNING: CPU' -e 'BUG:' -e Oops -e 'general protection fault[,:]' \
        -e 'unable to handle' -e 'invalid opcode: 0' -e stall -e lockup -e Dazed -e Uhhuh \
        -e 'unchecked MSR' -e 'scheduling while' |
        grep -vE "arch/x86/kernel/fpu/xstate.c|${ALLOWED:-^$}" | head -n 3 | tr '\n' ';'
}

audit_at_end() {
    if [ "$(status hoisted 2>/dev/null)" = true ]; then
        clean
    else
        skip 'not hoisted at the end of the group'
    fi
}

# Every group ends with a look at what must hold whatever it did.
end_of_group() {
    eval "$1_kernel_log() { kernel_log; }; $1_audit() { audit_at_end; }"
    [ -z "$NO_END" ] || exit "$failed"
    check "$1_kernel_log"
    check "$1_audit"
    exit "$failed"
}
