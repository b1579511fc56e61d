"""What the sensors ask: short answers, and nothing changed by asking."""

import os

from resilience_assets.actions.deliver import deliver_pending, pending
from resilience_assets.actions.evaluate_alerts import evaluate_alerts
from resilience_assets.actions.watch import drop_files, threshold_watch, unchecked_programs
from resilience_assets_tests.actions.building import NOW, POLICIES, check, load, program
from resilience_assets_tests.actions.test_check_health import ill
from resilience_assets_tests.storage.dumping import dump


def test_the_watch_says_how_it_stands_beside_its_limit(database):
    assert threshold_watch(database, POLICIES).sentence == "nothing measured yet; 0 notices pending, 0 incidents open"
    for code in ("a", "b"):
        load(database, program(code), code)
    ill(database)
    check(database)
    evaluate_alerts(database, POLICIES)
    watch = threshold_watch(database, POLICIES)
    assert watch.sentence == "worst coverage 0.88 (a), warns below 0.95; 2 notices pending, 3 incidents open"
    assert [(row.rule, row.scope_key, row.program) for row in watch.pending] == [("coverage", "", "a"), ("tier_1_seats", "", "a")]
    before = dump(database)
    threshold_watch(database, POLICIES)
    unchecked_programs(database)
    assert dump(database) == before


def test_delivering_empties_what_is_pending_and_counts_it(database):
    load(database, program("a"), "a")
    ill(database)
    check(database)
    evaluate_alerts(database, POLICIES)
    done = deliver_pending(database, NOW)
    assert (done.pending, done.written, done.by_severity) == (2, 2, {"warning": 1, "critical": 1})
    assert pending(database) == []
    assert deliver_pending(database, NOW).written == 0


def test_files_of_the_drop_folder_with_what_changes_while_they_are_written(tmp_path):
    assert drop_files(tmp_path / "nowhere") == []
    folder = tmp_path / "fm"
    for name in ("done", "refused", ".hidden", "set"):
        (folder / name).mkdir(parents=True)
    (folder / "set" / "people.csv").write_text("person")
    for name in ("b.xlsx", "a.zip", "mapping.yaml", "~$b.xlsx", ".part"):
        (folder / name).write_text("x")
    (folder / "link.zip").symlink_to(folder / "a.zip")
    (tmp_path / "loose.csv").write_text("x")
    for order, name in enumerate(("b.xlsx", "set/people.csv", "a.zip")):
        os.utime(folder / name, (1000 + order, 1000 + order))
    found = drop_files(tmp_path)
    assert [(file.key, file.program) for file in found] == [("fm/b.xlsx", "fm"), ("fm/set", "fm"), ("fm/a.zip", "fm")]
    (folder / "a.zip").write_text("xy")
    assert drop_files(tmp_path)[-1].look != found[-1].look
    assert drop_files(tmp_path)[0].look == found[0].look
