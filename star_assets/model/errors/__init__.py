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
    │   ├── NewerLedger          a form of ledger that this version does not know
    │   ├── RollbackRefused      facts would lose a dimension's member
    │   ├── NotOurs              the catalog holds a table of that name that we did not make
    │   ├── NoExports            a lake that no source ever exported anything to
    │   ├── RawRetired           nothing is staged of a day whose raw files were deleted
    │   ├── CannotForget         a member that cannot be erased, or is none
    │   ├── NotForgotten         traces of a member are left
    │   ├── NotStaged            a table's day needs exports that no staging has published
    │   ├── StagedOtherwise      days are staged with a type that the declared one cannot hold
    │   ├── EngineFailed         the engine gave up on a statement
    │   ├── JobFailed            a job elsewhere ended without what it was to write
    │   ├── OtherBuild           a job elsewhere is of another build than who started it
    │   ├── DatabaseRefused      a database that exports are pulled from: rights, tables, columns
    │   ├── LakeRefused          the lake's folder cannot be read or written
    │   │   └── AwsRefused           AWS does not let us: rights, credentials, names
    │   │       └── AwsDenied            a right is missing
    │   ├── CrawlFailed          a crawler of Glue ended with an error
    │   └── QueryError           a SQL statement that cannot be answered
    │       ├── BadQuery             a wrong statement: syntax, names, types, values
    │       ├── QueryStopped         stopped on Athena: a limit, a timeout, a cancellation
    │       └── Unfaithful           answered by Athena, but not by the embedded Athena
    └── Transient            trying again later may help
        ├── HalfExport           an export that is not whole yet
        ├── MissingExport        a day of which an export was to come, and none has
        ├── LostRace             somebody else published first
        ├── LedgerContended      the race was lost too often
        ├── CatalogBusy          other processes hold the catalog
        ├── JobInterrupted       a job elsewhere was stopped, or took too long
        ├── JobOvertaken         inputs, or the live version, changed during each job
        ├── DatabaseBusy         the database cannot be reached, failed, or its day is not over yet
        ├── AwsBusy              AWS throttles, or cannot be reached
        ├── CrawlUnfinished      a Glue crawler was stopped, or takes too long
        ├── QueryInterrupted     Athena itself failed while it ran a statement
        └── LakeFull             no space left for a new version

Each error is a dataclass of facts. Its `__str__` is the message for people: what
happened, where, what was expected and found, what to do. Not here: turning errors into
Dagster's (orchestration).
"""

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
from star_assets.model.errors.reports import UnreadableProject
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
    "NotForgotten",
    "NotOurs",
    "NotStaged",
    "OtherBuild",
    "Permanent",
    "QueryError",
    "QueryInterrupted",
    "QueryStopped",
    "RawRetired",
    "RollbackRefused",
    "StagedOtherwise",
    "StarError",
    "TooManyRejects",
    "Transient",
    "Unfaithful",
    "UnknownColumns",
    "UnknownPartition",
    "UnknownTable",
    "UnknownVersion",
    "UnreadableProject",
    "VersionLost",
]
