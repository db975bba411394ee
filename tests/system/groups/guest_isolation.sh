# SPDX-License-Identifier: MIT
# summary: what a guest sees that is not its own: pages that were taken away while it ran on another
#   CPU, memory beyond its own and of guests that were killed, registers of Linux and of another
#   guest, and the other way round; and what is left of a guest in what the core gives back
# rig: --test-build
# qemu: --cpu-model EPYC,+svm,+npt,+pku
# bochs: --kernel-arg clearcpuid=xsaves,xsavec
# seconds: 600 3600
# weight: 40
# full: bochs it takes Bochs two minutes and more

load_test_module
modprobe hv_kvm
NODE=/dev/hvkvm
isolation() { kvm_isolation $NODE "$@" >/tmp/isolation || echo "kvm_isolation ended with $?; "; }
found() { sed -n "s/^$1 //p" /tmp/isolation; }

taken_pages_are_gone() {
    rounds=$(full 60 2000)
    isolation remap "$rounds"
    wrong rounds "$(found rounds)" "$rounds"
    wrong leaks "$(found leaks)" 0
}

memory_beyond_is_the_clients() {
    isolation scan
    wrong 'words that neither guest nor client had' "$(found foreign)" 0
    wrong 'reads that reached the client' "$(found asked)" 4094
}

# Each guest that is killed has a page in each of 504 tables. Linux gives the core frames for them,
# and each time the core looks through all tables of guests: Bochs takes a minute for it.
memory_of_the_killed_is_gone() {
    rounds=$(full "$(by_backend 1 2)" "$(by_backend 3 30)")
    isolation freed "$rounds"
    wrong 'reads that reached the client' "$(found asked)" $((504 * rounds))
    wrong 'words of a killed guest' "$(found without)" 0
    wrong 'words in new memory' "$(found with)" 0
}

# guests_keep fxsave|xsave: a reason unless both guests and their clients keep what is theirs.
guests_keep() {
    rounds=$(full 48 3000)
    kvm_registers $NODE "$1" "$rounds" >/tmp/isolation 2>/tmp/differences ||
        echo "kvm_registers ended with $?: $(head -c 300 /tmp/differences)"
    remark "$(head -n 1 /tmp/isolation)"
    for guest in 0 1; do
        wrong "guest $guest" "$(found "guest $guest")" \
            "rounds $rounds start 0 guest 0 client 0 exits 0"
    done
}

# In the host, processes on each CPU hold values of their own meanwhile.
registers_are_each_ones_own() {
    planted 2 >/tmp/planted &
    guests_keep fxsave
    wait $!
    wrong 'CPUs that kept what was planted' "$(grep -c kept /tmp/planted)" "$(nproc)"
}
# YMM, ZMM and mask registers, XCR0, PKRU, as far as the CPU has them.
wide_registers_are_each_ones_own() { guests_keep xsave; }
# Linux leaves DR7.GE set after a breakpoint.
linux_is_as_it_was() {
    t snapshot
    sed 's/dr7 600/dr7 400/' "$ANSWER" | diff /tmp/before -
}

# What the guests' registers held is nowhere in the memory that Linux can read, once they and what
# the core had for them are gone: neither while Linux is hoisted nor afterwards.
KEY=0x9e3779b97f4a7c15 WORD=0xc2b2ae3d27d4eb4f
reserved() { status memory.reserved_bytes; }
copies() { ask found find $KEY $WORD; }
registers_of_the_killed_are_gone() {
    had=$(reserved)
    kvm_isolation $NODE secret $KEY $WORD >/tmp/secret &
    until grep -q held /tmp/secret; do usleep 10000; done
    at_least 'copies while the guests live' "$(copies)" 2
    at_least 'bytes that the core has then' "$(reserved)" $((had + 1))
    kill -9 $!
    wait $!
    wrong 'copies when they are gone' "$(copies)" 0
    wrong 'bytes that the core has' "$(reserved)" "$had"
}
core_gives_back_nothing_of_them() {
    rmmod hv_kvm
    hvctl stop >/dev/null || echo 'hvctl stop failed; '
    wrong 'copies when nothing is hoisted' "$(copies)" 0
}

t snapshot
cp "$ANSWER" /tmp/before
check memory_beyond_is_the_clients
check memory_of_the_killed_is_gone
check registers_are_each_ones_own
check wide_registers_are_each_ones_own
check taken_pages_are_gone
check linux_is_as_it_was
check registers_of_the_killed_are_gone
check core_gives_back_nothing_of_them
