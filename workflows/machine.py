"""A lifecycle as one table: what may happen next, by whom, unless what, and what follows.

`decide` answers the server and `offers` answers the page, from the same rows. A table that could strand a case, or
leave two rows to choose from, is refused when it is built, so it cannot be deployed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Generic, TypeVar

from auth.actor import Actor, ActorKind
from auth.roles import Role
from workflows.text import Text

S = TypeVar("S", bound=StrEnum)  # states
A = TypeVar("A", bound=StrEnum)  # acts
E = TypeVar("E", bound=StrEnum)  # effects
F = TypeVar("F")  # facts: all a guard may look at

Body = Mapping[str, object]  # what came with the act


@dataclass(frozen=True)
class Refusal:
    """Why an act cannot be done now: a stable code, words in both languages, and the rules that stand behind it."""

    code: str
    text: Text
    rules: tuple[str, ...] = ()

    def of(self, *rules: str, **arguments: object) -> Refusal:
        """This refusal with the places of its text filled; `rules`, when given, replace the declared ones."""
        return replace(self, text=self.text.filled(arguments), rules=rules or self.rules)


class Refused(Exception):
    """The act does not fit the state, the actor or the facts now (409)."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.code}: {refusal.text.en}")
        self.refusal = refusal
        self.told: dict[str, Text] = {}  # what the rules behind it said in this case, by id, where the caller knows


class Forbidden(Exception):
    """No role of the actor can ever do this act, whatever the case (403)."""

    def __init__(self, act: str) -> None:
        super().__init__(act)
        self.act = act
        self.text = FORBIDDEN


class BrokenTable(ValueError):
    """The table of a machine contradicts itself. Raised when it is built, never while serving."""


FORBIDDEN: Final = Text("您的角色不能办理此项操作。", "Your role can never do this.")
NOT_FROM_HERE = Refusal(
    "not_from_here", Text("“{state}”状态下不能{act}。", "“{act}” is not possible in the state “{state}”.")
)
NOT_YOURS = Refusal("not_yours", Text("只有{who}可以办理。", "Reserved to {who}."))
FIELD_MISSING = Refusal("field_missing", Text("请填写 {field}。", "{field} is required."))


@dataclass(frozen=True)
class Party(Generic[F]):
    """Who may act: `roles` says who ever could, `includes` whether this actor does in this case."""

    name: str
    text: Text
    includes: Callable[[F, Actor], bool]
    roles: frozenset[Role] = frozenset()
    kind: ActorKind = ActorKind.ACCOUNT

    def ever(self, actor: Actor) -> bool:
        return actor.kind is self.kind and (not self.roles or not self.roles.isdisjoint(actor.roles()))

    def names(self) -> frozenset[str]:
        """The roles, or the kind of actor where no role is asked for."""
        return frozenset(self.roles) or frozenset({self.kind})


@dataclass(frozen=True)
class Same:
    """The act leaves the state as it is."""


SAME: Final = Same()


@dataclass(frozen=True)
class Choice(Generic[S, E, F]):
    """A target that the facts pick. Each declared target carries the effects that only this way brings."""

    name: str
    text: Text
    pick: Callable[[F], S]
    targets: Mapping[S, tuple[E, ...]]


@dataclass(frozen=True)
class Transition(Generic[S, A, E, F]):
    """One row: `act` leads from any of `sources` to `to`, when done by one of `by` and no guard objects.

    `guards` look at the facts and the actor, so that a page can ask them beforehand; `checks` look at what came with
    the act. `body` names the fields that must come with it, `reason` asks for reasons of the catalogue. With `fresh`
    the rules have to be run again before the guards are asked.
    """

    act: A
    sources: AbstractSet[S]
    to: S | Same | Choice[S, E, F]
    by: tuple[Party[F], ...]
    guards: tuple[Callable[[F, Actor], Refusal | None], ...] = ()
    effects: tuple[E, ...] = ()
    checks: tuple[Callable[[F, Body], Refusal | None], ...] = ()
    body: tuple[str, ...] = ()
    reason: bool = False
    fresh: bool = False

    def targets(self, source: S) -> frozenset[S]:
        """Every state this row can lead to from `source`."""
        match self.to:
            case Same():
                return frozenset({source})
            case Choice(targets=targets):
                return frozenset(targets)
            case state:
                return frozenset({state})

    def required(self) -> tuple[str, ...]:
        return (*self.body, "reasons") if self.reason else self.body

    def objection(self, facts: F, actor: Actor) -> Refusal | None:
        """The first guard that objects."""
        return next((refusal for guard in self.guards if (refusal := guard(facts, actor))), None)

    def misfit(self, facts: F, body: Body) -> Refusal | None:
        """What is wrong with the body."""
        for name in self.required():
            if not body.get(name):
                return FIELD_MISSING.of(field=name)
        return next((refusal for check in self.checks if (refusal := check(facts, body))), None)


@dataclass(frozen=True)
class Move(Generic[S, A, E, F]):
    """A decided act: the state it leads to and the effects to run, in order."""

    transition: Transition[S, A, E, F]
    to: S
    effects: tuple[E, ...]


@dataclass(frozen=True)
class Offer(Generic[A]):
    act: A
    allowed: bool
    why_not: Text | None


@dataclass(frozen=True)
class Machine(Generic[S, A, E, F]):
    """A lifecycle. `states` and `acts` give the names shown; a state or act without one is refused."""

    name: str
    initial: S
    final: frozenset[S]
    effects: type[E]
    states: Mapping[S, Text]
    acts: Mapping[A, Text]
    table: tuple[Transition[S, A, E, F], ...]

    def __post_init__(self) -> None:
        faults = [*_row_faults(self), *_path_faults(self)]
        if faults:
            raise BrokenTable(f"{self.name}: {'; '.join(faults)}")

    def rows(self, state: S, act: A) -> tuple[Transition[S, A, E, F], ...]:
        return tuple(row for row in self.table if row.act is act and state in row.sources)

    def decide(self, state: S, act: A, actor: Actor, facts: F, body: Body) -> Move[S, A, E, F]:
        """The move that `act` makes now. Raises `Forbidden` or `Refused`; changes nothing."""
        if not any(party.ever(actor) for row in self.table if row.act is act for party in row.by):
            raise Forbidden(act)
        rows = self.rows(state, act)
        if not rows:
            raise Refused(NOT_FROM_HERE.of(state=self.states[state], act=self.acts[act]))
        row = _row_of(rows, actor, facts)
        if row is None:
            raise Refused(_reserved(rows))
        if refusal := row.objection(facts, actor) or row.misfit(facts, body):
            raise Refused(refusal)
        return self._move(row, state, facts)

    def offers(self, state: S, actor: Actor, facts: F) -> list[Offer[A]]:
        """The acts that somebody with the actor's roles could do from here, each with the reason why not now."""
        offered: list[Offer[A]] = []
        for act in self.acts:
            rows = self.rows(state, act)
            if any(party.ever(actor) for row in rows for party in row.by):
                row = _row_of(rows, actor, facts)
                refusal = row.objection(facts, actor) if row else _reserved(rows)
                offered.append(Offer(act, refusal is None, refusal.text if refusal else None))
        return offered

    def _move(self, row: Transition[S, A, E, F], state: S, facts: F) -> Move[S, A, E, F]:
        match row.to:
            case Same():
                return Move(row, state, row.effects)
            case Choice() as choice:
                to = choice.pick(facts)
                return Move(row, to, row.effects + choice.targets[to])
            case to:
                return Move(row, to, row.effects)


def _row_of(rows: tuple[Transition[S, A, E, F], ...], actor: Actor, facts: F) -> Transition[S, A, E, F] | None:
    for row in rows:
        if any(party.ever(actor) and party.includes(facts, actor) for party in row.by):
            return row
    return None


def _reserved(rows: tuple[Transition[S, A, E, F], ...]) -> Refusal:
    parties = dict.fromkeys(party.text for row in rows for party in row.by)
    zh, en = "、".join(text.zh for text in parties), " or ".join(text.en for text in parties)
    return NOT_YOURS.of(who=Text(zh, en))


def _row_faults(machine: Machine[S, A, E, F]) -> list[str]:
    faults: list[str] = []
    taken: set[tuple[S, A, str]] = set()  # by kind of actor and role: whoever fits two rows would have two answers
    for row in machine.table:
        if not row.sources or not row.by:
            faults.append(f"{row.act} has no source or nobody to do it")
        if row.act not in machine.acts:
            faults.append(f"the act {row.act} has no name")
        brought = (row.effects, *(row.to.targets.values() if isinstance(row.to, Choice) else ()))
        faults += [
            f"{row.act} has the unknown effect {effect}"
            for effects in brought
            for effect in effects
            if not isinstance(effect, machine.effects)
        ]
        keys = {(source, row.act, name) for source in row.sources for party in row.by for name in party.names()}
        faults += [f"two rows for {' '.join(key)}" for key in sorted(keys & taken)]
        taken |= keys
    used = {row.act for row in machine.table}
    return faults + [f"the act {act} has no row" for act in machine.acts if act not in used]


def _path_faults(machine: Machine[S, A, E, F]) -> list[str]:
    ways: dict[S, set[S]] = {}
    for row in machine.table:
        for source in row.sources:
            ways.setdefault(source, set()).update(row.targets(source))
    known = {machine.initial, *machine.final, *ways, *(to for targets in ways.values() for to in targets)}
    reached, ending = _closure({machine.initial}, ways), set(machine.final)
    while more := {state for state in known - ending if ways.get(state, set()) & ending}:
        ending |= more
    return [
        *(f"the state {state} has no name" for state in sorted(known - set(machine.states))),
        *(f"a way out of the final state {state}" for state in sorted(machine.final & set(ways))),
        *(f"no way from {state} to an end" for state in sorted(known - ending)),
        *(f"nothing reaches {state}" for state in sorted(known - reached)),
    ]


def _closure(start: set[S], ways: Mapping[S, set[S]]) -> set[S]:
    reached, edge = set(start), set(start)
    while edge:
        edge = {to for state in edge for to in ways.get(state, ())} - reached
        reached |= edge
    return reached
