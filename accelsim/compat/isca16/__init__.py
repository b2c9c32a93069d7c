"""The comparison of dataflows of ISCA 2016 (Chen, Emer, Sze): six of them at equal area, by closed forms.

machine.py     equal storage area, energy ratios
shape.py       a layer as the forms see it
form.py        what a dataflow of the comparison is: constraints, counts, candidates
row_stationary.py, weight_stationary.py, output_stationary.py, no_local_reuse.py
search.py      the parameters of least energy
rows.py        the rows of `accelsim run --compat isca16`
"""

from accelsim.compat.isca16.form import Form
from accelsim.compat.isca16.machine import LEVELS, Room, room
from accelsim.compat.isca16.search import FORMS, Best, best_mapping, misfits
from accelsim.compat.isca16.shape import Shape

__all__ = ["FORMS", "LEVELS", "Best", "Form", "Room", "Shape", "best_mapping", "misfits", "room"]
