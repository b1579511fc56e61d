"""Five hundred breaches at once, from readings to the mailbox."""

import time

from resilience_assets.actions.deliver import deliver_pending
from resilience_assets.actions.evaluate_alerts import evaluate_alerts
from resilience_assets.actions.watch import threshold_watch
from resilience_assets.policy import load_policies
from resilience_assets.storage import ledger
from resilience_assets_tests.actions.alert_days import QUARTER, Day
from resilience_assets_tests.delivery.peers import mail_server, receiver
from resilience_assets_tests.delivery.rows import QUICK, SetClock, channels, rows, states

OVERLAY = """
telling:
  recipients:
    - {id: chief, channel: email, address: chief@example.org}
    - {id: ops, channel: webhook, url_variable: OPS_URL}
  routes:
    - {id: all, to: [chief, ops], severity: info}
"""


def test_five_hundred_breaches_are_at_most_one_notice_a_group_and_reader(database):
    policies = load_policies(OVERLAY)
    day = Day(database, policies)
    names = [f"s{number}" for number in range(50)]
    for program in range(10):
        day.reading(f"p{program}", [(name, 1.0) for name in names])
    evaluate_alerts(database, policies, day.now)
    for _ in range(3):  # as many in a row as a rule wants
        day.now += QUARTER
        for program in range(10):
            day.reading(f"p{program}", [(name, 0.2) for name in names])
    found = evaluate_alerts(database, policies, day.now)
    assert found.transitions["opened"] >= 500
    written = rows(database)
    groups = {(row.program_id, row.rule) for row in found.open}
    assert len(written) <= len(groups) * 2, "at most one notice a group and reader"
    clock = SetClock(day.now)
    runs = 0
    with mail_server() as box, receiver() as web:
        start = time.monotonic()
        # what threshold_sensor does: a run while something is pending or due
        while (watch := threshold_watch(database, policies, clock.now)).pending or watch.due:
            deliver_pending(database, clock.now, channels(box, web), clock, pace=QUICK)
            runs += 1
            assert runs <= 2
        took = time.monotonic() - start
    print(f"{found.transitions['opened']} breaches, {len(groups)} groups: {len(written)} notices to 2 readers, {runs} run, {took:.1f} s")
    assert (len(box.mails) + len(web.got), states(database)) == (len(written), {"sent": len(written)})
    assert took <= 60
    assert ledger.breaches(database) == {}
