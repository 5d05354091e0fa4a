"""The forms of a fitted model beside its plan, written so that they are equal byte for byte.

The plan is what serves. The forms are for people who want to open the model with the tools of their
field: `skops_files` keeps the fitted scikit-learn pipeline, `onnx_files` the model as a graph that
every ONNX runtime scores. Both are written by code of this package, because the usual writers put
memory addresses and times into the file (skops) or change the answers (the ONNX converter of
histogram boosting). Both are looked through before any library opens them: a file that has passed
here names nothing that runs.
"""
