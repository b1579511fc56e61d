"""A dispatcher in a process of its own, to be killed: run as a program by tests and by the benchmark.

Arguments: database URL, mail port, HTTP port, lease in seconds, deadline in seconds, lifetime in seconds.
"""

from __future__ import annotations

import datetime as dt
import sys
import threading

from resilience_assets.delivery.channels import Channels
from resilience_assets.delivery.dispatcher import Dispatcher, Pace, run
from resilience_assets.delivery.email import MailServer
from resilience_assets.delivery.secret import Secret
from resilience_assets.delivery.webhook import Webhook
from resilience_assets.storage.database import Database

SECRET = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")


def main(url: str, mail: int, web: int, lease: float, seconds: float, lifetime: float) -> None:
    """Dispatch until killed, or until the lifetime is over."""
    hook = Webhook(Secret(f"http://127.0.0.1:{web}/ok"), (SECRET,), (f"127.0.0.1:{web}",))
    channels = Channels(MailServer("127.0.0.1", mail, "none", "resilience@example.org"), {"ops": hook})
    pace = Pace(lease=lease, seconds=seconds, poll=0.05)
    stop = threading.Event()
    threading.Timer(lifetime, stop.set).start()
    print("up", flush=True)
    run(Dispatcher(Database(url), channels, lambda: dt.datetime.now(dt.UTC), pace), stop)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *(float(one) for one in sys.argv[4:7]))
