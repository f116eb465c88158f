"""`python -m worker.webhooks`: one dispatcher process."""

import sys

from worker.webhooks.main import main

sys.exit(main())
