# SPDX-License-Identifier: MIT
# summary: the core's frames: read and written by a module, by kcore and mem, under a storm of rules
# rig: --test-build
# seconds: 500 3600
# weight: 100
# tests: frames_found frames_hold_nothing writes_change_nothing write_records execute_refused
# execute_record
# tests: alias_refused ram_readers core_code_nowhere rules_on_core_refused random_changes
# tests: after_random_changes withdrawn_page double_fetch unhoisted_frames_are_free

load_test_module
sample=$(cat /t/sh/core_sample.txt)
mailbox_pages=16

# The frames that refuse writes must be all that the core has, but for the mailbox.
t sweep
refused=$(of refused)
other=$(of other)
hvnl audit >/tmp/audit
note frames_found "$refused of $(audited core_frames) frames, $(of pages) pages of RAM"
verdict frames_found \
    "$(wrong 'frames that refuse' "$refused" $(($(audited core_frames) - mailbox_pages))
    wrong 'odd faults' "$other" 0)"
t frames
cp "$ANSWER" /tmp/frames
first=$(sed -n '1s/run \(0x[0-9a-f]*\) .*/\1/p' /tmp/frames)

# All but the two CPUs' rings read as zeroes, and none holds the core's code.
reads() {
    t read
    wrong "readable" "$(of readable)" "$refused"
    held=$(grep -c '^holds' "$ANSWER")
    [ "$held" -le 10 ] || echo "$held frames hold something; "
}
verdict frames_hold_nothing "$(reads)"
found=$(ask found find $sample)
note core_code_nowhere "copies of the core's code in RAM: $found (in hv.ko's own file)"
verdict core_code_nowhere "$([ "$found" -ge 1 ] || echo 'a bad sample; '
    [ "$found" -le 4 ] || echo "$found copies")"

writes() {
    t write
    while read -r way refused_ways rest; do
        wrong "$way writes let through" "$rest" 0
        wrong "$way writes refused" "$refused_ways" "$refused"
    done <"$ANSWER"
    reads
}
verdict writes_change_nothing "$(writes)$(clean)"
verdict write_records "$([ "$(records core_write \
    "\"address\": ?\"0x")" -gt 0 ] || echo 'no record of a write')"
t execute "$first"
verdict execute_refused "$(wrong fault "$(of fault)" 13; wrong write_fault "$(of write_fault)" 13)"
verdict execute_record "$([ "$(RECORDS_LINES=20 records \
    core_execute)" -gt 0 ] || echo 'no record of a jump')"
verdict alias_refused "$(wrong fault "$(ask fault alias "$first" 1)" 13)"

ram_readers "$(full 16 1)" </tmp/frames >/tmp/readers
note ram_readers "$(tr '\n' ';' </tmp/readers)"
verdict ram_readers "$(while read -r name _ pages _ readable _ zero _ refused_reads _ written; do
    [ "$name" = all ] && continue
    wrong "$name: pages written" "$written" 0
    [ $((readable - zero)) -le 10 ] || echo \
        "$name: $((readable - zero)) of $pages pages hold something; "
done </tmp/readers
grep -q '^all bytes [0-9]' /tmp/readers || cat /tmp/readers)"

# Rules must not become a way to change the rights of a core frame.
deny_write() { echo "3,2,2,$1,$2,0"; }
page=4096
verdict rules_on_core_refused "$(
    last=$((first + page - 1))
    for range in "$((first)) $last" "$((first - page)) $last" "$((first - page)) $((last + page))" \
        "0 $((1 << 30))" \
        "0 $(((1 << 52) - 1))" "$((first)) $((first + 1))" "$((first + 1)) $last" \
            "$last $((first))" \
        "$((first)) -1" "$((1 << 52)) $(((1 << 52) + 4095))" "-4096 -1"; do
        hvnl set "$(deny_write $range)" >/tmp/out && echo "a rule on $range was taken; "
        grep -q '^error 22: ' /tmp/out || cat /tmp/out
    done
    hvnl set "$(deny_write $((first + (1 << 40))) $((first + (1 << 40) + page - 1)))" >/dev/null
    hvnl set >/dev/null
    clean)"

t own 16
blocks=$(sed -n 's/^block //p' "$ANSWER")
hvnl random "$(full 100 400)" 100 20250101 $blocks >/tmp/random
ended=$?
hvnl set
note random_changes "$(head -n 3 /tmp/random | tr '\n' ' ')"
verdict random_changes "$(wrong status $ended 0; [ $ended = 0 ] || cat /tmp/random
    [ "$(sed -n 's/^changes //p' /tmp/random)" -ge 9000 ] || cat /tmp/random)"
t sweep
verdict after_random_changes "$(wrong 'frames that refuse' "$(of \
    refused)" $(($(hvnl audit >/tmp/audit; audited core_frames) - mailbox_pages))
    refused=$(of refused); writes; clean)"

# With no rules left the blocks are ordinary memory again.
rounds=$(full 300 10000)
withdraw "$rounds" >/tmp/withdraw
ended=$?
note withdrawn_page "$(tr '\n' ' ' </tmp/withdraw)"
verdict withdrawn_page "$(wrong status $ended 0; [ $ended = 0 ] || cat /tmp/withdraw
    [ "$(sed -n 's/^faults //p' /tmp/withdraw)" -ge "$rounds" ] || echo \
        'the other CPU was not refused often enough')"

# The other CPU turns the first address of a rule in the mailbox into one below a core frame and
# back.
block=$(echo "$blocks" | head -n 1)
low=$(sed -n 's/run \(0x[0-9a-f]*\) .*/\1/p' /tmp/frames | while read -r at; do [ $((at)) -lt \
    $((block)) ] && echo "$at"; done | head -n 1)
if [ -n "$low" ]; then
    t scribble 1 16 "$((block))" "$((low))"
    taken=0
    for _ in $(seq "$(full 60 2000)"); do
        hvnl set "$(deny_write "$((block))" $((block + page - 1)))" >/dev/null && \
            taken=$((taken + 1))
    done
    t rest
    note double_fetch "$taken taken, the word was changed $(of writes) times"
    hvnl set
    t sweep
    verdict double_fetch "$(wrong 'frames that refuse' "$(of \
        refused)" $(($(hvnl audit >/tmp/audit; audited core_frames) - mailbox_pages))
        clean)"
else
    skip double_fetch "no block lies above a frame of the core"
fi
t disown

# What was the core's is Linux's again, and empty of it.
hvctl stop >/dev/null
t sweep
verdict unhoisted_frames_are_free "$(wrong 'frames that refuse' "$(of refused)" 0
    now=$(ask found find $sample); [ "$now" -le "$found" ] || echo \
        "$now copies of the core's code, $found before")"
