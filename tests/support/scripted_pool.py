"""A pool without processes: a random choice decides what happens next, and to which member."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from cluster.dispatcher import Assignment
from cluster.pool import Pool
from cluster.task import Outcome


@dataclass
class ScriptedMember:
    is_there: bool = False
    assignments: list[Assignment] = field(default_factory=list)


class ScriptedPool(Pool):
    """Its methods are `pass`, `raise`, `stumble` (raises once) and `kill` (kills its member).

    kills: how many members are killed from outside. No kill hits a task a second time while that
        task runs alone.
    """

    def __init__(self, size: int, depth: int, chance: Random, kills: int) -> None:
        super().__init__(size, depth)
        self.depth = depth
        self.chance = chance
        self.kills = kills
        self.members = [ScriptedMember() for _ in range(size)]
        self.stumbled: set[int] = set()
        self.suspected: set[int] = set()
        self.hit_alone: set[int] = set()
        self.deaths = 0
        self._start_members()

    def _start_member(self, member: int) -> None:
        self.members[member] = ScriptedMember()

    def _submit(self, assignment: Assignment) -> None:
        member = self.members[assignment.member]
        assert member.is_there
        assert len(member.assignments) < self.depth
        neighbours = {other.task.id for other in member.assignments}
        assert not neighbours & self.suspected, "nothing joins a suspect"
        assert not (neighbours and assignment.task.id in self.suspected), (
            "a suspect runs in isolation"
        )
        member.assignments.append(assignment)

    def _wait_for_event(self, timeout: float, /) -> Sequence[Outcome]:
        index = self.chance.randrange(self.size)
        member = self.members[index]
        if not member.is_there:
            member.is_there = True
            self._dispatcher.member_started(index)
            return ()
        if not member.assignments:
            return ()
        if self.kills and self._may_be_killed(member) and self.chance.random() < 0.2:
            self.kills -= 1
            return self._die(index)
        return self._end_one(index, member)

    def _end_one(self, index: int, member: ScriptedMember) -> Sequence[Outcome]:
        assignment = self.chance.choice(member.assignments)
        if assignment.task.method == "kill":
            return self._die(index)
        member.assignments.remove(assignment)
        self.suspected.discard(assignment.task.id)
        is_first = assignment.task.id not in self.stumbled
        self.stumbled.add(assignment.task.id)
        if assignment.task.method == "raise" or (assignment.task.method == "stumble" and is_first):
            return self._dispatcher.task_raised(assignment.ticket, KeyError(assignment.task.id))
        return self._dispatcher.task_returned(assignment.ticket, -assignment.task.id)

    def _may_be_killed(self, member: ScriptedMember) -> bool:
        if len(member.assignments) > 1:
            return True
        (assignment,) = member.assignments
        is_spared = assignment.task.id in self.hit_alone
        self.hit_alone.add(assignment.task.id)
        return not is_spared

    def _die(self, index: int) -> Sequence[Outcome]:
        self.deaths += 1
        self.suspected |= {assignment.task.id for assignment in self.members[index].assignments}
        return self._dispatcher.member_lost(index, "it was killed")

    def _close_members(self) -> None:
        """There are no objects."""

    def _free(self) -> None:
        self.members.clear()
