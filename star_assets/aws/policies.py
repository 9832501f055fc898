"""The policies of the templates `lake` and `costs` as JSON files with example names, such as those in docs/aws.

They are for people who attach policies by hand, or with another tool than CloudFormation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from star_assets.aws.template import Template, parsed, text

# The names that docs/aws.md uses.
ACCOUNT, REGION, STACK = "111122223333", "eu-west-1", "shop"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
NAMES: Mapping[str, str] = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": STACK,
    "Key": KEY.rpartition("/")[2],
    "Key.Arn": KEY,
    "Lake": "shop-lake",
    "Lake.Arn": "arn:aws:s3:::shop-lake",
    "Results": "shop-athena",
    "Results.Arn": "arn:aws:s3:::shop-athena",
    "OltpDatabase": "shop_oltp",
    "StagingDatabase": "shop_staging",
    "OlapDatabase": "shop_olap",
    "PipelineWorkgroup": "shop-pipeline",
    "AnalystWorkgroup": "shop-analysts",
    "AnalystPolicy": f"arn:aws:iam::{ACCOUNT}:policy/shop-analyst",
    "PipelinePolicy": f"arn:aws:iam::{ACCOUNT}:policy/shop-pipeline",
    "Job": "shop-job",
    "Stream": "shop-tills",
    "Stream.Arn": f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/shop-tills",
    "StreamLog": "shop-stream",
    "StreamLog.Arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:shop-stream:*",
    "StreamLogStream": "delivery",
    "Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:shop-alarms",
    **{
        f"{role}Role.Arn": f"arn:aws:iam::{ACCOUNT}:role/shop-{role.lower()}"
        for role in ("Analyst", "Catalog", "Crawler", "Job", "Stream", "Till")
    },
}

# The parameters with everything on that is off by default.
EVERYTHING: Mapping[str, str] = {
    "WriteExports": "yes",
    "EncryptCatalog": "yes",
    "JobModules": "star_assets",
    "Crawl": "yes",
    "StreamPosSales": "yes",
    "AlarmEmail": "data@example.com",
}


def example(parameters: Mapping[str, str] = EVERYTHING) -> Template:
    """The template `lake` with the names of docs/aws."""
    return Template(parsed(text("lake")), NAMES, parameters)


def example_of_costs() -> Template:
    """The template `costs`, on the same lake."""
    given = {"Bucket": NAMES["Lake"], "LakeRegion": REGION, "Key": KEY, "Topic": NAMES["Topic"]}
    names = {**NAMES, "AWS::Region": "us-east-1", "Budget": "shop-costs"}
    return Template(parsed(text("costs")), names, {**given, "Email": EVERYTHING["AlarmEmail"]})


def policies(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each policy of a template as a name, such as `pipeline` or `job-trust`, and its document."""
    for logical, resource in template.resources.items():
        properties = resource["Properties"]
        name = "-".join(re.findall("[A-Z][a-z]*", logical.removesuffix("Policy").removesuffix("Role"))).lower()
        if "AssumeRolePolicyDocument" in properties:
            yield f"{name}-trust", properties["AssumeRolePolicyDocument"]
            for one in properties.get("Policies", ()):
                yield name, one["PolicyDocument"]
        for holder in ("PolicyDocument", "KeyPolicy"):
            if holder in properties:
                yield name, properties[holder]


def write_policies(folder: Path) -> list[Path]:
    """Write each policy as `<name>.json` into a folder. Returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, document in (*policies(example()), *policies(example_of_costs())):
        files.append(folder / f"{name}.json")
        files[-1].write_text(json.dumps(document, indent=2) + "\n")
    return files
