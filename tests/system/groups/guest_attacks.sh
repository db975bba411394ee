# SPDX-License-Identifier: MIT
# summary: hostile guests: a million steps (--full) with MSRs, ports, control registers,
#   hypercalls and what else there is, at random; guests that never come back, one on each CPU
# rig: --test-build
# seconds: 400 3600
# weight: 40

load_test_module
modprobe hv_kvm
NODE=/dev/hvkvm
# QEMU ends itself over a watch on the stack that exceptions are delivered on, and has no #AC.
[ "$BACKEND" = vmx ] || export DR7=0xffff
ENDLESS='interrupts_off interrupts_off_again no_loop_end triple_fault_again fault_storm'
[ "$BACKEND" = svm ] || ENDLESS="$ENDLESS alignment debug"
# The random numbers: with --full others in each run; the seed is in the table, and can be given
# again.
SEED=${SEED:-$(full 225605 $(($(date +%s) % 1000000 + 1)))}
said() { sed -n "s/^$1 //p" /tmp/random; }

# STEPS [irqchip]
random_steps() {
    kvm_random $NODE "$1" "$SEED" $2 >/tmp/random || echo "kvm_random ended with $?; "
    remark "seed $SEED, $(said restarts) restarts"
    wrong steps "$(said steps)" "$1"
    # It may well find itself an endless loop, from which a signal fetches it.
    at_most 'times that it went nowhere' "$(said stuck)" $(($1 / 2000))
    wrong 'runs that were refused' "$(said refused)" 0
    at_most restarts "$(said restarts)" $(($1 / 16))
    at_least '#GP' "$(said vector_13)" $(($1 / 8))
    at_least '#UD' "$(said vector_6)" $(($1 / 16))
    at_least 'ports that reached the client' "$(said exit_2)" $(($1 / 20))
    grep '^kind_' /tmp/random | while read -r kind times; do
        at_least "$kind" "$times" $(($1 / 40))
    done
}
random_guest() { random_steps "$(full 24000 600000)"; }
random_guest_with_irqchip() { random_steps "$(full 16000 400000)" irqchip; }

linux_is_as_it_was() { same_state /tmp/before; }
no_entry_failed() {
    wrong 'failed entries' "$(exits entry_failed_guest_state)" 0
    wrong parked "$(status 'cpus\..\.parked' | sort -u)" false
}

# How far Linux comes beside it on each CPU, in a third of the time or so.
endless_guests() {
    ms=$(by_backend 200 1000)
    kvm_endless $NODE "$ms" $ENDLESS >/tmp/endless || echo "kvm_endless ended with $?; "
    wrong guests "$(wc -l </tmp/endless)" "$((2 * $(echo "$ENDLESS" | wc -w)))"
    while read -r name cpu _ counted _ woken _ runs _ signals _ shutdowns _ others; do
        at_least "$name on CPU $cpu: what another process counted" "$counted" 100000
        at_least "$name on CPU $cpu: times that another was woken" "$woken" 10
        at_least "$name on CPU $cpu: runs" "$runs" 1
        wrong "$name on CPU $cpu: other ends" "$others" 0
        case $name in
        triple_fault_again) at_least "$name on CPU $cpu: shutdowns" "$shutdowns" 3 ;;
        *) wrong "$name on CPU $cpu: runs that a signal ended" "$signals" 1 ;;
        esac
    done </tmp/endless
}

lost_guests_end() {
    kvm_client $NODE triple_fault run_from_device >/tmp/lost
    grep -qx shutdown /tmp/lost || echo 'no shutdown; '
    grep -qx 'internal error 1' /tmp/lost || echo 'no emulation failure; '
}

t snapshot
cp "$ANSWER" /tmp/before
check random_guest
check random_guest_with_irqchip
check linux_is_as_it_was
check endless_guests
check lost_guests_end
check no_entry_failed
