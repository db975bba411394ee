# SPDX-License-Identifier: MIT
"""QEMU with a clock that counts instructions: the same run takes the same ticks."""

# Nothing that a run depends on comes from outside.
OPTIONS = ("-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off",
           "-rtc", "base=2026-01-01,clock=vm", "-seed", "1")
KERNEL_ARGUMENTS = ("nokaslr", "norandmaps")


def processors(count, model):
    """What makes `count` CPUs, none of which starves.

    A CPU runs until the next timer is due unless it halts or pauses before; QEMU 7.2 then gives
    the next one no time at all. A CPU that Linux never starts, between each two, takes that turn.
    """
    name = model.split(",")[0]
    sockets = 2 * count - 1
    words = ["-smp", f"cpus=1,sockets={sockets},cores=1,threads=1,maxcpus={sockets}"]
    for number in range(1, count):
        for socket in (count + number - 1, number):
            words += ["-device",
                      f"{name}-x86_64-cpu,socket-id={socket},core-id=0,thread-id=0"]
    return words


def kernel_arguments(count):
    """Linux takes CPUs in the order of their APIC ids, the first `count` of them."""
    return (*KERNEL_ARGUMENTS, f"nr_cpus={count}")
