# SPDX-License-Identifier: MIT
# What the scripts of the groups share. A test prints one line: PASS name, FAIL name why, SKIP name
# why; NOTE name text before it gives it a remark.
failed=0
ANSWER=/tmp/answer
LOG=/var/log/hv/events.jsonl

pass() { echo "PASS $1"; }
fail() {
    echo "FAIL $*" | tr '\n' ' '
    echo
    failed=1
}
skip() { echo "SKIP $*"; }
note() { echo "NOTE $*"; }

# verdict NAME REASON…: passes where there is no reason to fail.
verdict() {
    verdict_name=$1
    shift
    if [ -z "$*" ]; then pass "$verdict_name"; else fail "$verdict_name" "$@"; fi
}

# wrong NAME GOT WANTED: prints a reason where they differ.
wrong() { [ "$2" = "$3" ] || printf '%s is "%s", not "%s"; ' "$1" "$2" "$3"; }

# full SHORT FULL: the number for this run.
full() { if [ "$FULL" = 1 ]; then echo "$2"; else echo "$1"; fi; }

# t COMMAND…: asks hv_test.ko; its answer is in $ANSWER.
t() {
    if echo "$*" >/proc/hv_test 2>/tmp/error; then
        cat /proc/hv_test >"$ANSWER"
    else
        { cat /proc/hv_test; echo "refused $(cat /tmp/error)"; } >"$ANSWER"
        return 1
    fi
}
# of NAME: a value of that answer.
of() { sed -n "s/^$1 //p" "$ANSWER" | head -n 1; }
# ask NAME COMMAND…: both at once.
ask() {
    ask_name=$1
    shift
    t "$@"
    of "$ask_name"
}

load_test_module() { insmod /opt/hv/hv_test.ko || fail load_test_module "insmod failed"; }

# status PATH, stats PATH, audit PATH: one value of the JSON.
status() { hvctl --json status | flat | sed -n "s/^$1=//p"; }
stats() { hvctl --json stats | flat | sed -n "s/^$1=//p"; }
# exits REASON: how many of them on all CPUs.
exits() {
    exits_found=$(stats "reasons\.$1")
    echo "${exits_found:-0}"
}
# records KIND [MORE]: how many of the newest lines of the log are of that kind (and match MORE).
records() {
    hvctl --json logs -n "${RECORDS_LINES:-400}" | grep -E "\"kind\": ?\"$1\"" | grep -cE "${2:-.}"
}
# clean: prints a reason where the audit finds anything.
clean() { hvnl audit >/tmp/audit 2>&1 || tr '\n' ' ' </tmp/audit; }
audited() { sed -n "s/^$1 //p" /tmp/audit; }

# free_kib: memory that Linux has free or holds for something that comes and goes. The page
# allocator
# keeps pages for each CPU; they are free, but /proc/meminfo does not say so.
free_kib() {
    sync
    echo 3 >/proc/sys/vm/drop_caches
    awk '/^(MemFree|Slab|PageTables|KernelStack|AnonPages):/ { sum += $2 }
        /^ +count:/ { sum += 4 * $2 }
        END { print sum }' /proc/meminfo /proc/zoneinfo
}

start_hvd() {
    mkdir -p /run/hv /var/log/hv
    hvd >>/var/log/hv/hvd.log 2>&1 &
    # The socket of one that was killed is still there: only an answer tells.
    for _ in $(seq 100); do
        hvctl --json status 2>/dev/null | grep -qE '"hvd": ?"running"' && return
        usleep 20000
    done
    return 1
}
# For groups that come up unhoisted. hoist [MODULE]
hoist() {
    insmod "${1:-/lib/modules/$(uname -r)/updates/hv.ko}" || return 1
    start_hvd && hvctl start >/tmp/start 2>&1
}

# one_line COMMAND…: runs it, keeps status and error text; prints a reason unless it is one line.
one_line() {
    "$@" >/tmp/out 2>/tmp/err
    one_line_status=$?
    [ "$(wc -l </tmp/err)" = 1 ] || echo "not one line on stderr: $(cat /tmp/err); "
}
# refused STATUS PATTERN COMMAND…: a reason unless it ends with that status and one line like that.
refused() {
    refused_status=$1 refused_pattern=$2
    shift 2
    one_line "$@"
    wrong "status of $*" "$one_line_status" "$refused_status"
    grep -qE "$refused_pattern" /tmp/err || echo "stderr of $*: $(cat /tmp/err); "
}

# What Linux complains of when something is broken. The boot warning of the emulated CPU's XSAVE
# size
# is there without the core too; a group names in $ALLOWED what else it brings about itself.
warnings() {
    dmesg | grep -e 'WARNING: CPU' -e 'BUG:' -e Oops -e 'general protection fault[,:]' \
        -e 'unable to handle' -e 'invalid opcode: 0' -e stall -e lockup -e Dazed -e Uhhuh \
        -e 'unchecked MSR' -e 'scheduling while' |
        grep -vE "arch/x86/kernel/fpu/xstate.c|${ALLOWED:-^$}" >/tmp/warnings
    [ ! -s /tmp/warnings ] || head -n 3 /tmp/warnings | tr '\n' ';'
}

end_of_group() {
    [ -z "$NO_END" ] || exit $failed
    verdict "$1_kernel_log" "$(warnings)"
    if [ -n "$(lsmod | grep '^hv ')" ] && [ "$(status hoisted)" = true ]; then
        verdict "$1_audit" "$(clean)"
    fi
    exit $failed
}
