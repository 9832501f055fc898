"""Every error that star_assets raises for a person to read, as a tree of exceptions.

    StarError
    ├── Permanent            the same input will fail again, until somebody acts
    │   ├── BadDeclaration       a Source, Dimension, Fact or Star contradicts itself
    │   ├── BadSetting           a STAR_… variable cannot be used
    │   ├── ColumnMissing        an export lacks a required column
    │   ├── UnknownColumns       an export has columns that its source refuses (new_columns="freeze")
    │   ├── BrokenFile           an export's file cannot be read as its source declares it
    │   ├── TooManyRejects       more rows are invalid than the source allows
    │   ├── AuditFailed          a built version broke a rule of the model
    │   ├── UnknownTable         no such source, dimension or fact
    │   ├── UnknownPartition     a partition that is no day of the star, or was never published
    │   ├── UnknownVersion       a version id that the ledger does not list
    │   ├── VersionLost          a live version's files are gone or damaged
    │   ├── LedgerUnreadable     a ledger that is empty, cut off, or overwritten
    │   ├── NewerLedger          a ledger in a format that this version of star_assets does not know
    │   ├── RollbackRefused      an older version of a dimension lacks members that facts use
    │   ├── NotOurs              the catalog has a table of that name that star_assets did not make
    │   ├── NoExports            no source has any export in the lake
    │   ├── RawRetired           a day's raw files were retired, and its staged version is missing
    │   ├── CannotForget         a member that cannot be erased, or does not exist
    │   ├── NotForgotten         traces of a member are left after it was erased
    │   ├── NotStaged            a table's day needs upstream tables or exports that are not published
    │   ├── StagedOtherwise      some days are staged in a type that the declared type cannot hold
    │   ├── EngineFailed         an engine's statement failed
    │   ├── JobFailed            a job on another machine ended without writing its result
    │   ├── OtherBuild           a job runs another build of the package than the process that started it
    │   ├── DatabaseRefused      the database to pull from lacks a right, a table or a column
    │   ├── LakeRefused          the lake's folder cannot be read or written
    │   │   └── AwsRefused           AWS refuses a call: rights, credentials, names
    │   │       └── AwsDenied            a right is missing
    │   ├── CrawlFailed          a Glue crawler ended with an error
    │   ├── UnknownDashboard     no such dashboard in the star
    │   ├── NumberTooLarge       a dashboard's number that a browser cannot count exactly
    │   ├── NobodysPage          a page for an address that may see no member
    │   ├── RefreshFailed        a refresh of a model in Power BI was refused, or did not complete
    │   └── QueryError           a SQL statement that cannot be answered
    │       ├── BadQuery             a wrong statement: syntax, names, types, values
    │       ├── QueryStopped         stopped on Athena: a limit, a timeout, a cancellation
    │       └── Unfaithful           answered by Athena, but not by the embedded Athena
    └── Transient            trying again later may help
        ├── HalfExport           an export that is not whole yet
        ├── MissingExport        the expected export of a day is missing
        ├── LostRace             another process published first
        ├── LedgerContended      other processes published first, too often in a row
        ├── CatalogBusy          other processes keep the catalog locked
        ├── JobInterrupted       a job on another machine was stopped, or took too long
        ├── JobOvertaken         inputs, or the live version, changed during each job
        ├── DatabaseBusy         the database cannot be reached, failed, or its day is not over yet
        ├── AwsBusy              AWS throttles, or cannot be reached
        ├── CrawlUnfinished      a Glue crawler was stopped, or takes too long
        ├── RefreshUnfinished    a refresh of a model in Power BI takes too long
        ├── QueryInterrupted     Athena itself failed while it ran a statement
        └── LakeFull             no space left for a new version

Each error is a dataclass of facts. Its `__str__` is the message for people: what
happened, where, what was expected and found, what to do. Not here: turning errors into
Dagster's (orchestration).
"""

from star_assets.model.errors.dashboards import NobodysPage, NumberTooLarge, UnknownDashboard
from star_assets.model.errors.declaring import BadDeclaration, BadSetting
from star_assets.model.errors.exports import (
    BrokenFile,
    ColumnMissing,
    HalfExport,
    MissingExport,
    NoExports,
    RawRetired,
    TooManyRejects,
    UnknownColumns,
)
from star_assets.model.errors.places import (
    AwsBusy,
    AwsDenied,
    AwsRefused,
    CatalogBusy,
    CrawlFailed,
    CrawlUnfinished,
    EngineFailed,
    JobFailed,
    JobInterrupted,
    JobOvertaken,
    LakeFull,
    LakeRefused,
    OtherBuild,
)
from star_assets.model.errors.publishing import (
    AuditFailed,
    CannotForget,
    LedgerContended,
    LedgerUnreadable,
    LostRace,
    NewerLedger,
    NotForgotten,
    NotOurs,
    NotStaged,
    RollbackRefused,
    StagedOtherwise,
    UnknownPartition,
    UnknownTable,
    UnknownVersion,
    VersionLost,
)
from star_assets.model.errors.pulling import DatabaseBusy, DatabaseRefused
from star_assets.model.errors.queries import BadQuery, QueryError, QueryInterrupted, QueryStopped, Unfaithful
from star_assets.model.errors.reports import RefreshFailed, RefreshUnfinished, UnreadableProject
from star_assets.model.errors.tree import Permanent, StarError, Transient

__all__ = [
    "AuditFailed",
    "AwsBusy",
    "AwsDenied",
    "AwsRefused",
    "BadDeclaration",
    "BadQuery",
    "BadSetting",
    "BrokenFile",
    "CannotForget",
    "CatalogBusy",
    "ColumnMissing",
    "CrawlFailed",
    "CrawlUnfinished",
    "DatabaseBusy",
    "DatabaseRefused",
    "EngineFailed",
    "HalfExport",
    "JobFailed",
    "JobInterrupted",
    "JobOvertaken",
    "LakeFull",
    "LakeRefused",
    "LedgerContended",
    "LedgerUnreadable",
    "LostRace",
    "MissingExport",
    "NewerLedger",
    "NoExports",
    "NobodysPage",
    "NotForgotten",
    "NotOurs",
    "NotStaged",
    "NumberTooLarge",
    "OtherBuild",
    "Permanent",
    "QueryError",
    "QueryInterrupted",
    "QueryStopped",
    "RawRetired",
    "RefreshFailed",
    "RefreshUnfinished",
    "RollbackRefused",
    "StagedOtherwise",
    "StarError",
    "TooManyRejects",
    "Transient",
    "Unfaithful",
    "UnknownColumns",
    "UnknownDashboard",
    "UnknownPartition",
    "UnknownTable",
    "UnknownVersion",
    "UnreadableProject",
    "VersionLost",
]
