// SPDX-License-Identifier: MIT
#pragma once

namespace hv::vmm {

enum class phase : bool {
    loading,    // files are open: what is in them may be read, the VM be made, threads be started
    running     // the VM runs: nothing can be opened, made or started any more
};

/// From here on this process can do no more than the phase needs; a call that is not foreseen ends
/// it. Errors: failure.
void confine(phase to);

}
