"""What S3 and Glue are asked for, which is billed, and waited for, by the request: counted where botocore sends it."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from botocore.httpsession import URLLib3Session

from star_assets.cli.building import build

from .conftest import PRODUCTS, Lake, MakeLake

MONTH = [str(date(2023, 7, 1) + timedelta(days=number)) for number in range(31)]


class Requests:
    """Those that were sent to S3, by what they do with which kind of object, and those to Glue, by their names."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: Counter[str] = Counter()
        send = URLLib3Session.send

        def counted(session: URLLib3Session, request: Any) -> Any:
            target = request.headers.get("X-Amz-Target")
            self.sent[target.decode() if target else self._kind(request.method, request.url)] += 1
            return send(session, request)

        monkeypatch.setattr(URLLib3Session, "send", counted)

    def _kind(self, method: str, url: str) -> str:
        if "list-type" in url:
            return "LIST"
        return f"{method} {'raw' if '/oltp/' in url else 'lake'}"


@pytest.fixture
def lake(make_aws_lake: MakeLake) -> Lake:
    """A month of a small source, exported to S3."""
    found = make_aws_lake()
    for number, day in enumerate(MONTH):
        found.write("products", day, {"products.csv": f"{PRODUCTS}\n{number},Chair,Home,Oak,1.00,{day} 08:00:00\n"})
    return found


def test_a_published_day_costs_two_puts_and_nothing_of_it_is_read_back(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file and a manifest: the ledger is one object of a month, and what was written is known."""
    requests = Requests(monkeypatch)
    assert {outcome.status for outcome in lake.refresh("products", *MONTH)} == {"published"}
    days = len(MONTH)
    assert requests.sent["PUT lake"] == 2 * days + 1, requests.sent
    assert requests.sent["GET raw"] == days, requests.sent
    assert requests.sent["LIST"] + requests.sent["GET lake"] + requests.sent["HEAD lake"] < days / 2, requests.sent


def test_a_run_with_nothing_to_do_lists_each_folder_once(
    make_aws_lake: MakeLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the run of most hours: it reads no object, and asks Glue for the tables of a database together."""
    lake = make_aws_lake()
    lake.export("orders", MONTH[0], f"1,7,1,{MONTH[0]} 10:00:00,placed,,")
    lake.export("order_items", MONTH[0], "1,1,5,2,1.00,")
    lake.export("products", MONTH[0], f"5,Chair,Home,Oak,1.00,{MONTH[0]} 08:00:00")
    build(lake.warehouse)
    requests = Requests(monkeypatch)
    build(lake.again().warehouse)
    tables, partitioned, sources, databases = len(lake.star.tables), 4, len(lake.star.sources), 3
    # Of products the state and the versions, of lines the products, of orders the key index and what it says of dates,
    # of sales what histories say of months and what was found of that.
    books = 7
    assert requests.sent == {
        "LIST": tables + books + sources + 1,
        "AWSGlue.GetTables": databases,
        "AWSGlue.GetPartitions": partitioned,
    }
