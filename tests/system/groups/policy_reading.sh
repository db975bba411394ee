# SPDX-License-Identifier: MIT
# summary: memory that nothing reaches, and memory of which reads are logged: by many instructions,
# through its address and two aliases, on either CPU
# rig: --test-build
# seconds: 300 600
# weight: 30

. /t/sh/rules.sh
. /t/sh/patch.sh
load_test_module
t own 2
page=$(($(sed -n '2s/^block //p' "$ANSWER") + 0x5000))
RANGE=$(printf '"range": {"first": "0x%x", "bytes": 4096}' $page)
CLOSED='"read", "write", "execute"'
VALUE=0x1122334455667788
# Numbers of hv_test.ko's ways to read: those that take few instructions, one that writes back what
# it reads, and the whole page.
FEW='0 3 5 6 7 8 9' LOCKED=10 STRING=11

rule() { # NAME ACTION ACCESS [MORE]
    echo "{\"name\": \"$1\", \"kind\": \"memory\", $RANGE, \"access\": [$3], \"action\": \"$2\"$4}"
}
close_page() { policy closed "$(rule closed deny "$CLOSED")"; }

# Each way, through the direct map, a fresh alias and a huge page, on this CPU. Of what ends in a
# fault not one byte of the page comes.
all_ways() { # FAULT all|nothing
    for alias in 0 1 2; do
        echo "load $page $alias" >/proc/hv_test || echo "alias $alias is refused; "
        ways=0
        while read -r way fault came; do
            wrong "$way through alias $alias on CPU $from" "$fault $came" "$1 $2"
            ways=$((ways + 1))
        done </proc/hv_test
        at_least "ways through alias $alias" $ways 14
    done
}
# One way, in $fault and $came; nothing is started for it.
one_way() { # PAGE ALIAS WAY
    fault=none came=none
    echo "load $*" >/proc/hv_test && read -r way fault came </proc/hv_test
}
neighbours_are_readable() {
    for alias in 0 1 2; do
        for beside in -4096 4096; do
            one_way $((page + beside)) $alias $STRING
            wrong "the page at $beside, alias $alias, on CPU $from" "$fault $came" '0 all'
        done
    done
}

# What the rules then stop must work without them.
reads_work_without_a_rule() {
    t fill $page
    on_both all_ways 0 all
    on_both neighbours_are_readable
}

not_written_nor_executed() {
    faults $GP poke $page $VALUE
    faults $GP alias $((page + 4088)) $VALUE
    faults $GP poke $((page - 4)) $VALUE
    t execute $page
    wrong "writing code on CPU $from" "$(of write_fault)" $GP
    wrong "running it on CPU $from" "$(of fault)" $GP
}

reading_denied() {
    close_page
    on_both all_ways $GP nothing
    on_both neighbours_are_readable
    read_denied='"rule": ?"closed".*"access": ?"read"'
    who='"symbol": ?"[^"]*\[hv_test\]", ?"process": ?"sh", ?"pid": ?[1-9]'
    for cpu in 0 1; do
        recorded memory_denied "\"cpu\": ?$cpu,.*$read_denied.*$who"
    done
    # 14 of each 15 ways, all but what is locked: that is a write, too, or one alone.
    at_least 'records of reads' "$(records memory_denied "$read_denied")" 80
    on_both not_written_nor_executed
    under_core 0
    under_core 1
    clean
    remove closed
    on_both all_ways 0 all
}

logged() { records memory_logged "\"rule\": ?\"look\".*\"access\": ?\"$1"; }

# Each command is a process of its own: that takes longer than a page which was read stays open.
reading_logged() {
    t fill $page
    policy look "$(rule look log '"read"')"
    for cpu in 0 1; do
        for way in $FEW $LOCKED; do
            on $cpu load $page 1 "$way"
            wrong "way $way on CPU $cpu" "$(cut -d' ' -f2- "$ANSWER")" '0 all'
        done
    done
    at_least 'records of reads' "$(logged read)" 14
    remove look
}

# Writing and executing are no matter of the rule: nothing is on record but the reads.
writes_pass_where_reads_are_logged() {
    policy look "$(rule look log '"read"')"
    faults 0 poke $((page + 64)) $VALUE
    on 1 poke $((page + 72)) $VALUE
    wrong 'fault of a write on CPU 1' "$(of fault)" 0
    faults 0 alias $((page + 80)) $VALUE
    before=$(logged read)
    for at in 64 72 80; do
        wrong "what is at $at" "$(ask value peek $((page + at)))" $VALUE
    done
    t execute $((page + 96))
    wrong 'writing code' "$(of write_fault)" 0
    wrong 'running it' "$(of fault)" 0
    at_least 'records of reads' "$(logged read)" $((before + 3))
    wrong 'records of anything else' "$(logged '(write|execute)')" 0
    clean
    remove look
}

# A page that is open because a read was logged is not open to what comes right behind it.
written_after_a_read() {
    one_way $page 0 0
    wrong "the read on CPU $from" "$fault $came" '0 all'
    one_way $page 0 $LOCKED
    wrong "the locked write behind it on CPU $from" "$fault $came" "$GP nothing"
    one_way $page 1 0
    echo "poke $page $VALUE" >/proc/hv_test && read -r _ fault </proc/hv_test
    wrong "fault of the write behind a read on CPU $from" "$fault" $GP
}
reads_logged_writes_denied() {
    t fill $page
    policy both "$(rule look log '"read"'), $(rule keep deny '"write"')"
    on_both written_after_a_read
    recorded memory_logged '"rule": ?"look".*"access": ?"read'
    recorded memory_denied '"rule": ?"keep".*"access": ?"[^"]*write'
    remove both
    on_both all_ways 0 all
}

# hv.ko reads it as everybody does, and expects that it may not.
closed_page_has_no_sum() {
    policy sums '{"name": "page", "kind": "hash", '"$RANGE"', "action": "log"}'
    hvctl policy verify sums >/dev/null 2>/tmp/err || cat /tmp/err
    close_page
    refused 1 "Linux cannot read its page $(printf 0x%x $page)" hvctl policy verify sums
    sed 's/"sums"/"more"/' /tmp/sums.json >/tmp/more.json
    refused 1 "Linux cannot read its page $(printf 0x%x $page)" hvctl policy apply /tmp/more.json
    recorded memory_denied '"rule": ?"closed".*"symbol": ?"[^"]*\[hv\]"'
    wrong policies "$(policies)" 'closed sums '
    remove closed
    hvctl policy verify sums >/dev/null 2>/tmp/err || cat /tmp/err
    remove sums
}

bad() { # PATTERN RULE
    printf '{"version": 1, "name": "bad", "rules": [%s]}\n' "$2" >/tmp/bad.json
    refused 1 "$1" hvctl policy apply /tmp/bad.json
}
closing_for_reads_alone_is_refused() {
    for access in '"read"' '"read", "write"' '"read", "execute"'; do
        bad 'closed to reading' "$(rule r deny "$access")"
    done
    bad except "$(rule r deny "$CLOSED" ', "except": [{"symbol": "memcpy"}]')"
    for who in user supervisor; do
        bad 'mode-based execute' "$(rule r deny "\"execute-$who\"")"
    done
    # The core does not take it either, whoever hands it over: read, with write, with execute.
    for access in 1 3 5; do
        hvnl set 3,3,$access,$page,$((page + 4095)),0 >/tmp/out && echo "$access was taken; "
        grep -q '^error 22: ' /tmp/out || cat /tmp/out
    done
    wrong policies "$(policies)" ''
    faults 0 peek $page
}

check reads_work_without_a_rule
check reading_denied
check reading_logged
check writes_pass_where_reads_are_logged
check reads_logged_writes_denied
check closed_page_has_no_sum
check closing_for_reads_alone_is_refused
# Linux warns, once, of what is no page fault where its copy_from_kernel_nofault() reads.
ALLOWED='arch/x86/mm/extable.c'
