"""Everything that follows from a spec before rendering: plans, memory, disk, identity.

poster, dataset             the plans of both kinds of jobs
item_settings, item_plan    the settings, render setup and memory of one item of a dataset
source, weights             the input and the weights file, opened and checked
identity                    the id of a job, from everything that affects its results
machine                     the cores, GPUs and memory of this machine
octave, memory, disk        the work, memory and disk space of a poster
output_writing              how an output is written: its encoder, and the colours of a press
print_files                 the files of an output for the printer, such as panels
estimate                    the time and cost of a poster, for crews of any size
"""
