#!/bin/sh
# SPDX-License-Identifier: MIT
# Before the command: the module, the daemon, the hoist. What this prints is shown if it fails.
log=/var/log/hv/hvd.log
mkdir -p /run/hv /var/log/hv
modprobe hv || exit
hvd >"$log" 2>&1 &
rig-agent wait /run/hv/hvd.sock 20 || { cat "$log"; exit 1; }
hvctl start || { status=$?; cat "$log"; exit $status; }
