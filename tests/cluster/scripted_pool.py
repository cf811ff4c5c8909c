"""A pool whose members exist on paper: what happens next to whom is drawn by chance."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from cluster.dispatcher import Deal
from cluster.pool import Pool
from cluster.task import Outcome


@dataclass
class PaperMember:
    is_there: bool = False
    deals: list[Deal] = field(default_factory=list)


class ScriptedPool(Pool):
    """Methods: `pass`, `raise`, `stumble` (raises once), `kill` (its member).

    kills: from outside; none hits a task for the second time while that has nothing beside it.
    """

    def __init__(self, size: int, depth: int, chance: Random, kills: int) -> None:
        super().__init__(size, depth)
        self.depth = depth
        self.chance = chance
        self.kills = kills
        self.members = [PaperMember() for _ in range(size)]
        self.stumbled: set[int] = set()
        self.suspected: set[int] = set()
        self.hit_alone: set[int] = set()
        self.deaths = 0
        self._muster()

    def _start(self, member: int) -> None:
        self.members[member] = PaperMember()

    def _hand(self, deal: Deal) -> None:
        member = self.members[deal.member]
        assert member.is_there
        assert len(member.deals) < self.depth
        company = {other.task.id for other in member.deals}
        assert not company & self.suspected, "a suspect is left alone"
        assert not (company and deal.task.id in self.suspected), "a suspect is tried alone"
        member.deals.append(deal)

    def _attend(self, seconds: float, /) -> Sequence[Outcome]:
        index = self.chance.randrange(self.size)
        member = self.members[index]
        if not member.is_there:
            member.is_there = True
            self._dealer.welcome(index)
            return ()
        if not member.deals:
            return ()
        if self.kills and self._may_be_killed(member) and self.chance.random() < 0.2:
            self.kills -= 1
            return self._die(index)
        return self._end_one(index, member)

    def _end_one(self, index: int, member: PaperMember) -> Sequence[Outcome]:
        deal = self.chance.choice(member.deals)
        if deal.task.method == "kill":
            return self._die(index)
        member.deals.remove(deal)
        self.suspected.discard(deal.task.id)
        is_first = deal.task.id not in self.stumbled
        self.stumbled.add(deal.task.id)
        if deal.task.method == "raise" or (deal.task.method == "stumble" and is_first):
            return self._dealer.raised(deal.ticket, KeyError(deal.task.id))
        return self._dealer.returned(deal.ticket, -deal.task.id)

    def _may_be_killed(self, member: PaperMember) -> bool:
        if len(member.deals) > 1:
            return True
        (deal,) = member.deals
        is_spared = deal.task.id in self.hit_alone
        self.hit_alone.add(deal.task.id)
        return not is_spared

    def _die(self, index: int) -> Sequence[Outcome]:
        self.deaths += 1
        self.suspected |= {deal.task.id for deal in self.members[index].deals}
        return self._dealer.lost(index, "it was killed")

    def _part(self) -> None:
        """They are paper."""

    def _release(self) -> None:
        self.members.clear()
