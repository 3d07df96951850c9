"""Disks are full: the database's, so that the spool takes what comes; and both, so that the visitor keeps the text.

Only where a small disk may be mounted (`conftest.py`).
"""

import pathlib

import httpx

from consult.machine import postgres_cluster
from edge.tests import rows
from edge.tests.database import Database
from edge.tests.program import PAGE, until
from tests.faults import cluster as own_cluster
from tests.faults import disk, ledger, load
from tests.faults.conftest import Launch, Scale, Steady
from tests.faults.proxy import Proxy

SPOOL_MEGABYTES = 2


def test_the_database_s_disk_is_full(
    cluster: postgres_cluster.Cluster, template: str, launch: Launch, scale: Scale
) -> None:
    with disk.small(own_cluster.folder(), 200) as small, own_cluster.running(cluster, small.folder) as server:
        office = server.office
        key = office.add_form()
        edge = launch(server.edge_url)
        with load.steady(edge.url, key=key, per_second=scale.per_second) as visitors:
            visitors.more(201, scale.many)
            small.fill()
            visitors.more(202, scale.many)
            small.free()
            visitors.more(201, scale.many)
            # Now so that not even the log has room: the server ends, and cannot come back before there is some.
            small.fill()
            server.switch_logs()
            until(lambda: not server.ready(), 30)
            visitors.more(202, scale.many)
            small.free()
            server.come_back()
            visitors.more(201, scale.many)
        assert not visitors.refused
        ledger.check(office, key, visitors)
        assert "DiskFullError" in [line.get("reason") for line in edge.lines]


def test_the_spool_s_disk_is_full_too(
    proxy: Proxy,
    office: Database,
    key: str,
    launch: Launch,
    steady: Steady,
    scale: Scale,
    tmp_path: pathlib.Path,
) -> None:
    with disk.small(tmp_path / "spool-disk", SPOOL_MEGABYTES) as small:
        edge = launch(proxy.url, CONSULT_SPOOL_DIR=str(small.folder / "spool"))
        with steady(edge.url) as visitors:
            visitors.more(201, scale.many)
            proxy.shut()
            visitors.more(202, scale.many)
            small.fill()
            visitors.more(503, scale.many, 60)

            page = httpx.post(f"{edge.url}/f/{key}", data=load.fields("Do not <lose> me"), headers=PAGE)
            assert page.status_code == 503
            assert int(page.headers["retry-after"]) > 0
            assert "Do not &lt;lose&gt; me" in page.text
            assert f'action="/f/{key}"' in page.text
            assert "mailto:hello@grind.example" in page.text

            ready = httpx.get(f"{edge.url}/ready/")
            assert (ready.status_code, ready.json()["status"]) == (503, "full")

            # What lies there leaves, although the disk is still full.
            proxy.open()
            visitors.more(201, scale.many)
            until(lambda: httpx.get(f"{edge.url}/ready/").json()["spooled"] == 0, 30)
            small.free()
            proxy.shut()
            visitors.more(202, scale.many)
            proxy.open()
            visitors.more(201, 10)
        assert visitors.refused
        ledger.check(office, key, visitors)
        # Who was told 503 was not stored behind their back: nothing of them is anywhere.
        assert not visitors.refused & {row["message"] for row in office.submissions(key)}
        assert len(rows.kept(office, key)) == len(visitors.receipts)
        edge.stop()
