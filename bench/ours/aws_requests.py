"""The requests that are sent to AWS, counted where botocore sends them.

As a program it runs a command of star-assets, and prints how many requests it sent.

python -m bench.ours.aws_requests COMMAND…      (such as `run`)
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

# What a request to S3 is billed as: writes cost twelve times as much as reads.
WRITE, READ, DELETE, GLUE = "PUT", "GET", "DELETE", "Glue"
KINDS = {"PUT": WRITE, "POST": WRITE, "GET": READ, "HEAD": READ, "DELETE": DELETE}


class Requests:
    """Counts from when it is made on: PUTs, GETs (HEADs and listings among them), DELETEs, and all of Glue's."""

    def __init__(self) -> None:
        from botocore.httpsession import URLLib3Session

        # Threads append; adding up is for one of them.
        self._kinds, send = list[str](), URLLib3Session.send

        def counted(session: URLLib3Session, request: Any) -> Any:
            self._kinds.append(GLUE if "X-Amz-Target" in request.headers else KINDS[request.method])
            return send(session, request)

        URLLib3Session.send = counted

    def counts(self) -> Counter[str]:
        """How many of each kind so far."""
        return Counter(self._kinds)

    def of(self, work: Callable[[], object]) -> int:
        """How many a piece of work takes."""
        before = len(self._kinds)
        work()
        return len(self._kinds) - before


def main() -> None:
    from star_assets.cli import main as star_assets

    requests = Requests()
    if code := star_assets(sys.argv[1:], standalone_mode=False):
        sys.exit(code)
    print(json.dumps(requests.counts()))


if __name__ == "__main__":
    main()
