# SPDX-License-Identifier: MIT
# summary: the core's frames: read and written by a module, by kcore and mem, under a storm of rules
# rig: --test-build
# seconds: 800 3600
# weight: 100

load_test_module
sample=$(cat /t/sh/core_sample.txt)
MAILBOX_PAGES=16 # the only frames of the core that Linux may write
RING_PAGES=10    # hold something that Linux may read: of two CPUs, and the zero page none
PAGE=4096
deny_write() { echo "3,3,2,$1,$2,0"; }

# Sweeps all of RAM: the frames that refuse writes must be all that the core has, but the mailbox.
sweep_finds_all() {
    t sweep
    hvnl audit >/tmp/audit
    wrong 'frames that refuse' "$(of refused)" $(($(audited core_frames) - MAILBOX_PAGES))
    wrong 'odd faults' "$(of other)" 0
}

frames_found() {
    sweep_finds_all
    remark "$(of refused) of $(audited core_frames) frames, $(of pages) pages of RAM"
}

frames_hold_nothing() {
    t read
    wrong readable "$(of readable)" "$(of frames)"
    at_most 'frames that hold something' "$(grep -c '^holds' "$ANSWER")" $RING_PAGES
}

core_code_nowhere() {
    remark "copies of the core's code in RAM: $found, of hv.ko and its file"
    at_least 'copies of the sample' "$found" 1
    at_most 'copies of the sample' "$found" 4
}

writes_change_nothing() {
    t write
    while read -r way refused let_through; do
        wrong "$way writes let through" "$let_through" 0
        at_least "$way writes refused" "$refused" 100
    done <"$ANSWER"
    frames_hold_nothing
    clean
}

write_records() { recorded core_write '"address": ?"0x'; }

execute_refused() {
    t execute "$first"
    wrong fault "$(of fault)" $GP
    wrong write_fault "$(of write_fault)" $GP
    RECORDS_LINES=20 recorded core_execute
}

alias_refused() { faults $GP alias "$first" 1; }

ram_readers_see_nothing() {
    ram_readers "$(full 16 1)" </tmp/frames >/tmp/readers
    remark "$(cat /tmp/readers)"
    grep -v '^all' /tmp/readers | while read -r name _ pages _ readable _ zero _ _ _ written; do
        wrong "$name: pages written" "$written" 0
        at_most "$name: pages that hold something" $((readable - zero)) $RING_PAGES
        at_least "$name: pages" "$pages" 100
    done
    grep -q '^all bytes [1-9]' /tmp/readers || cat /tmp/readers
}

# Rules must not become a way to change the rights of a core frame.
rules_on_core_refused() {
    last=$((first + PAGE - 1))
    while read -r from to; do
        hvnl set "$(deny_write $(($from)) $(($to)))" >/tmp/out && echo "$from..$to was taken; "
        grep -q '^error 22: ' /tmp/out || cat /tmp/out
    done <<RANGES
        first last
        first-PAGE last
        first-PAGE last+PAGE
        0 (1<<30)-1
        0 (1<<52)-1
        first first+1
        first+1 last
        last first
        first -1
        1<<52 (1<<52)+4095
        -4096 -1
RANGES
    hvnl set "$(deny_write $((first + (1 << 40))) $((last + (1 << 40))))" >/dev/null
    hvnl set
    clean
}

random_changes() {
    hvnl random "$(often 100 400)" 100 20250101 $blocks >/tmp/random
    wrong 'status of random' $? 0
    hvnl set
    remark "$(head -n 3 /tmp/random)"
    at_least changes "$(sed -n 's/^changes //p' /tmp/random)" $((9000 * TIMES))
    grep '^error\|^finding [1-9]' /tmp/random
}

after_random_changes() {
    sweep_finds_all
    writes_change_nothing
}

withdrawn_page() {
    rounds=$(full 300 10000)
    withdraw "$rounds" >/tmp/withdraw
    wrong 'status of withdraw' $? 0
    remark "$(cat /tmp/withdraw)"
    wrong leaks "$(sed -n 's/^leaks //p' /tmp/withdraw)" 0
    at_least faults "$(sed -n 's/^faults //p' /tmp/withdraw)" "$rounds"
}

# The other CPU turns the end of a rule in the mailbox into one behind a frame of the core, or its
# beginning into one before it, while the core reads it.
double_fetch() {
    block=$(($(echo "$blocks" | head -n 1)))
    if [ $block -lt $((first)) ]; then
        t scribble 1 24 $((block + PAGE - 1)) $((first + PAGE - 1))
    else
        t scribble 1 16 $block $((first))
    fi
    taken=0
    for _ in $(seq "$(often 60 2000)"); do
        hvnl set "$(deny_write $block $((block + PAGE - 1)))" >/dev/null && taken=$((taken + 1))
    done
    t rest
    remark "$taken taken, the word was changed $(of writes) times"
    hvnl set
    sweep_finds_all
    clean
}

# What was the core's is Linux's again, and empty of it.
unhoisted_frames_are_free() {
    hvctl stop >/dev/null
    t sweep
    wrong 'frames that refuse' "$(of refused)" 0
    at_most 'copies of the sample' "$(ask found find $sample)" "$found"
}

check frames_found
t frames
cp "$ANSWER" /tmp/frames
first=$(sed -n '1s/run \(0x[0-9a-f]*\) .*/\1/p' /tmp/frames)
found=$(ask found find $sample)
check frames_hold_nothing $TIMES
check core_code_nowhere
check writes_change_nothing $TIMES
check write_records
check execute_refused $TIMES
check alias_refused $TIMES
check ram_readers_see_nothing
check rules_on_core_refused $TIMES
t own 16
blocks=$(sed -n 's/^block //p' "$ANSWER")
check random_changes
check after_random_changes
check withdrawn_page
check double_fetch
t disown
check unhoisted_frames_are_free
