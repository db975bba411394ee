# SPDX-License-Identifier: MIT
# What `make run` shows, as root inside the emulated machine.
lstar=0xc0000082 # the address at which system calls enter the kernel
failed=0

say() { printf '\n== %s\n' "$*"; }
show() {
    printf '# %s\n' "$*"
    "$@"
}
expect() { # STATUS COMMAND…
    wanted=$1
    shift
    printf '# %s\n' "$*"
    "$@"
    got=$?
    if [ "$got" -ne "$wanted" ]; then
        echo "demo: expected status $wanted, got $got" >&2
        failed=1
    fi
}

say "A stock Debian kernel, not hoisted: its root owns the machine"
show uname -sr
modprobe msr
entry=$(msr $lstar)
echo "system calls enter at $entry; root may write that register:"
expect 0 msr $lstar "$entry"

say "Hoist it: the running kernel goes under the core on every CPU"
modprobe hv
hvd --config /etc/hv/hvd.json >/var/log/hvd.out 2>&1 &
hvd=$!
rig-agent wait /run/hv/hvd.sock 60
expect 0 hvctl start
expect 0 hvctl status --audit

say "A policy: the entry of system calls stays where it is"
expect 0 hvctl policy apply /usr/share/hv/policies/kernel-entry.json
expect 0 hvctl policy list
echo "root tries to have them enter 16 bytes further on:"
expect 1 msr $lstar "$(printf 0x%x $((entry + 16)))"
echo "and it is on record:"
expect 0 hvctl logs

say "Unhoist it: Linux gets every CPU back"
expect 0 hvctl policy remove kernel-entry
expect 0 hvctl stop
expect 0 hvctl status
expect 0 msr $lstar "$entry"
kill $hvd
wait $hvd
modprobe -r hv

[ $failed = 0 ] && say "Done: hoisted, kept, recorded, unhoisted"
exit $failed
