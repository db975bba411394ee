# SPDX-License-Identifier: MIT
"""The table at the end: a line for each test, a column for each backend."""

import report
from group import BACKENDS

COLUMN = 14


def cell(result):
    return f"{result.state} {result.seconds:8.1f}"


def notes(results):
    """What the machines said; once where both said the same."""
    said = {BACKENDS[r.machine]: r.note for r in results if r.note}
    if len(said) > 1 and len(set(said.values())) == 1:
        return next(iter(said.values()))
    return "; ".join(f"{backend}: {note}" if len(results) > 1 else note
                     for backend, note in said.items())


def names(wanted, results):
    """In the order of the groups; at the end what no group announced."""
    known = [name for group in wanted for name in group.tests]
    return list(dict.fromkeys(known + [r.name for r in results]))


def show(wanted, machines, results, seconds):
    """Prints it; the number of failures."""
    found = {(r.name, r.machine): r for r in results}
    rows = names(wanted, results)
    width = max(map(len, rows), default=4)
    heads = [f"{BACKENDS[machine]} on {machine}" for machine in machines]
    print("\n" + "  ".join([f"{'test':{width}}", *(f"{head:{COLUMN}}" for head in heads), "note"]))
    for name in rows:
        mine = [found[name, machine] for machine in machines if (name, machine) in found]
        cells = [cell(found[name, machine]) if (name, machine) in found else "not announced"
                 for machine in machines]
        print("  ".join([f"{name:{width}}", *(f"{text:{COLUMN}}" for text in cells),
                         notes(mine)]).rstrip())
    count = {state: sum(r.state == state for r in results) for state in report.STATES}
    print(f"system: {count['pass']} passed, {count['fail']} failed, {count['skip']} skipped "
          f"in {seconds:.0f} s", flush=True)
    return count["fail"]
