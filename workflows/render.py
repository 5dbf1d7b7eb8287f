"""A machine as a page: a Mermaid diagram and a table, both from its rows and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TypeVar

from workflows.machine import Choice, Machine, Same, Transition

S = TypeVar("S", bound=StrEnum)
A = TypeVar("A", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)
F = TypeVar("F")


def mermaid(machine: Machine[S, A, E, F]) -> str:
    """A Mermaid state diagram. Acts that leave the state as it is are in the table only."""
    edges: dict[tuple[S, S], list[str]] = {}
    for row in machine.table:
        for source in _ordered(machine, row.sources):
            for target in _ordered(machine, row.targets(source) - {source}):
                acts = edges.setdefault((source, target), [])
                if row.act not in acts:
                    acts.append(row.act)
    lines = ["stateDiagram-v2", f"    [*] --> {machine.initial}"]
    lines += [f"    {source} --> {target}: {', '.join(acts)}" for (source, target), acts in edges.items()]
    lines += [f"    {state} --> [*]" for state in _ordered(machine, machine.final)]
    return "\n".join(lines)


def markdown(machine: Machine[S, A, E, F]) -> str:
    """The states, the diagram and one line for each row."""
    known = _ordered(machine, {machine.initial, *machine.final, *(s for row in machine.table for s in row.sources)})
    return "\n".join(
        [
            "| state | 状态 | in English |",
            "|---|---|---|",
            *(f"| {state} | {machine.states[state].zh} | {machine.states[state].en} |" for state in known),
            "",
            "```mermaid",
            mermaid(machine),
            "```",
            "",
            "| act | 操作 | from | to | by | only if | with | then |",
            "|---|---|---|---|---|---|---|---|",
            *(_line(machine, row) for row in machine.table),
        ]
    )


def _line(machine: Machine[S, A, E, F], row: Transition[S, A, E, F]) -> str:
    name = machine.acts[row.act]
    cells = (
        f"`{row.act}` {name.en}",
        name.zh,
        ", ".join(_ordered(machine, row.sources)),
        _target(machine, row),
        "<br>".join(f"{party.text.zh} / {party.text.en}" for party in row.by),
        _words(row),
        ", ".join(f"`{field}`" for field in row.required()),
        ", ".join(row.effects),
    )
    return f"| {' | '.join(cell or '–' for cell in cells)} |"


def _target(machine: Machine[S, A, E, F], row: Transition[S, A, E, F]) -> str:
    match row.to:
        case Same():
            return "same"
        case Choice() as choice:
            ways = (
                f"{state} ({', '.join(choice.targets[state])})" if choice.targets[state] else str(state)
                for state in _ordered(machine, choice.targets)
            )
            return f"{' or '.join(ways)}: {choice.text.zh} / {choice.text.en}"
        case state:
            return str(state)


def _words(row: Transition[S, A, E, F]) -> str:
    """A guard is named as the sentence it is."""
    words = [str(getattr(guard, "__name__", guard)).replace("_", " ") for guard in (*row.guards, *row.checks)]
    return ", ".join(["the rules have run again", *words] if row.fresh else words)


def _ordered(machine: Machine[S, A, E, F], states: Iterable[S]) -> list[S]:
    order = list(machine.states)
    return sorted(states, key=order.index)
