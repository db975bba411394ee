// SPDX-License-Identifier: MIT
#pragma once
// What SVM adds to a fake CPU.
#include "arch/descriptor.hpp"
#include "base/address.hpp"
#include "svm/vmcb.hpp"
#include <atomic>

namespace fake {

/// What a #VMEXIT reports. APM 2 15.6 "#VMEXIT".
struct svm_exit {
    std::uint64_t code{};
    std::uint64_t info_1{}, info_2{};
    std::uint64_t event{};     // EXITINTINFO
    std::uint64_t length{};    // of the instruction that exits, 0: none does
};

/// What VMRUN saves and #VMEXIT loads. APM 2 15.5.1 "Basic Operation".
struct svm_host {
    std::uint64_t cr0{}, cr3{}, cr4{}, efer{}, pat{};
    std::uint16_t es{}, cs{}, ss{}, ds{};
    hv::table_register gdtr{}, idtr{};
};

struct svm_state {
    bool gif{true};
    std::atomic<bool> nmi{}, init{};    // wait to be taken
    hv::svm::vmcb* block{};             // of the last VMRUN
    // What VMSAVE and VMLOAD move beside MSRs; the bases of FS and GS are MSRs.
    hv::svm::vmcb_segment fs{}, gs{}, ldtr{}, tr{};
    svm_host host;
    bool refuses_svme{};             // EFER.SVME does not stay set
    bool ignores_redirect{};         // VM_CR.R_INIT does not stay set
    std::uint64_t flushes{};         // entries that dropped all translations
    bool interrupt_comes_first{};    // a physical one, before the guest takes its virtual one
};

}    // namespace fake
