"""The page and the HTTP API of a store: what `dreamfarm serve` runs. See README.md.

settings      what the operator decides
app           the application, from its parts
server        the web server around it
session       tokens, logins and roles
guard         what every request passes: Host, origin, login, headers, time limits
problems      errors as problem+json
models        what the API answers
job_views     a stored job as the API shows it
open_jobs     jobs read again with few requests
job_index     all jobs of a store, as far as they are known, in pages
farm          what the routes share
poller        one reader of the store for all browsers
live          the streams of events to browsers

It holds no state of its own: whatever it remembers, it can read again from the store.
"""
