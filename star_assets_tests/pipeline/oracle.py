"""The oracle: every table by plain SQL over all raw rows that are live, as if it had never been built before.

It shares no code with the pipeline, and no idea of exports that fold, indexes,
partitions or intervals: a full recompute each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import duckdb

# The raw rows of each source: first the day (of events, the hour) of their export, then their columns.
TABLES = {
    "orders": "export TEXT, order_id INT, sold TEXT, status TEXT, version TIMESTAMP, op TEXT",
    "order_items": "export TEXT, line_id INT, order_id INT, product_id INT, quantity INT, cents INT, "
    "version TIMESTAMP, op TEXT",
    "tills": "export TEXT, event_id TEXT, order_id INT, sold TEXT, product_id INT, quantity INT, cents INT",
    "products": "export TEXT, product_id INT, name TEXT, category TEXT, brand TEXT, version TIMESTAMP, op TEXT",
    "brands": "export TEXT, brand TEXT, country TEXT, version TIMESTAMP",
}

HEADERS = """
    SELECT * FROM orders QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY version DESC NULLS LAST,
        export DESC, op = 'D' DESC, op DESC, sold DESC NULLS LAST, status DESC NULLS LAST) = 1
"""

# Columns count in order of their raw names: op, order_id, product_id, quantity, unit_price.
LINES = {
    "complete": """
        SELECT * FROM order_items SEMI JOIN header USING (order_id, export)
        QUALIFY row_number() OVER (PARTITION BY order_id, line_id
            ORDER BY product_id DESC NULLS LAST, quantity DESC, cents DESC) = 1
    """,
    "changed": """
        FROM (FROM order_items QUALIFY row_number() OVER (PARTITION BY line_id ORDER BY version DESC NULLS LAST,
            export DESC, op = 'D' DESC, op DESC, order_id DESC, product_id DESC NULLS LAST, quantity DESC,
            cents DESC) = 1) WHERE op <> 'D'
    """,
}

# For each sale, its product's category as of then; of a product that was described later only, the first one.
SALES = """
    WITH header AS ({headers}), line AS ({lines}),
    sale AS (
        SELECT sold, sold::TIMESTAMP + INTERVAL 12 HOUR AS moment, order_id || '-' || line_id AS sale_id,
               coalesce(product_id, -1) AS product_id, quantity,
               (quantity * cents / 100)::DECIMAL(18,4)::VARCHAR AS revenue
        FROM line JOIN header USING (order_id)
        WHERE header.op <> 'D' AND status IS DISTINCT FROM 'cancelled'
        UNION ALL
        SELECT sold, sold::TIMESTAMP + INTERVAL 12 HOUR, 'provisional:' || event_id, coalesce(product_id, -1), quantity,
               (quantity * cents / 100)::DECIMAL(18,4)::VARCHAR
        FROM (FROM tills QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY export DESC, order_id DESC,
            product_id DESC NULLS LAST, quantity DESC, sold DESC, cents DESC) = 1)
        WHERE order_id NOT IN (SELECT order_id FROM orders)
    )
    SELECT sold, sale_id, product_id, quantity, revenue, ({category}) FROM sale ORDER BY sold, sale_id
"""

CATEGORY = """
    SELECT coalesce(first(CASE WHEN op <> 'D' THEN category END ORDER BY {order}), 'Unknown')
    FROM (SELECT *, coalesce(version, export::TIMESTAMP) AS since FROM products) AS said
    WHERE said.product_id = {of}.product_id AND (since <= {of}.moment OR since = (
        SELECT min(coalesce(version, export::TIMESTAMP)) FROM products AS every
        WHERE every.product_id = {of}.product_id
        HAVING min(coalesce(version, export::TIMESTAMP)) > {of}.moment))
"""

# Raw names again: brand, category, op, product_name; a tombstone before all of them.
PRODUCT_ORDER = (
    "version DESC NULLS LAST, export DESC, op = 'D' DESC, brand DESC NULLS LAST, category DESC, op DESC, name DESC"
)

MEMBERS = f"""
    WITH product AS (
        FROM products QUALIFY row_number() OVER (PARTITION BY product_id ORDER BY {PRODUCT_ORDER}) = 1
    ), brand AS (
        FROM brands QUALIFY row_number() OVER (PARTITION BY brand ORDER BY version DESC NULLS LAST, export DESC,
            country DESC) = 1
    ), listed AS (SELECT product_id, max(export) AS export FROM products GROUP BY ALL),
    described AS (
        SELECT product_id, name, category, brand, country,
               CASE WHEN {{snapshots}} AND listed.export < (SELECT max(export) FROM products)
                   THEN 'vanished' ELSE 'described' END AS kind
        FROM product LEFT JOIN brand USING (brand) JOIN listed USING (product_id) WHERE op <> 'D'
    ), used AS (SELECT DISTINCT product_id FROM order_items WHERE product_id IS NOT NULL
        UNION SELECT product_id FROM tills WHERE product_id IS NOT NULL UNION SELECT -1)
    FROM described
    UNION ALL SELECT product_id, 'Unknown', 'Unknown', 'Unknown', 'Unknown',
        CASE product_id WHEN -1 THEN 'unknown' ELSE 'inferred' END
    FROM used ANTI JOIN described USING (product_id)
    ORDER BY 1
"""


class Oracle:
    """What every table should be, given the live raw rows of each source. `lines` is how lines are exported."""

    def __init__(self, rows: Mapping[str, Iterable[NamedTuple]], lines: str) -> None:
        self.lines = lines
        self.connection = duckdb.connect()
        for table, columns in TABLES.items():
            self.connection.execute(f"CREATE TABLE {table} ({columns})")
            found = [tuple(row) for row in rows[table]]
            if found:
                places = ", ".join("?" * len(found[0]))
                self.connection.executemany(f"INSERT INTO {table} VALUES ({places})", found)

    def sales(self) -> list[tuple[Any, ...]]:
        """(date, sale_id, product_id, quantity, revenue as text, category at the time) of every sale."""
        category = CATEGORY.format(order=PRODUCT_ORDER, of="sale")
        return self._rows(SALES.format(headers=HEADERS, lines=LINES[self.lines], category=category))

    def members(self) -> list[tuple[Any, ...]]:
        """(product_id, name, category, brand, country, kind) of every member."""
        return self._rows(MEMBERS.format(snapshots=self.lines == "complete"))

    def categories(self, probes: Sequence[tuple[int, Any]]) -> list[str]:
        """The category of each (product, moment)."""
        self.connection.execute("CREATE OR REPLACE TABLE probe (number INT, product_id INT, moment TIMESTAMP)")
        numbered = [(number, *probe) for number, probe in enumerate(probes)]
        self.connection.executemany("INSERT INTO probe VALUES (?, ?, ?)", numbered)
        category = CATEGORY.format(order=PRODUCT_ORDER, of="probe")
        return [found for (found,) in self._rows(f"SELECT ({category}) FROM probe ORDER BY number")]

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()
