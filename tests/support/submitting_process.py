"""A program that submits specs. Arguments: STORE, then each spec as JSON."""

import json
import sys

from jobs.poster.submit import submit_poster
from jobs.spec.document import parse_poster_spec
from jobs.store.address import open_store

if __name__ == "__main__":
    address, *specs = sys.argv[1:]
    store = open_store(address)
    done = [submit_poster(store, parse_poster_spec(json.loads(spec))) for spec in specs]
    json.dump([[one.job, one.new] for one in done], sys.stdout)
