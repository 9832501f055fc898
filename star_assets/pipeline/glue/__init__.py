"""A Glue job in place of an engine here: the step that starts the job and publishes its versions, and its program."""
