"""Packaging: what star_assets needs, with upper bounds on major versions.

Dagster's bound is narrower: its event log is extended here, and partitioned
checks are not yet among what it promises to keep.
"""

from setuptools import find_packages, setup

# What computing takes, in Dagster's process as in a job of Glue's.
COMPUTING = [
    "duckdb>=2,<3",
    "ibis-framework[duckdb]>=12,<13",
    "pandas>=2.2,<3",
    "pyarrow>=18,<27",
    "pydantic>=2.10,<3",
    "sqlglot>=30,<31",
]
AWS = ["boto3>=1.36,<2", "dagster-aws>=0.29,<0.30", "pyathena>=4,<5"]
# What a job of Glue's installs (star_assets/aws/job_modules.py).
JOB = [*COMPUTING, "dagster-pipes>=1.13,<1.14"]
# Each release of it wants one of Dagster.
POWERBI = ["dagster-powerbi>=0.29,<0.30"]
MOTO = ["moto[server]>=5.2,<6"]
POSTGRES = ["psycopg[binary]>=3.2,<4"]
# Dagster's history in PostgreSQL (compose.yaml).
HOST = ["dagster-postgres>=0.29,<0.30"]
SPARK = ["dagster-pyspark>=0.29,<0.30", "pyspark>=4.1,<4.2"]
TPCH = ["tpchgen-cli>=4,<5"]
TEST = [
    *AWS,
    *TPCH,
    # Exact: a new release brings new rules, and with them new findings.
    "cfn-lint==1.51.0",
    # Ibis 12 calls a function that DataFusion 52 and later have otherwise.
    "datafusion>=46,<52",
    "dagster-graphql>=1.13,<1.14",
    "hypothesis>=6.100,<7",
    "jsonschema>=4.23,<5",
    *HOST,
    *MOTO,
    "mypy>=1.15,<3",
    # It drives a Chromium that is installed otherwise.
    "playwright>=1.49,<2",
    *POSTGRES,
    *POWERBI,
    *SPARK,
    # pytest-xdist 3.8 keeps tests that share a server together by names that pytest 9 does not let it give.
    "pytest>=8,<9",
    "pytest-xdist>=3.6,<4",
    "ruff>=0.11,<1",
]

setup(
    name="star_assets",
    version="0.1.0",
    description="A star schema from OLTP exports: Dagster assets over Parquet, Glue and Athena.",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["star_assets", "star_assets.*"]),
    package_data={
        "star_assets": ["py.typed", "model/agreed.txt", "aws/*.yaml"],
        "star_assets.reports.dashboard": ["*.css", "*.js"],
    },
    install_requires=[
        *COMPUTING,
        "click>=8.1,<9",
        "dagster>=1.13,<1.14",
        "dagster-webserver>=1.13,<1.14",
        "rich>=13.9,<16",
    ],
    extras_require={
        "aws": AWS,
        "host": HOST,
        "job": JOB,
        "moto": MOTO,
        "postgres": POSTGRES,
        "powerbi": POWERBI,
        "spark": SPARK,
        "tpch": TPCH,
        "test": TEST,
    },
    entry_points={
        "console_scripts": ["star-assets=star_assets.cli:main"],
        "star_assets.storages": [
            "folder=star_assets.lake.local_storage:open_folder",
            "s3=star_assets.lake.s3_storage:open_s3",
        ],
        "star_assets.catalogs": [
            "folder=star_assets.lake.local_catalog:open_folder",
            "s3=star_assets.lake.glue_catalog:open_glue",
        ],
        "star_assets.databases": [
            "postgresql=star_assets.exports.pull.postgres:open_postgres",
            "postgres=star_assets.exports.pull.postgres:open_postgres",
            "cost-explorer=star_assets.costs.exporting:open_cost_explorer",
        ],
        "star_assets.formats": [
            "csv=star_assets.exports.formats.csv.format:CsvFormat",
            "json=star_assets.exports.formats.json.format:JsonFormat",
        ],
        "star_assets.engines": [
            "duckdb=star_assets.engines.duckdb.engine:DuckDBEngine",
            "spark=star_assets.engines.spark.engine:SparkEngine",
        ],
    },
)
