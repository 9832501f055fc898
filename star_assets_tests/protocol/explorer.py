"""Explores every order in which the steps of a few processes can happen, breadth first, with faults between them.

A process is a generator: it yields a request, is sent the reply, and returns the call that it goes on with, or None
once it has ended. Each request is one atomic step on the shared store; between two steps any other process may run.
The faults: a process dies; it dies and is started again; a swap is done but its reply is lost; the reply is lost and
the swap arrives at any later moment. Not here: what the processes do (operations), what must hold (invariants).
"""

from __future__ import annotations

from collections import deque, namedtuple
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Call = tuple[Any, ...]  # the name of an operation, and its arguments
Steps = Generator[Any, Any, Call | None]

OK, CONFLICT, NO_REPLY = "ok", "conflict", "no reply"
WIRE, IDS = "(wire)", "(ids)"  # keys of the store that are the explorer's own: swaps under way, the last id given out


# The requests of a process, each one atomic step.
Get = namedtuple("Get", "key")  # the value of a key; None if there is none
List = namedtuple("List", "prefix")  # the keys that begin so
Put = namedtuple("Put", "key value")  # set a key, whatever its value is
Swap = namedtuple("Swap", "key expected value")  # set it if its value is still `expected`; OK, CONFLICT or NO_REPLY
Write = namedtuple("Write", "prefix content")  # a file under a new id, greater than all before; the id
Delete = namedtuple("Delete", "keys")  # remove those keys that exist
Running = namedtuple("Running", "")  # the processes of a brief operation that have begun and not ended
Await = namedtuple("Await", "running")  # wait until these have ended: so much time has passed
Fail = namedtuple("Fail", "invariant")  # the process saw what nobody may see


class Process:
    """A process between two steps: the replies it had so far, and its next request.

    A generator cannot be copied, so a step further is a new generator that is sent the same replies.
    """

    __slots__ = ("after", "call", "number", "replies", "request")

    def __init__(self, call: Call, number: int, replies: tuple[Any, ...], request: Any) -> None:
        self.call, self.number, self.replies, self.request = call, number, replies, request
        self.after: dict[Any, Process | None] = {}  # by reply


class Outcome(NamedTuple):
    """One way a request can go: the reply, the number of the store after it, what it broke, the faults it took."""

    reply: Any
    store: int
    broken: str | None = None
    faults: int = 0


class State(NamedTuple):
    """Everything that decides what can happen next. `attended`: whoever began something is there to finish it."""

    store: int
    processes: tuple[Process | None, ...]
    faults: int
    attended: bool


class Explored(NamedTuple):
    """How many states there are; if an invariant broke, which, and the shortest trace to it."""

    states: int
    broken: str | None = None
    trace: tuple[str, ...] = ()


class Rules(NamedTuple):
    """What must hold. Each function returns the invariant that is broken, or None.

    `swap` is asked of each change of a key, `state` of each state, `end` of each state in which all have ended.
    """

    swap: Callable[[Mapping[str, Any], str, Any, Any, Call], str | None]
    state: Callable[[Mapping[str, Any]], str | None]
    end: Callable[[Mapping[str, Any]], str | None]


class Explorer:
    """Explores what `operations` can do; `brief` are the names of those that `Await` waits for.

    Stores and processes are kept once each, so that a state is a few small references. What a process's request can
    lead to depends on the store alone, and is worked out once for each pair of them.
    """

    def __init__(self, operations: object, rules: Rules, brief: Sequence[str]) -> None:
        self.operations, self.rules, self.brief = operations, rules, brief
        self.stores: list[Mapping[str, Any]] = []
        self.numbers: dict[frozenset[tuple[str, Any]], int] = {}
        self.begun: dict[tuple[Call, int], Process | None] = {}
        self.known: dict[tuple[int, Process], Sequence[Outcome]] = {}
        self.verdicts: dict[tuple[int, bool], str | None] = {}

    def explore(
        self, store: Mapping[str, Any], calls: Sequence[Call], faults: int, had: tuple[Any, ...] = ()
    ) -> Explored:
        """Visit every state, until an invariant breaks or none is left. The first process `had` some replies before."""
        processes = (self.run(calls[0], 0, had), *(self.begin(call, 0) for call in calls[1:]))
        start = State(self.stored(store), processes, faults, True)
        came_from: dict[State, State | None] = {start: None}
        waiting = deque([start])
        while waiting:
            state = waiting.popleft()
            for event, after, broken in self.successors(state, calls):
                if broken := broken or self.broken(after):
                    return Explored(len(came_from), broken, (*self.trace(state, came_from, calls), told(event)))
                if after not in came_from:
                    came_from[after] = state
                    waiting.append(after)
        return Explored(len(came_from))

    def successors(self, state: State, calls: Sequence[Call]) -> Iterator[tuple[Call, State, str | None]]:
        """Everything that can happen next: the event, the state after it, the invariant that it broke."""
        number, processes, faults, attended = state
        wire = self.stores[number].get(WIRE, ())
        for slot, process in enumerate(processes):
            if process is None:
                continue
            before, later = processes[:slot], processes[slot + 1 :]
            for outcome in self.outcomes(number, process, processes):
                if outcome.faults <= faults:
                    following = (*before, self.step(process, outcome.reply), *later)
                    after = State(outcome.store, following, faults - outcome.faults, attended)
                    yield (slot, process.call[0], process.request, outcome.reply), after, outcome.broken
            if faults and process.replies and process.call[0] != "query":
                yield (slot, process.call[0], "dies"), State(number, (*before, None, *later), faults - 1, False), None
                # Nobody follows up what the first left on the wire.
                again = (*before, self.begin(calls[slot], process.number + 1), *later)
                after = State(number, again, faults - 1, attended and not wire)
                yield (slot, process.call[0], "dies and is started again"), after, None
        for message in wire:
            left = self.changed(number, {WIRE: tuple(other for other in wire if other != message)})
            swap, call = message
            done = self.swapped(left, swap, call)
            yield (
                ("-", call[0], swap, f"{done.reply}, late"),
                State(done.store, processes, faults, attended),
                done.broken,
            )

    def outcomes(self, store: int, process: Process, processes: Sequence[Process | None]) -> Sequence[Outcome]:
        """Each way that a process's request can go; none while it has to wait."""
        match process.request:
            case Running():
                brief = [(i, p) for i, p in enumerate(processes) if p and p.replies and p.call[0] in self.brief]
                return [Outcome(tuple((i, p.number) for i, p in brief), store)]
            case Await(running):
                waits = any((i, p.number) in running for i, p in enumerate(processes) if p)
                return [] if waits else [Outcome(None, store)]
        if (store, process) not in self.known:
            self.known[store, process] = list(self.replies(store, process.request, process.call))
        return self.known[store, process]

    def replies(self, store: int, request: Any, call: Call) -> Iterator[Outcome]:
        """The same for a request that concerns the store alone."""
        content = self.stores[store]
        match request:
            case Get(key):
                yield Outcome(content.get(key), store)
            case List(prefix):
                yield Outcome(tuple(sorted(key for key in content if key.startswith(prefix))), store)
            case Put(key, value):
                broken = self.rules.swap(content, key, content.get(key), value, call)
                yield Outcome(None, self.changed(store, {key: value}), broken)
            case Write(prefix, written):
                id = content[IDS] + 1
                yield Outcome(id, self.changed(store, {IDS: id, f"{prefix}{id}": written}))
            case Delete(keys):
                yield Outcome(None, self.changed(store, dict.fromkeys(keys)))
            case Fail(invariant):
                yield Outcome(None, store, invariant)
            case Swap():
                yield (done := self.swapped(store, request, call))
                if done.reply == OK:
                    yield done._replace(reply=NO_REPLY, faults=1)
                    wire = (*content.get(WIRE, ()), (request, call))
                    yield Outcome(NO_REPLY, self.changed(store, {WIRE: wire}), faults=1)

    def swapped(self, store: int, swap: Swap, call: Call) -> Outcome:
        """A compare-and-swap. Equal content has an equal ETag."""
        content = self.stores[store]
        if content.get(swap.key) != swap.expected:
            return Outcome(CONFLICT, store)
        broken = self.rules.swap(content, swap.key, swap.expected, swap.value, call)
        return Outcome(OK, self.changed(store, {swap.key: swap.value}), broken)

    def changed(self, store: int, changes: Mapping[str, Any]) -> int:
        return self.stored({**self.stores[store], **changes})

    def stored(self, content: Mapping[str, Any]) -> int:
        """The number of a store; a key without a value is left out."""
        content = {key: value for key, value in content.items() if value not in (None, ())}
        number = self.numbers.setdefault(frozenset(content.items()), len(self.stores))
        if number == len(self.stores):
            self.stores.append(content)
        return number

    def begin(self, call: Call, number: int) -> Process | None:
        """A process before its first step; `number` tells it from those that ran in its place before."""
        if (call, number) not in self.begun:
            self.begun[call, number] = self.run(call, number, ())
        return self.begun[call, number]

    def step(self, process: Process, reply: Any) -> Process | None:
        """The process once it has had this reply, or what it goes on with; None if it has ended."""
        if reply not in process.after:
            process.after[reply] = self.run(process.call, process.number, (*process.replies, reply))
        return process.after[reply]

    def run(self, call: Call, number: int, replies: tuple[Any, ...]) -> Process | None:
        steps: Steps = getattr(self.operations, call[0])(*call[1:])
        try:
            request = next(steps)
            for reply in replies:
                request = steps.send(reply)
        except StopIteration as end:
            return None if end.value is None else self.begin(end.value, number + 1)
        return Process(call, number, replies, request)

    def broken(self, state: State) -> str | None:
        """The invariant that a state breaks. It depends on the store, and on whether all have ended their work."""
        at_end = state.attended and not any(state.processes)
        if (state.store, at_end) not in self.verdicts:
            content = self.stores[state.store]
            self.verdicts[state.store, at_end] = self.rules.state(content) or (
                self.rules.end(content) if at_end else None
            )
        return self.verdicts[state.store, at_end]

    def trace(self, state: State, came_from: Mapping[State, State | None], calls: Sequence[Call]) -> list[str]:
        """What happened up to a state, a line for each step."""
        lines: list[str] = []
        while (before := came_from[state]) is not None:
            lines.insert(0, next(told(event) for event, after, _ in self.successors(before, calls) if after == state))
            state = before
        return lines


def told(event: Call) -> str:
    """An event as a line: which process, its operation, its request, and the reply."""
    slot, operation, request, *reply = event
    if isinstance(request, str):
        return f"{slot}  {operation:20} {request}"
    words = " ".join(str(part) for part in request)
    answer = f" -> {reply[0]}" if reply and reply[0] is not None else ""
    return f"{slot}  {operation:20} {type(request).__name__} {words}{answer}"
