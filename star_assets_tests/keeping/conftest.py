"""Shared by the tests of keeping: the lakes of the pipeline's tests."""

from star_assets_tests.pipeline.conftest import lake, make_aws_lake, make_lake

__all__ = ["lake", "make_aws_lake", "make_lake"]
