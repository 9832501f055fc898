"""What S3 is asked for, which is billed, and waited for, by the request: counted where botocore sends it."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from botocore.httpsession import URLLib3Session

from .conftest import PRODUCTS, Lake, MakeLake

MONTH = [str(date(2023, 7, 1) + timedelta(days=number)) for number in range(31)]


class Requests:
    """Those that were sent to S3, by what they do with which kind of object."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: Counter[str] = Counter()
        send = URLLib3Session.send

        def counted(session: URLLib3Session, request: Any) -> Any:
            if "X-Amz-Target" not in request.headers:
                self.sent[self._kind(request.method, request.url)] += 1
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
