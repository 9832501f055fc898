#!/bin/sh
# Builds the image and pushes it into the ECR of the account and region that the AWS CLI speaks for: `push_image.sh TAG`.
# It makes the repository `star-assets` where there is none. A tag is never overwritten: a release is what it was.
set -eu
tag=${1:?name the release, such as 0.1.0}
account=$(aws sts get-caller-identity --query Account --output text)
region=${AWS_REGION:-$(aws configure get region)}
image=$account.dkr.ecr.$region.amazonaws.com/star-assets:$tag

aws ecr describe-repositories --region "$region" --repository-names star-assets >/dev/null 2>&1 ||
    aws ecr create-repository --region "$region" --repository-name star-assets \
        --image-tag-mutability IMMUTABLE --image-scanning-configuration scanOnPush=true >/dev/null
docker build --platform linux/amd64 --tag "$image" "$(dirname "$0")"
aws ecr get-login-password --region "$region" | docker login --username AWS --password-stdin "${image%%/*}"
docker push "$image"
echo "Image=$image"
