"""The steps from raw exports to a published star: stage, fold, build, audit, publish. No Dagster here."""
