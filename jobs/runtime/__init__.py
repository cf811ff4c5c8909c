"""What all kinds of jobs use while they run.

kind            the interface of a kind of job
runner          the lifecycle of a run: attempt, recover, publish
context         a job's store, lease and scratch folder, for any process
backend         starts crews and pools: in this process, on a private Ray, on a cluster
elastic_sizing  how many workers a crew starts with, and when to resize it
control         requests to stop
lease_renewer   threads that renew the lease and report
reporter        status, events and log of a run
checkpoints     commits of a canvas
environment     the device and software of a job, and its pinned plan
failures        classes of errors, and whether to retry
access          what workers may read
upload          what submitting uploads
staging         what running and fetching download
scratch         locks on scratch folders
local_workdir   the working folder of a local render
garbage         objects that can be removed
logs            JSON logs
metrics         counters, snapshots, progress, and the exporter for Prometheus
"""
