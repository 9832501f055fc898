"""Sends a message to an SNS topic."""

from __future__ import annotations

from star_assets.lake.aws import Client, aws_errors, refused


def notify_topic(topic: str, title: str, text: str) -> None:
    """Publish a text to the topic of this ARN. Raises AwsRefused, AwsDenied, AwsBusy."""
    from botocore.exceptions import ClientError

    what, action = f"Topic {topic}", "sns:Publish"
    try:
        with aws_errors(what, action):
            # A subject has at most 100 characters.
            Client("sns")().publish(TopicArn=topic, Subject=title[:100], Message=text)
    except ClientError as error:
        raise refused(error, what, action) from error
