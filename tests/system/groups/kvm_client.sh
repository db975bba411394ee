# SPDX-License-Identifier: MIT
# summary: guests of 16, 32 and 64 bits on the node and, unhoisted, on the machine's own KVM: the
#   same transcript
# rig: --cpus 1
# seconds: 180 180
# weight: 40

CASES='ports modes msrs cr8 page_fault64 interrupts spin touch large_page bad_input'

transcript_of() { timeout 120 kvm_client "$1" >"$2" 2>&1 || echo "kvm_client ended with $?; "; }
# The lines of a case.
part() { sed -n "/^== $1\$/,/^== /p" "$2" | sed '1d;/^== /d'; }

kvm_client_on_node() {
    modprobe hv_kvm || echo 'no hv_kvm; '
    transcript_of /dev/hvkvm /tmp/node
    for each in $CASES; do
        at_least "lines of $each" "$(part "$each" /tmp/node | wc -l)" 1
    done
    remark "$(grep -c '^== ' /tmp/node) cases, $(wc -l </tmp/node) lines"
}

kvm_client_hoist_ends() {
    rmmod hv_kvm || echo 'hv_kvm stays; '
    [ ! -e /dev/hvkvm ] || echo '/dev/hvkvm stays; '
    hvctl stop >/dev/null || echo 'hvctl stop failed; '
    kill_hvd
    rmmod hv || echo 'hv stays; '
}

kvm_client_as_real_kvm() {
    modprobe $RIVAL || echo "no $RIVAL; "
    transcript_of /dev/kvm /tmp/real
    at_least 'cases of the real KVM' "$(grep -c '^== ' /tmp/real)" "$(grep -c '^== ' /tmp/node)"
    for each in $(sed -n 's/^== //p' /tmp/real); do
        part "$each" /tmp/real >/tmp/real.part
        part "$each" /tmp/node >/tmp/node.part
        diff /tmp/real.part /tmp/node.part >/tmp/diff || echo "$each: $(cat /tmp/diff); "
    done
}

check kvm_client_on_node
check kvm_client_hoist_ends
check kvm_client_as_real_kvm
