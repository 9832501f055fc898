"""The boto3 clients of a process, and AWS's errors turned into the model's.

Here: one client per process and service, retries, what each refusal means and
what to do about it. Region, credentials, profile and endpoint come from AWS's own
environment variables and files, which boto3 reads. Not here: calls to S3
(s3_storage) and to Glue (glue_catalog).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from threading import Lock
from typing import Any

from star_assets.model.errors import AwsBusy, AwsDenied, AwsRefused, BadSetting, StarError
from star_assets.usage import add_request

# How many connections a client may have; a thread that needs one more waits.
CONNECTIONS = 32

# Tries of one call, with growing pauses between them, some 15 s in all. AWS_MAX_ATTEMPTS overrides it.
ATTEMPTS = 6

THROTTLED = {
    "InternalError",
    "InternalServiceException",
    "OperationTimeoutException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
DENIED = {"403", "AccessDenied", "AccessDeniedException", "AllAccessDisabled", "UnauthorizedOperation"}
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
UNKNOWN_KEYS = {
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
ELSEWHERE = {"301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect"}

SIGN_IN = "Sign in again (`aws sso login`), or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
GRANT = "Allow the action for this identity; docs/aws.md lists what a lake needs"


class Client:
    """A boto3 client of one service, made at the first call and, in a forked process, made again.

    Forked processes must not share a connection: each would read the other's replies. `make` replaces the
    function that makes the client.
    """

    def __init__(self, service: str, make: Callable[[], Any] | None = None) -> None:
        self.service = service
        self.make = make or partial(make_client, service)
        self._made: tuple[int, Any] | None = None

    def __call__(self) -> Any:
        """The client of this process. Threads may share it."""
        made = self._made
        if made is None or made[0] != os.getpid():
            with _making, aws_errors(self.service, self.service):
                made = self._made = (os.getpid(), self.make())
        return made[1]


# Threads may share clients, but not the session that makes them. A forked process gets a new lock:
# if another thread held the lock at the fork, nobody would release it in the child.
_making = Lock()


def _unlocked() -> None:
    global _making
    _making = Lock()


os.register_at_fork(after_in_child=_unlocked)


@cache
def session() -> Any:
    """The boto3 session of this process, which reads AWS's variables and files once for all clients."""
    import boto3

    return boto3.session.Session()


def region() -> str:
    """The region that AWS's variables and files name; empty if they name none."""
    return session().region_name or ""


def config() -> Any:
    """The settings of every client: its retries and its number of connections."""
    from botocore.config import Config

    retries: dict[str, Any] = {"mode": "standard"}
    if "AWS_MAX_ATTEMPTS" not in os.environ:
        retries["total_max_attempts"] = ATTEMPTS
    return Config(retries=retries, max_pool_connections=CONNECTIONS)


def make_client(service: str, **arguments: str) -> Any:
    """A boto3 client. `arguments` are boto3's, for a machine whose variables and files say nothing of the lake."""
    client = session().client(service, config=config(), **arguments)
    client.meta.events.register(f"before-call.{service}", _count)
    return client


def _count(model: Any, **_: Any) -> None:
    add_request(model.service_model.service_name, model.name)


@contextmanager
def aws_errors(what: str, action: str) -> Iterator[None]:
    """Turn AWS's errors into the model's. `what` names the object of the call, `action` the IAM action.

    A ClientError about the object itself (it does not exist, for example) is raised as it is: the caller handles it.
    """
    try:
        import botocore.exceptions as aws
        from botocore.parsers import ResponseParserError
    except ImportError as error:
        raise BadSetting("STAR_LAKE", "s3://…", "boto3 to be installed: pip install 'star_assets[aws]'") from error
    try:
        yield
    except aws.ClientError as error:
        if known := _refusal(error.response, what, action):
            raise known from error
        raise
    except (aws.NoCredentialsError, aws.PartialCredentialsError, aws.ProfileNotFound) as error:
        raise AwsRefused(what, f"no credentials for AWS were found ({error})", SIGN_IN) from error
    except (aws.TokenRetrievalError, aws.SSOTokenLoadError, aws.CredentialRetrievalError) as error:
        raise AwsRefused(what, f"the credentials for AWS have expired ({error})", SIGN_IN) from error
    except aws.NoRegionError as error:
        raise AwsRefused(what, "no AWS region is set", "Set AWS_REGION or AWS_DEFAULT_REGION") from error
    except (aws.HTTPClientError, aws.ConnectionError, aws.ReadTimeoutError) as error:
        raise AwsBusy(what, f"AWS could not be reached ({error})") from error
    except ResponseParserError as error:
        # A proxy, or an endpoint that is not AWS, may answer with a page of HTML.
        raise AwsBusy(what, f"{action} was answered with what is no reply of AWS's") from error
    except aws.BotoCoreError as error:
        raise AwsRefused(what, str(error).rstrip("."), "Correct it and run again") from error


def code(error: Any) -> str:
    """The code of a ClientError."""
    return str(error.response.get("Error", {}).get("Code", ""))


def refused(error: Any, what: str, action: str) -> StarError:
    """The model's error for a ClientError that the caller does not handle."""
    text = error.response.get("Error", {}).get("Message") or code(error)
    return AwsRefused(what, f"{action} failed with {code(error)}: {str(text).rstrip('.')}", "Correct it and run again")


def _refusal(response: dict[str, Any], what: str, action: str) -> StarError | None:
    """The error for a reply about credentials, rights or the service; None for a reply about the object itself."""
    found = str(response.get("Error", {}).get("Code", ""))
    message = str(response.get("Error", {}).get("Message", "")).rstrip(".")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if "kms" in found.lower() or "kms" in message.lower() or found == "GlueEncryptionException":
        return AwsRefused(what, f"the KMS key cannot be used for {action}: {message}", f"{_KEY}. {GRANT}")
    if found in EXPIRED:
        return AwsRefused(what, "the credentials for AWS have expired", SIGN_IN)
    if found in UNKNOWN_KEYS:
        return AwsRefused(what, f"AWS does not know these credentials ({found})", SIGN_IN)
    if found in DENIED:
        return AwsDenied(what, f"{action} was denied ({message or found})", GRANT)
    if found == "NoSuchBucket":
        return AwsRefused(what, "there is no such bucket", "Create it, or correct STAR_LAKE")
    if found in ELSEWHERE:
        return AwsRefused(what, f"the bucket is in another region ({message})", "Set AWS_REGION to the bucket's")
    if found in THROTTLED or (status >= 500 and found != "NotImplemented"):
        return AwsBusy(what, f"{action} was answered with {found or status}: {message}")
    return None


_KEY = "Allow kms:GenerateDataKey and kms:Decrypt on the key, or correct STAR_KMS_KEY"


@cache
def warn_denied(action: str, without: str, statement: str, policy: str = "docs/aws/pipeline.json") -> None:
    """Log, once per process, that an optional right is missing, the consequence, and the statement that grants it."""
    logging.getLogger(__name__).warning(
        "%s was denied: %s. The statement %s of %s grants it.", action, without, statement, policy
    )


def in_batches(items: list[Any], size: int) -> Iterator[list[Any]]:
    """The items in lists of at most `size`, a service's limit per call."""
    for first in range(0, len(items), size):
        yield items[first : first + size]
