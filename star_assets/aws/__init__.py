"""Deployment on AWS: CloudFormation templates, reading them, and checking an account against them.

Here: the templates, their policies as JSON, the settings of a stack, the modules of
Glue's job, `star-assets aws check`. Not here: how a lake uses AWS (lake, athena), how
a run of Glue's job is started (orchestration), the commands (cli).
"""
