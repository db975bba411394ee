# SPDX-License-Identifier: MIT
# What the groups of the kernel's own KVM selftests share. Each program is a test; it ends with 0,
# or with 4 where something that it is about is not there. They run on the node, as /dev/kvm, or,
# with NODE_MODULE=kvm_intel or kvm_amd, on the machine's own KVM, to compare: whatever they say
# there, it is no failure of ours.

LIMIT=$(full 60 600)

# level_1, level_2 PROGRAM [ARGUMENT…]: makes the test of that name. Of the first level none may be
# skipped by the program itself.
level_1() { eval "${1##*/}() { selftest must $*; }"; }
level_2() { eval "${1##*/}() { selftest may $*; }"; }

# fails NAME WHY: as is known.
fails() { eval "fails_$1=\$2"; }
# long NAME WHY: it only runs with --full.
long() { [ "$FULL" = 1 ] || eval "$1() { skip \"only with --full: $2\"; }"; }

# What the program says went wrong, without its stack.
selftest_words() {
    sed -n '/==== Test Assertion/,$p' "$1" | grep -vE '====|addr2line|^ *pid=' | head -n 4 |
        tr '\n' ' '
}

selftest() {
    selftest_skip=$1 selftest_name=${2##*/} selftest_program=/t/selftests/$2
    shift 2
    timeout -s KILL "$LIMIT" "$selftest_program" "$@" >/tmp/out 2>/tmp/err </dev/null
    selftest_status=$?
    # Some leave children.
    killall -9 "$selftest_name" 2>/dev/null
    eval "selftest_fails=\${fails_$selftest_name}"
    case $selftest_status in
    0) [ -z "$selftest_fails" ] || remark 'passes; this file says it does not' ;;
    4)
        selftest_why=$(sed -n 's/.*SKIP - //p' /tmp/out | tail -n 1)
        if [ "$selftest_skip" = may ] || [ -n "$NODE_MODULE" ]; then
            skip "$selftest_why"
        else
            echo "skipped: $selftest_why"
        fi
        ;;
    *)
        if [ -n "$selftest_fails" ]; then
            skip "fails: $selftest_fails"
        elif [ -n "$NODE_MODULE" ]; then
            skip "ends with $selftest_status: $(selftest_words /tmp/err)"
        else
            echo "ended with $selftest_status: $(selftest_words /tmp/err)"
        fi
        ;;
    esac
}

. /t/sh/selftest_list.sh
if [ -n "$NODE_MODULE" ]; then modprobe "$NODE_MODULE"; else modprobe hv_kvm node=kvm; fi
