# SPDX-License-Identifier: MIT
# summary: what a guest sees that is not its own: pages that were taken away while it ran on another
#   CPU, memory beyond its own, registers of Linux and of another guest, and the other way round
# rig: --test-build
# seconds: 600 3600
# weight: 40
# full: bochs it takes Bochs two minutes and more

load_test_module
modprobe hv_kvm
NODE=/dev/hvkvm
isolation() { kvm_isolation $NODE "$@" >/tmp/isolation || echo "kvm_isolation ended with $?; "; }
found() { sed -n "s/^$1 //p" /tmp/isolation; }

taken_pages_are_gone() {
    rounds=$(full 60 10000)
    isolation remap "$rounds"
    wrong rounds "$(found rounds)" "$rounds"
    wrong leaks "$(found leaks)" 0
}

memory_beyond_is_the_clients() {
    isolation scan
    wrong 'words that neither guest nor client had' "$(found foreign)" 0
    wrong 'reads that reached the client' "$(found asked)" 16376
}

# guests_keep registers|wide: a reason unless both guests and their clients keep what is theirs.
guests_keep() {
    rounds=$(full 50 3000)
    isolation "$1" "$rounds"
    for guest in 0 1; do
        wrong "guest $guest" "$(found "guest $guest")" \
            "rounds $rounds start 0 guest 0 client 0 exits 0"
    done
}

# In the host, processes on each CPU hold values of their own meanwhile.
registers_are_each_ones_own() {
    planted 2 >/tmp/planted &
    guests_keep registers
    wait $!
    wrong 'CPUs that kept what was planted' "$(grep -c kept /tmp/planted)" "$(nproc)"
}
wide_registers_are_each_ones_own() {
    grep -qw avx /proc/cpuinfo || { skip 'the emulated CPU has no AVX'; return; }
    guests_keep wide
}
linux_is_as_it_was() { same_state /tmp/before; }

t snapshot
cp "$ANSWER" /tmp/before
check memory_beyond_is_the_clients
check registers_are_each_ones_own
check wide_registers_are_each_ones_own
check taken_pages_are_gone
check linux_is_as_it_was
