"""Every number that the edge holds others to, in one place."""

import msgspec


class Bounds(msgspec.Struct, frozen=True):
    """Sizes are bytes or counts, times are seconds."""

    body_bytes: int = 256 * 1024
    body_seconds: float = 10.0
    fields: int = 200
    field_name_chars: int = 200
    field_value_chars: int = 100_000

    store_seconds: float = 2.0
    store_queue_rows: int = 5_000
    store_batch_rows: int = 500
    store_writers: int = 2
    store_crowd_rows: int = 64
    reconnect_seconds: float = 0.25

    spool_seconds: float = 2.0
    spool_hold_seconds: float = 0.3
    spool_bytes: int = 512 * 1024 * 1024
    spool_reserve_bytes: int = 4 * 1024 * 1024
    spool_queue_rows: int = 5_000
    spool_batch_rows: int = 500
    spool_batch_bytes: int = 1024 * 1024
    spool_ledger_days: int = 60
    report_seconds: float = 10.0
    adopt_seconds: float = 60.0

    cached_forms: int = 2_000
    lookup_seconds: float = 2.0

    streams: int = 1_000
    streams_per_agency: int = 250
    stream_queue_events: int = 64
    stream_bytes: int = 256 * 1024
    heartbeat_seconds: float = 20.0
    keys_reload_seconds: float = 5.0

    connections: int = 4_096
    header_seconds: float = 10.0
    shutdown_seconds: float = 6.0
    half_sent_seconds: float = 2.0


DEFAULT = Bounds()
