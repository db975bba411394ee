#!/bin/sh
# SPDX-License-Identifier: MIT
# start.sh GROUP short|full vmx|svm: runs a group in the guest, then looks at what every group must
# leave.
PATH=$PATH:/t/bin
FULL=0
[ "$2" = full ] && FULL=1
BACKEND=$3
. /t/sh/lib.sh
. "/t/sh/$1.sh"
end_of_group "$1"
