"""`python -m edge`: runs the edge with what the environment says."""

import sys

from edge import app

if __name__ == "__main__":
    sys.exit(app.serve())
