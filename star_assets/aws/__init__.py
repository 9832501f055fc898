"""Deployment on AWS: CloudFormation templates, their policies as JSON, and checks of an account against them.

Also here: the settings of a stack, the packages of Glue's job, metrics and topics. Not
here: calls that a lake makes (lake, athena), starting Glue's job (orchestration), the
commands (cli).
"""
