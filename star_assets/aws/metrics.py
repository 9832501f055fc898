"""The CloudWatch metric that counts successful runs; an alarm goes off when no run has succeeded for some hours."""

from __future__ import annotations

import logging

from star_assets.lake.aws import Client, aws_errors, refused, warn_denied
from star_assets.model.errors import AwsDenied, StarError

METRIC = "Success"

WITHOUT = "Successful runs are not counted in CloudWatch, and its alarm NoSuccess goes off"


def count_success(namespace: str) -> None:
    """Add 1 to the metric in a namespace of CloudWatch. A refusal or an error is logged, and the run goes on."""
    from botocore.exceptions import ClientError

    action, what = "cloudwatch:PutMetricData", f"CloudWatch {namespace}"
    try:
        with aws_errors(what, action):
            data = [{"MetricName": METRIC, "Value": 1.0, "Unit": "Count"}]
            Client("cloudwatch")().put_metric_data(Namespace=namespace, MetricData=data)
    except AwsDenied:
        warn_denied(action, WITHOUT, "TellSuccess")
    except ClientError as error:
        logging.getLogger(__name__).warning("%s", refused(error, what, action))
    except StarError as error:
        logging.getLogger(__name__).warning("%s", error)
