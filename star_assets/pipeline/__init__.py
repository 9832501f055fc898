"""The steps from raw exports to a published star: look, plan, build, audit, commit, serve. No Dagster here."""
