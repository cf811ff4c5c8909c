"""Posters: one picture, dreamed by a crew.

submit          puts a poster into a store
staging         the spec of a submitted poster, with its files on this machine
runner          runs a poster: dreams with a crew, then encodes the files
octave_loop     the dream, octave by octave and step by step
load_balancer   gives slow workers fewer tiles
worker          a worker: its tiles, its checkpoints, its timings
worker_setup    what a worker needs to start, without torch
picture_io      decodes the input, encodes previews and outputs
outputs         the output files and the manifest
local           renders on this machine into a folder
redo            submits a poster that dreams a part of another again
redo_spec       its spec, from what a user asks for
redo_runner     runs it, and renders the older picture again if need be
local_redo      the same on this machine, from what `render --keep` left
fetch           downloads results, or encodes other formats
plan_report     what `dreamfarm plan` prints
kind            posters as a kind of job
"""
