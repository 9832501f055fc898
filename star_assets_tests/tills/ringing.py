"""A till as a process of its own, to be killed: rings numbered events up, and sends them.

`python ringing.py FILE ADDRESS FIRST` prints each number when its event is on disk.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path
from threading import Event, Thread

from star_assets.tills import gateway


def main() -> None:
    import boto3

    gateway.PAUSE = 0.01
    file, address, first = sys.argv[1:]
    client = boto3.client("firehose", endpoint_url=address, region_name="us-east-1")
    till = gateway.Gateway(client, "shop-tills", Path(file))
    Thread(target=till.keep_sending, args=(Event(),), daemon=True).start()
    for number in count(int(first)):
        till.ring({"n": number})
        print(number, flush=True)


if __name__ == "__main__":
    main()
