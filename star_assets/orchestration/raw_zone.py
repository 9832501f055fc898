"""Which exports are whole, and which tables can be built from them for a day.

Schedules and sensors ask this, so that they start no run over half an export.
Not here: reading exports (exports).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from star_assets.exports.finding import days_and_strays, read_export, require_whole, strays_beside_sources
from star_assets.exports.pull.database import last_over
from star_assets.exports.pull.pulling import is_lacking
from star_assets.exports.strays import Stray
from star_assets.lake.storage import Storage
from star_assets.model import Fact, Source, Star
from star_assets.model.days import ExportDay
from star_assets.model.errors import BrokenFile, HalfExport

if TYPE_CHECKING:
    from star_assets.pipeline.warehouse import Warehouse


@dataclass(frozen=True)
class RawZone:
    """The export days of every source, as of one listing; `now` is in Unix seconds.

    `pulled_until` is the last day that can be pulled, "" where nothing is pulled.
    `strays` are the files in the raw zone that belong to no export.
    """

    star: Star
    storage: Storage
    now: float
    days: dict[str, list[ExportDay]]
    pulled_until: str
    today: str = ""
    strays: tuple[Stray, ...] = ()

    @classmethod
    def listed(cls, warehouse: Warehouse, now: float) -> RawZone:
        """List the folders of every source."""
        star, storage, settings = warehouse.star, warehouse.storage, warehouse.settings
        strays, days = strays_beside_sources(storage, star.sources), dict[str, list[ExportDay]]()
        for name, source in star.sources.items():
            days[name], others = days_and_strays(storage, source, settings.last_day)
            strays += others
        today = datetime.fromtimestamp(now, settings.zone).date().isoformat()
        return cls(star, storage, now, days, last_over(settings), today, tuple(strays))

    def is_whole(self, source: Source, day: ExportDay) -> bool:
        """Whether a run should stage the source's day: no more files of it are expected.

        A day without an export is whole once a later export has come, if the source
        declares that such a day had no rows; until then its export may be late. If the
        source declares such a day missing, the day waits, or fails once it is past. A
        day that can be pulled is whole in its database.
        """
        can_be_pulled = source.is_pulled and day <= self.pulled_until
        if day not in self.days[source.name]:
            if source.is_stream:
                return False
            if source.waits_for(day):
                return can_be_pulled or (source.absent == "fail" and day < self.today)
            return can_be_pulled or any(later > day for later in self.days[source.name])
        if source.is_stream:
            # Of a stream, what has come is staged; what cannot be read, the run of that day says.
            return True
        export = read_export(self.storage, source, day)
        try:
            require_whole(export, source, self.now)
        except HalfExport:
            return can_be_pulled and is_lacking(source, export)
        except BrokenFile:
            # The run of that day fails and names the broken file.
            return True
        return True

    def ready(self, day: str) -> list[str]:
        """The tables that can be built for the day; none if no source has a whole export of it.

        A source needs its own export. A dimension waits for no export: it includes those
        that have come. A fact needs its driving source and the parts of that source, or
        events of the day.
        """
        whole = {name for name, source in self.star.sources.items() if self.is_whole(source, ExportDay(day))}
        return [name for name in self.star.tables if self._is_ready(name, whole)] if whole else []

    def _is_ready(self, name: str, whole: Collection[str]) -> bool:
        table = self.star.table(name)
        if isinstance(table, Fact):
            stream = self.star.stream(table)
            if stream and stream.source.name in whole:
                return True
            needed = {self.star.driving_column(table).source.name, *(part.name for part in self.star.parts(table))}
            return needed <= set(whole)
        return name in whole if isinstance(table, Source) else True
