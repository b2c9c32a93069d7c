"""Independent oracles (loop walk, systolic array, row-stationary array) and Hypothesis strategies for them.

The oracles are written from the words of the design and import neither `cost`, `sim` nor `mapper`: that their
counts equal the closed forms to the word is the evidence for both.
"""
