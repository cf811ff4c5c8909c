"""A program that submits specs, one after the other: STORE, then specs as JSON."""

import json
import sys

from jobs.poster.submit import submit
from jobs.spec.document import spec_of
from jobs.store.address import open_store

if __name__ == "__main__":
    address, *specs = sys.argv[1:]
    store = open_store(address)
    done = [submit(store, spec_of(json.loads(spec))) for spec in specs]
    json.dump([[one.job, one.new] for one in done], sys.stdout)
