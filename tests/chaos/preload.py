"""What every worker finds loaded: the process that is forked for each imports this once."""

import boto3

from include.specs import load_catalog
from local_stack.s3 import REGION
from tests.chaos import tasks

load_catalog()
boto3.client("s3", region_name=REGION, aws_access_key_id="-", aws_secret_access_key="-").close()
PRELOADED = tasks
